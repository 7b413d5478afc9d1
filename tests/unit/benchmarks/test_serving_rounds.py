"""In which turns rows are measured, at which rates, and how options compare."""

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.serving.chains import Chain
from benchmarks.serving.generator import Closed, Open, Request, Vegeta
from benchmarks.serving.hits import Hits
from benchmarks.serving.options import FULL, STEADY, compare
from benchmarks.serving.rounds import CAPACITY, HALF, LIGHT, Rounds
from benchmarks.serving.rows import Row
from infra.local.settings import Settings

PATHS = [f"/{number}" for number in range(50)]


class FakeVegeta(Vegeta):
    """Answers as fast as each key is said to, and notes what was asked."""

    def __init__(self, capacity: dict[str, float]) -> None:
        super().__init__("vegeta")
        object.__setattr__(self, "capacity", capacity)
        object.__setattr__(self, "asked", [])

    def attack(
        self,
        url: str,
        headers: dict[str, str],
        requests: Iterable[Request],
        load: Closed | Open,
        seconds: float,
        **options: Any,
    ) -> Hits:
        who = headers["X-API-Key"]
        self.asked.append((who, load, seconds, [request.path for request in requests]))  # type: ignore[attr-defined]
        rate = load.per_second if isinstance(load, Open) else self.capacity[who]  # type: ignore[attr-defined]
        count = round(rate * seconds)
        return Hits(np.full(count, 0.01), np.zeros(count), np.full(count, 200), seconds)


def row(name: str) -> Row:
    chain = Chain(Settings.load("bench", {}), name, {"gateway-1": os.getpid()})
    return Row(name, chain, ("gateway",), [Request(path) for path in PATHS], {})


def measuring(**capacity: float) -> tuple[Rounds, list[Any]]:
    vegeta = FakeVegeta(capacity)
    return Rounds(vegeta, 1.0, []), vegeta.asked  # type: ignore[attr-defined]


def test_rows_take_turns_and_each_round_begins_with_another() -> None:
    rounds, _ = measuring(hello=4000, ours=2000)

    rounds.run([row("hello"), row("ours")], 2)

    capacities = [(one.round, one.row) for one in rounds.measured if one.load == CAPACITY]
    assert capacities == [(0, "hello"), (0, "ours"), (1, "ours"), (1, "hello")]


def test_half_of_the_capacity_is_that_of_each_row() -> None:
    rounds, _ = measuring(hello=4000, ours=2000)

    rounds.run([row("hello"), row("ours")], 1)

    halves = {one.row: one.per_second for one in rounds.measured if one.load == HALF}
    assert halves == {"hello": 2000, "ours": 1000}


def test_a_row_that_can_hardly_answer_1000_a_second_is_not_asked_to() -> None:
    rounds, asked = measuring(hello=4000, slow=1100)

    rounds.run([row("hello"), row("slow")], 1)

    assert [one.row for one in rounds.measured if one.load == LIGHT] == ["hello"]
    assert not [who for who, load, *_ in asked if who == "slow" and load == Open(1000)]


def test_all_requests_are_asked_each_time_in_another_order() -> None:
    rounds, asked = measuring(ours=2000)

    rounds.measure(row("ours"), CAPACITY, Closed(64), 0)
    rounds.measure(row("ours"), CAPACITY, Closed(64), 1)

    orders = [tuple(paths) for *_, paths in asked]
    assert len(set(orders)) == len(orders) == 4
    assert all(sorted(order) == sorted(PATHS) for order in orders)


def test_what_is_to_be_prepared_is_prepared_anew_after_the_warming_up() -> None:
    rounds, asked = measuring(ours=2000)
    seeds: list[tuple[int, int]] = []
    prepared = replace(row("ours"), prepare=lambda seed: seeds.append((len(asked), seed)))

    rounds.measure(prepared, CAPACITY, Closed(64), 0)
    rounds.measure(prepared, CAPACITY, Closed(64), 1)

    assert [warmed_up for warmed_up, _ in seeds] == [1, 3]
    assert len({seed for _, seed in seeds}) == 2


def test_ways_are_compared_at_half_of_what_the_slowest_can() -> None:
    rounds, _ = measuring(before=1000, after=3000)

    option = compare("An option", rounds, [row("before"), row("after")], 2)

    steady = [one for one in option.measured if one.load == STEADY]
    assert {one.per_second for one in steady} == {500}
    assert sum(one.load == FULL for one in option.measured) == 4
    assert "| after | 3,000 (+200%) | 10.00 (+0%)" in option.table()


def test_each_option_is_told_by_its_own_measurements() -> None:
    rounds, _ = measuring(before=1000, after=3000)
    compare("One", rounds, [row("before")], 1)

    other = compare("Another", rounds, [row("after")], 1)

    assert {one.row for one in other.measured} == {"after"}
    assert len(rounds.measured) == 4


@pytest.mark.parametrize(
    ("errors", "said"), [({}, "| 0 | 0 |"), ({"503": 7}, "| **7 with 503 of 1,500** | 0 |")]
)
def test_errors_of_a_way_are_told(errors: dict[str, int], said: str) -> None:
    rounds, _ = measuring(before=1000)
    option = compare("An option", rounds, [row("before")], 1)
    bad = [replace(one, errors=errors if one.load == FULL else {}) for one in option.measured]

    assert replace(option, measured=bad).table().endswith(said)
