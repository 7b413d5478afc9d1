"""Contract of LiveCatalogue, and of ServingStore reading it, real and in memory."""

import itertools

import pytest

from recsys.core.catalogue import GONE, CatalogueChanges, CatalogueRow
from recsys.core.domain import Item
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis
from tests.contract.test_published_models import STRANGE_IDS
from tests.redis_fixture import Ask, ServingSide

LAMP = Item("lamp", "Lampe „Ü“", ("Home", "Licht"), "Ü & Co", price=19.5, attributes={"watts": 7.5})
CHAIR = Item("chair", available=False)
ROWS = {
    "lamp": CatalogueRow("Lampe „Ü“", 19.5, True, ("Home", "Licht"), "Ü & Co", {"watts": 7.5}),
    "chair": CatalogueRow(None, None, available=False),
}


def write(side: ServingSide, *items: Item, tenant: str = "shop") -> list[str]:
    return side.live.write(tenant, {item.item_id: item for item in items})


def changes(side: ServingSide, ask: Ask, after: str | None) -> CatalogueChanges:
    found: CatalogueChanges | None = ask(side.serving.catalogue_changes("shop", after))
    assert found is not None
    return found


def position(side: ServingSide, ask: Ask) -> str | None:
    found: str | None = ask(side.serving.catalogue_position("shop"))
    return found


def test_at_first_it_is_empty_and_nothing_has_changed(serving_side: ServingSide, ask: Ask) -> None:
    assert ask(serving_side.catalogue("shop")) == {}
    assert position(serving_side, ask) is None
    assert changes(serving_side, ask, None) == CatalogueChanges(None, {})
    assert list(serving_side.live.ids("shop")) == []


def test_items_are_read_as_they_are_now(serving_side: ServingSide, ask: Ask) -> None:
    assert sorted(write(serving_side, LAMP, CHAIR)) == ["chair", "lamp"]
    assert ask(serving_side.catalogue("shop")) == ROWS

    assert serving_side.live.write("shop", {"lamp": None, "never known": None})
    assert ask(serving_side.catalogue("shop")) == ROWS | {"lamp": GONE, "never known": GONE}
    assert sorted(serving_side.live.ids("shop")) == ["chair", "lamp", "never known"]


def test_a_follower_reads_what_changed_and_only_that(serving_side: ServingSide, ask: Ask) -> None:
    write(serving_side, LAMP)
    seen = position(serving_side, ask)
    assert changes(serving_side, ask, seen).rows == {}

    write(serving_side, CHAIR)
    write(serving_side, Item("lamp", title="A"), tenant="othershop")
    serving_side.live.write("shop", {"lamp": None})

    new = changes(serving_side, ask, seen)
    assert new.rows == {"chair": ROWS["chair"], "lamp": GONE}
    assert new.position == position(serving_side, ask)
    assert changes(serving_side, ask, new.position).rows == {}


def test_changes_come_in_the_order_in_which_they_were_made(
    serving_side: ServingSide, ask: Ask
) -> None:
    """Replicas must not differ in what is newest."""
    write(serving_side, LAMP)
    seen = position(serving_side, ask)
    made = [f"item {number}" for number in (5, 3, 8, 1, 9, 2, 7, 4, 6)]
    for item_id in made:
        write(serving_side, Item(item_id))
    write(serving_side, Item(made[0], title="changed again"))

    assert list(changes(serving_side, ask, seen).rows) == made


def test_what_is_there_already_is_no_change(serving_side: ServingSide, ask: Ask) -> None:
    write(serving_side, LAMP, CHAIR)
    serving_side.live.write("shop", {"gone": None})
    seen = position(serving_side, ask)

    assert write(serving_side, LAMP, CHAIR) == []
    assert serving_side.live.write("shop", {"gone": None}) == []
    assert position(serving_side, ask) == seen


def test_more_changes_than_a_page_come_all(serving_side: ServingSide, ask: Ask) -> None:
    write(serving_side, LAMP)
    at, found = position(serving_side, ask), dict[str, CatalogueRow]()
    many = {f"item {number}": Item(f"item {number}", price=number) for number in range(2500)}
    assert len(serving_side.live.write("shop", many)) == 2500

    while (new := changes(serving_side, ask, at)).rows:
        at = new.position
        found |= new.rows

    assert {item_id: row.price for item_id, row in found.items()} == {
        item_id: item.price for item_id, item in many.items()
    }
    assert len(ask(serving_side.catalogue("shop"))) == 2501


@pytest.mark.parametrize("after", [None, "1-1"])
def test_a_follower_that_knows_nothing_of_the_log_has_to_read_everything(
    serving_side: ServingSide, ask: Ask, after: str | None
) -> None:
    write(serving_side, LAMP)

    assert ask(serving_side.serving.catalogue_changes("shop", after)) is None


def test_a_log_that_was_lost_is_told(serving_side: ServingSide, redis: Redis, ask: Ask) -> None:
    write(serving_side, LAMP)
    seen = position(serving_side, ask)
    redis.flushdb()
    if isinstance(serving_side.live, MemoryLiveCatalogue):
        serving_side.live.lose()

    assert ask(serving_side.serving.catalogue_changes("shop", seen)) is None
    write(serving_side, CHAIR)
    assert ask(serving_side.serving.catalogue_changes("shop", seen)) is None


@pytest.mark.redis
def test_a_log_that_was_cut_is_told(redis_side: ServingSide, redis: Redis, ask: Ask) -> None:
    write(redis_side, LAMP)
    seen = position(redis_side, ask)
    write(redis_side, CHAIR)
    redis.xtrim(keys.catalogue_log("shop"), maxlen=1, approximate=False)

    assert ask(redis_side.serving.catalogue_changes("shop", seen)) is None


@pytest.mark.redis
def test_a_damaged_item_is_not_shown_and_the_others_are(
    redis_side: ServingSide, redis: Redis, ask: Ask
) -> None:
    write(redis_side, LAMP)
    redis.hset(keys.catalogue("shop"), "broken", "{no json")
    redis.hset(keys.catalogue("shop"), "other", "[1]")

    rows = ask(redis_side.catalogue("shop"))
    assert rows == {"lamp": ROWS["lamp"], "broken": GONE, "other": GONE}


def test_known_items_are_those_that_were_ever_written(serving_side: ServingSide) -> None:
    write(serving_side, LAMP)
    serving_side.live.write("shop", {"chair": None})

    assert serving_side.live.known("shop", ["lamp", "chair", "door"]) == {"lamp", "chair"}
    assert serving_side.live.known("shop", []) == set()


def test_only_gone_items_are_forgotten(serving_side: ServingSide, ask: Ask) -> None:
    write(serving_side, LAMP)
    serving_side.live.write("shop", {"chair": None, "door": None})

    serving_side.live.forget_gone("shop", ["lamp", "chair", "never known"])

    assert ask(serving_side.catalogue("shop")) == {"lamp": ROWS["lamp"], "door": GONE}


@pytest.mark.parametrize("item_id", STRANGE_IDS)
def test_item_ids_are_opaque(serving_side: ServingSide, ask: Ask, item_id: str) -> None:
    assert write(serving_side, Item(item_id)) == [item_id]
    seen = position(serving_side, ask)
    serving_side.live.write("shop", {item_id: None})

    assert changes(serving_side, ask, seen).rows == {item_id: GONE}
    assert serving_side.live.known("shop", [item_id]) == {item_id}


def test_every_change_moves_the_position(serving_side: ServingSide, ask: Ask) -> None:
    seen = [position(serving_side, ask)]
    for title in ("a", "b", "a"):
        write(serving_side, Item("lamp", title=title))
        seen.append(position(serving_side, ask))

    assert all(before != after for before, after in itertools.pairwise(seen))


def test_its_size_follows_what_is_in_it(serving_side: ServingSide) -> None:
    assert serving_side.live.size("shop") == 0
    write(serving_side, Item("lamp", title="x" * 1000))
    assert 1000 < serving_side.live.size("shop") < 1500
    write(serving_side, Item("lamp", title="x"))
    assert serving_side.live.size("shop") < 300
    serving_side.live.write("shop", {"lamp": None})
    serving_side.live.forget_gone("shop", ["lamp"])
    assert serving_side.live.size("shop") == 0
    assert serving_side.live.size("other") == 0
