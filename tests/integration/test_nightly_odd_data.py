"""Shops that hardly are one: the run says so and does the sensible thing."""

from dataclasses import replace

import pytest

from infra.local.stack import Stack
from recsys.core.domain import Item
from recsys.core.errors import ConfigurationError, NoData, Unavailable
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.run_folder import Window
from tests.integration.conftest import Command, Seed
from tests.integration.nightly_shop import (
    DAY_MS,
    NOW_MS,
    WINDOW,
    Nightly,
    a_nightly,
    an_event,
    shop_events,
)

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def of_tenant(nightly: Nightly, tenant: str) -> Nightly:
    settings = nightly.settings
    return a_nightly(settings.hbase_thrift, nightly.redis_url, settings.model_store, tenant)


def test_empty_tables_are_named_with_what_to_do(seed: Seed, nightly: Nightly) -> None:
    seed("emptyshop", [], [])

    with pytest.raises(NoData, match=r"tenant emptyshop has no events .* `recsys import events`"):
        of_tenant(nightly, "emptyshop").run()


def test_the_command_line_says_in_one_line_that_there_is_nothing(
    seed: Seed, recsys_here: Command
) -> None:
    seed("emptyshop", [], [])

    code, _, told = recsys_here("nightly", "--tenant", "emptyshop")

    assert code == 1
    last = told.strip().splitlines()[-1]
    assert last.startswith("error: tenant emptyshop has no events in the window: import some with")
    assert "Traceback" not in told


def test_without_events_the_old_version_goes_on_serving(nightly: Nightly) -> None:
    nightly.first_night()
    before = nightly.serving()

    with pytest.raises(NoData):
        nightly.run(window=Window(0, 1000))

    assert nightly.serving() == before
    assert nightly.recommended("c0", limit=1) == ["c0"]


def test_tables_that_are_not_there_are_named_with_what_to_do(nightly: Nightly) -> None:
    with pytest.raises(ConfigurationError, match="recsys tables create --tenant nosuchshop"):
        of_tenant(nightly, "nosuchshop").run()


def test_behaviour_that_counts_nothing_is_nothing_to_train_on(seed: Seed, nightly: Nightly) -> None:
    seed("tinyshop", [an_event("idle", "thing", "impression", days_ago=9)], [Item("thing")])

    with pytest.raises(NoData, match="no shopper has behaviour of positive weight"):
        of_tenant(nightly, "tinyshop").run(window=Window(0, NOW_MS - 5 * DAY_MS))


def test_types_that_the_settings_do_not_name_any_more_are_told(nightly: Nightly) -> None:
    shop = nightly.plan.shop
    without = {name: kind for name, kind in shop.event_types.items() if name != "view"}
    views = sum(event.event_type == "view" for event in shop_events())

    nightly.run([Step.READ], shop=replace(shop, event_types=without))

    assert nightly.said[-2].endswith(
        f"do not name these types of events, so none counts: view ({views})"
    )


def test_a_shop_all_of_whose_types_count_nothing_has_nothing_to_train_on(nightly: Nightly) -> None:
    shop = nightly.plan.shop
    kinds = {n: replace(kind, weight=0, excludes=False) for n, kind in shop.event_types.items()}

    with pytest.raises(NoData, match="no shopper has behaviour of positive weight"):
        nightly.run([Step.READ, Step.TRAIN], shop=replace(shop, event_types=kinds))


def test_one_shopper_and_one_item_are_served(seed: Seed, nightly: Nightly) -> None:
    seed("tinyshop", [an_event("only", "thing", "view")], [Item("thing", title="The thing")])
    tiny = of_tenant(nightly, "tinyshop")

    tiny.run(window=Window(NOW_MS - DAY_MS, WINDOW.end_ms))

    assert tiny.manifest().data.users == tiny.manifest().data.items == 1
    said = "\n".join(tiny.said)
    assert "no event is a target event (purchase), so nothing can be evaluated" in said
    assert "nothing to evaluate on: no user who is known before the held-out days has a" in said
    assert (
        "gate passed: not evaluated, and neither is what serves: only 0 users have held-out events"
        in tiny.said
    )
    assert tiny.recommended("only") == ["thing"]
    assert tiny.recommended("a stranger") == ["thing"]


def test_a_shopper_who_has_everything_is_recommended_nothing(seed: Seed, nightly: Nightly) -> None:
    seed("tinyshop", [an_event("owner", "thing", days_ago=-0.5)], [Item("thing")])
    tiny = of_tenant(nightly, "tinyshop")

    tiny.run(window=Window(NOW_MS + 1, WINDOW.end_ms))

    assert tiny.recommended("owner") == []
    assert tiny.recommended("a stranger") == ["thing"]


def test_a_shop_without_a_catalogue_recommends_what_its_shoppers_touch(
    seed: Seed, nightly: Nightly
) -> None:
    seed("bareshop", [an_event("ann", "x"), an_event("ann", "y"), an_event("bob", "x")], [])
    bare = of_tenant(nightly, "bareshop")

    bare.run()

    assert "the catalogue is empty: items have no titles and all may be recommended" in bare.said
    assert bare.recommended("bob", limit=1) == ["y"]


def test_what_cannot_be_bought_is_reported_and_never_recommended(nightly: Nightly) -> None:
    nightly.first_night()

    assert "1 item with events is not in the catalogue, and never recommended" in nightly.said
    shoppers = {event.user_id for event in shop_events()}
    for shopper in [*sorted(shoppers), "a stranger"]:
        everything = nightly.recommended(shopper, limit=100)
        assert everything
        assert not {"sold out", "ghost"} & set(everything)


def test_a_new_item_nobody_touched_fills_lists_up_and_nothing_more(nightly: Nightly) -> None:
    nightly.first_night()

    assert "never touched" not in nightly.recommended("viewer", limit=10)
    assert "never touched" in nightly.recommended("viewer", limit=100)


def test_without_hbase_the_run_ends_and_says_so(nightly: Nightly) -> None:
    nightly.settings = nightly.settings.model_copy(update={"hbase_thrift": "127.0.0.1:1"})

    with pytest.raises(Unavailable, match="hbase"):
        nightly.run([Step.READ])


def test_without_redis_no_run_starts(nightly: Nightly, store_stack: Stack) -> None:
    away = a_nightly(
        store_stack.settings.hbase_thrift,
        "redis://127.0.0.1:1/0",
        nightly.settings.model_store,
        nightly.plan.tenant,
    )

    with pytest.raises(Unavailable, match="redis"):
        away.run()
    assert away.said == []
