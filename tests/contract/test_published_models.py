"""Contract of PublishedModels, real and in memory."""

import numpy as np
import pytest

from recsys.core.behaviour import StoredUser
from recsys.core.catalogue import GONE
from recsys.core.errors import LockLost
from recsys.core.ports import PointerGuard
from recsys.stores.redis import published
from tests.builders import a_history, a_user_batch
from tests.redis_fixture import Ask, ServingSide

STRANGE_IDS = ["a:b", "two words", "日本🛒", "*", "?", "[a-z]", "%", "a/b", "x" * 256, "🛒" * 256]


def a_user(*items: int) -> StoredUser:
    scores = np.linspace(1, 0.5, len(items), dtype=np.float32)
    return StoredUser(np.array(items, np.int32), scores, a_history([1, 2], [0.5, 0.1]))


def publish(side: ServingSide, version: str, user_ids: list[str], tenant: str = "shop") -> None:
    block = a_user_batch({user_id: a_user(3) for user_id in user_ids})
    side.published.write_users(tenant, version, block)
    side.published.write_items(tenant, version, b"manifest of " + version.encode(), b"items")


def test_nothing_serves_before_the_first_version(serving_side: ServingSide) -> None:
    assert serving_side.published.current("shop") is None


def test_writing_a_version_does_not_make_it_serve(serving_side: ServingSide) -> None:
    publish(serving_side, "v1", ["ann"])

    assert serving_side.published.current("shop") is None


def test_the_last_activated_version_serves(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.published.activate("shop", "v1")
    serving_side.published.activate("shop", "v2")

    assert serving_side.published.current("shop") == "v2"
    assert ask(serving_side.serving.current("shop")) == "v2"


def test_the_pointer_moves_while_the_run_holds_its_lock_and_what_it_replaces_serves(
    serving_side: ServingSide,
) -> None:
    serving_side.lock("shop", "mine")
    serving_side.published.activate("shop", "v1", PointerGuard("mine", None))
    serving_side.published.activate("shop", "v2", PointerGuard("mine", "v1"))

    assert serving_side.published.current("shop") == "v2"


@pytest.mark.parametrize("holder", ["another", None])
def test_a_run_that_lost_its_lock_moves_no_pointer(
    serving_side: ServingSide, holder: str | None
) -> None:
    serving_side.published.activate("shop", "v1")
    if holder:
        serving_side.lock("shop", holder)

    with pytest.raises(LockLost, match="v2 does not serve"):
        serving_side.published.activate("shop", "v2", PointerGuard("mine", "v1"))
    assert serving_side.published.current("shop") == "v1"


@pytest.mark.parametrize("replaces", ["v0", None])
def test_a_run_that_was_compared_with_another_version_moves_no_pointer(
    serving_side: ServingSide, replaces: str | None
) -> None:
    serving_side.lock("shop", "mine")
    serving_side.published.activate("shop", "v1")

    with pytest.raises(LockLost, match="another version serves now"):
        serving_side.published.activate("shop", "v2", PointerGuard("mine", replaces))
    assert serving_side.published.current("shop") == "v1"


def test_a_complete_version_serves_again_by_a_move_of_the_pointer(
    serving_side: ServingSide,
) -> None:
    for version in ("v1", "v2"):
        publish(serving_side, version, ["ann"])
        serving_side.published.mark_complete("shop", version)
        serving_side.published.activate("shop", version)

    assert serving_side.published.reactivate("shop", "v1")
    assert serving_side.published.current("shop") == "v1"


def test_a_version_of_which_records_may_be_missing_does_not_serve_again_so(
    serving_side: ServingSide,
) -> None:
    serving_side.published.activate("shop", "v2")
    publish(serving_side, "half", ["ann"])
    publish(serving_side, "gone", ["ann"])
    serving_side.published.mark_complete("shop", "gone")
    serving_side.published.retire("shop", ["half"])

    assert not serving_side.published.reactivate("shop", "half")
    assert not serving_side.published.reactivate("shop", "gone")
    assert not serving_side.published.reactivate("othershop", "v2")
    assert serving_side.published.current("shop") == "v2"


def test_what_serves_is_never_retired(serving_side: ServingSide) -> None:
    publish(serving_side, "v1", ["ann"])
    serving_side.published.activate("shop", "v1")

    assert serving_side.published.retire("shop", []) == 0
    assert serving_side.published.count_users("shop", "v1", ["ann"]) == 1


def test_a_tenant_does_not_see_the_versions_of_another(serving_side: ServingSide, ask: Ask) -> None:
    publish(serving_side, "v1", ["ann"])
    serving_side.published.activate("shop", "v1")

    assert serving_side.published.current("othershop") is None
    assert serving_side.published.count_users("othershop", "v1", ["ann"]) == 0
    assert ask(serving_side.user("othershop", "v1", "ann")) == (None, [])


def test_users_are_counted_by_their_records(serving_side: ServingSide) -> None:
    publish(serving_side, "v1", ["ann", "bob"])

    assert serving_side.published.count_users("shop", "v1", ["ann", "bob", "cid"]) == 2
    assert serving_side.published.count_users("shop", "v2", ["ann"]) == 0
    assert serving_side.published.count_users("shop", "v1", []) == 0


def test_writing_no_users_is_fine(serving_side: ServingSide) -> None:
    serving_side.published.write_users("shop", "v1", a_user_batch({}))

    assert serving_side.published.count_users("shop", "v1", ["ann"]) == 0


def test_writing_a_version_again_changes_nothing(serving_side: ServingSide, ask: Ask) -> None:
    for _ in range(2):
        publish(serving_side, "v1", ["ann"])

    assert serving_side.published.count_users("shop", "v1", ["ann"]) == 1
    assert ask(serving_side.serving.item_model("shop", "v1")) == (b"manifest of v1", b"items")


def test_more_users_than_a_command_takes_are_all_written(serving_side: ServingSide) -> None:
    user_ids = [f"u{number}" for number in range(2 * published.KEYS_PER_COMMAND + 1)]

    publish(serving_side, "v1", user_ids)

    assert serving_side.published.count_users("shop", "v1", user_ids) == len(user_ids)


def test_retiring_keeps_the_named_versions_and_removes_all_others(
    serving_side: ServingSide, ask: Ask
) -> None:
    for version in ("v1", "v2", "v3"):
        publish(serving_side, version, ["ann", "bob"])

    removed = serving_side.published.retire("shop", ["v2"])

    assert removed == 2 * (2 + len(("manifest", "items")))
    counts = [
        serving_side.published.count_users("shop", f"v{n}", ["ann", "bob"]) for n in (1, 2, 3)
    ]
    assert counts == [0, 2, 0]
    assert ask(serving_side.serving.item_model("shop", "v2")) == (b"manifest of v2", b"items")


def test_retiring_removes_what_a_dead_run_left_half_written(serving_side: ServingSide) -> None:
    serving_side.published.write_users("shop", "dead", a_user_batch({"ann": a_user(1)}))

    assert serving_side.published.retire("shop", ["v1"]) == 1
    assert serving_side.published.count_users("shop", "dead", ["ann"]) == 0


def test_retiring_touches_neither_other_tenants_nor_the_pointer_nor_behaviour(
    serving_side: ServingSide, ask: Ask
) -> None:
    publish(serving_side, "v1", ["ann"], tenant="shop2")
    serving_side.published.activate("shop", "v1")
    serving_side.live.write("shop", {"lamp": None})

    assert serving_side.published.retire("shop", []) == 0
    assert serving_side.published.count_users("shop2", "v1", ["ann"]) == 1
    assert serving_side.published.current("shop") == "v1"
    assert ask(serving_side.catalogue("shop")) == {"lamp": GONE}


@pytest.mark.parametrize("user_id", STRANGE_IDS)
def test_user_ids_are_opaque(serving_side: ServingSide, user_id: str) -> None:
    publish(serving_side, "v1", [user_id, "plain"])

    assert serving_side.published.count_users("shop", "v1", [user_id]) == 1
    assert serving_side.published.retire("shop", []) == 4


def test_a_user_is_erased_from_the_version_that_serves(serving_side: ServingSide) -> None:
    for version in ("v1", "v2"):
        publish(serving_side, version, ["ann", "bob"])
    serving_side.published.erase_user("shop", "ann")
    serving_side.published.activate("shop", "v2")

    for _ in range(2):
        serving_side.published.erase_user("shop", "ann")

    counts = [serving_side.published.count_users("shop", v, ["ann", "bob"]) for v in ("v1", "v2")]
    assert counts == [2, 1]


def test_records_that_erasing_has_removed_are_counted_until_the_version_is_whole_again(
    serving_side: ServingSide,
) -> None:
    models = serving_side.published
    publish(serving_side, "v1", ["ann", "bob"])
    models.activate("shop", "v1")
    for user in ("ann", "ann", "cid"):
        models.erase_user("shop", user)

    assert models.erased_users("shop", "v1") == 1
    assert models.erased_users("shop", "v2") == 0
    models.mark_complete("shop", "v1")
    assert models.erased_users("shop", "v1") == 0


def test_the_size_of_an_item_model_is_that_of_all_its_chunks(
    serving_side: ServingSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "CHUNK_BYTES", 4)
    serving_side.published.write_items("shop", "v1", b"manifest", b"0123456789")

    assert serving_side.published.items_size("shop", "v1") == 10
    assert serving_side.published.items_size("shop", "v2") == 0
