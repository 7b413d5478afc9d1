"""Ratings and search queries of files."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.config.shop import load_shop
from recsys.core.event_types import EventTypes
from recsys.importing.ledger import digest_of
from recsys.importing.plan import Reading, plan_events
from recsys.importing.presets import Preset
from recsys.stores.memory.interactions import MemoryInteractionStore
from tests.unit.importing import shop
from tests.unit.importing.shop import take_in, write

AT = 1_571_565_600_000
HEADER = "user_id,item_id,event_type,date"


@pytest.mark.parametrize("column", ["rating", "Stars", "overall", "EVENT_VALUE", "value"])
def test_a_column_of_ratings_is_known_by_its_name(tmp_path: Path, column: str) -> None:
    found = take_in(write(tmp_path, f"{HEADER},{column}\nu,i,rating,{AT},4.5\nu,j,rating,{AT},\n"))

    assert [(event.item_id, event.rating) for event in found.events] == [("i", 4.5), ("j", None)]


@pytest.mark.parametrize("column", ["query", "search_term", "Search Query", "keyword"])
def test_a_column_of_queries_is_known_by_its_name(tmp_path: Path, column: str) -> None:
    text = f"{HEADER},{column}\nu,i,search,{AT},tea light\nu,j,search,{AT},2024.0\nu,k,view,{AT},\n"
    found = take_in(write(tmp_path, text))

    assert [event.query for event in found.events] == ["tea light", "2024.0", None]


def test_a_preset_of_ratings_keeps_the_stars(tmp_path: Path) -> None:
    path = write(tmp_path, "1::1193::5::978300760\n1::661::3::978302109\n", "ratings.dat")
    found = take_in(path, preset=Preset.MOVIELENS_1M)

    assert [event.rating for event in found.events] == [5.0, 3.0]


BESIDE = f"{HEADER},rating\nu,i,rating,{AT},4\nu,j,rating,{AT},10\nu,k,rating,{AT},good\n"
PROBLEMS = {
    "rating: must be between 0.5 and 5, the scale of its event type": 1,
    "rating: must be a number": 1,
}


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> EventTypes:
    """The shop counts ratings."""
    kind = replace(shop.SHOP.event_types["rating"], rating_counts=True)
    types = {**shop.SHOP.event_types, "rating": kind}
    monkeypatch.setattr(shop, "SHOP", replace(shop.SHOP, event_types=types))
    return types


def test_a_rating_beside_its_scale_is_left_out_and_counted(tmp_path: Path) -> None:
    found = take_in(write(tmp_path, BESIDE))

    assert [(event.item_id, event.rating) for event in found.events] == [
        ("i", 4.0),
        ("j", None),
        ("k", None),
    ]
    assert dict(found.tally.dropped) == PROBLEMS


@pytest.mark.usefixtures("counting")
def test_where_ratings_count_one_beside_its_scale_costs_the_row(tmp_path: Path) -> None:
    """Without a rating it would mean the best one."""
    found = take_in(write(tmp_path, BESIDE))

    assert [event.item_id for event in found.events] == ["i"]
    assert found.reasons() == PROBLEMS


def test_a_file_is_read_again_once_the_shop_counts_ratings(
    tmp_path: Path, counting: EventTypes
) -> None:
    files = {
        "rated": write(tmp_path, BESIDE),
        "plain": write(tmp_path, f"{HEADER}\nu,i,view,{AT}\n", "plain.csv"),
    }
    store = MemoryInteractionStore()

    def digests(types: EventTypes) -> dict[str, str]:
        plans = {
            name: plan_events(Reading(path), "shop", store, types, AT)
            for name, path in files.items()
        }
        return {name: digest_of(plan.path, plan.how) for name, plan in plans.items()}

    before, after = digests(load_shop().event_types), digests(counting)

    assert before["rated"] != after["rated"]
    assert before["plain"] == after["plain"]


def test_a_rating_of_a_type_without_a_scale_is_left_out_and_counted(tmp_path: Path) -> None:
    text = f"{HEADER},rating\nu,i,purchase,{AT},4.5\nu,j,view,{AT},★★\nu,k,view,{AT},\n"
    found = take_in(write(tmp_path, text))

    assert [event.rating for event in found.events] == [None] * 3
    assert dict(found.tally.dropped) == {
        "rating: its event type has no rating_scale in the shop's settings": 2
    }


def test_a_query_that_is_too_long_is_left_out_and_counted(tmp_path: Path) -> None:
    lines = [
        {"user_id": "u", "item_id": item, "event_type": "search", "date": AT, "query": query}
        for item, query in (("i", "x" * 500), ("j", "x" * 501))
    ]
    found = take_in(write(tmp_path, "\n".join(map(json.dumps, lines)), "events.jsonl"))

    assert [(event.item_id, len(event.query or "")) for event in found.events] == [
        ("i", 500),
        ("j", 0),
    ]
    assert dict(found.tally.dropped) == {"query: has 501 characters, at most 500 are allowed": 1}


def test_a_file_that_was_imported_without_its_ratings_adds_them_to_its_events(
    tmp_path: Path,
) -> None:
    text = f"{HEADER},rating\nu,i,rating,{AT},4\n"
    [with_rating] = take_in(write(tmp_path, text)).events
    [without] = take_in(write(tmp_path, text.replace("rating\n", "unknown\n", 1))).events

    assert with_rating.event_id == without.event_id
