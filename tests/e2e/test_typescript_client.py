"""The TypeScript client on the whole stack; Node runs its sources as they are."""

from clients.node import node
from tests.e2e.shop import Shop


def test_its_tests_pass_on_the_stack(shop: Shop) -> None:
    said = node(
        *("--test", "test/stack.test.ts"),
        RECSYS_URL=shop.stack.settings.url,
        RECSYS_KEY=shop.key,
        RECSYS_ITEMS=",".join(shop.item_ids()[:9]),
    )
    assert "skipped 0" in said, said
    assert "fail 0" in said, said
