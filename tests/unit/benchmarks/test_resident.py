"""Criterion of a process with flat memory."""

import pytest

from benchmarks.serving.resident import Resident

_MIB = 2**20


def looks(**sizes: list[int | None]) -> Resident:
    """Of these sizes in MiB, the first three before a process is settled; None is away."""
    resident = Resident(3, frozenset({"gateway-2"}))
    for place in range(len(next(iter(sizes.values())))):
        now = {name: each[place] for name, each in sizes.items()}
        resident.add(
            {name.replace("_", "-"): size * _MIB for name, size in now.items() if size is not None}
        )
    return resident


@pytest.mark.parametrize(
    ("sizes", "is_flat"),
    [
        ([80, 100, 90, 100, 100, 104], True),
        ([80, 100, 90, 100, 106, 100], False),
        ([100, 100, 100, 60, 60, 60], True),
    ],
)
def test_flat_is_what_never_exceeds_its_most_before_by_a_twentieth(
    sizes: list[int | None], is_flat: bool
) -> None:
    assert looks(recommender_1=sizes).growing() == ([] if is_flat else ["recommender-1"])


def test_stores_and_what_is_restarted_or_was_away_are_shown_and_not_judged() -> None:
    growing: list[int | None] = [100, 100, 100, 200, 300, 400]
    away: list[int | None] = [100, 100, None, 200, 300, 400]
    resident = looks(
        redis=growing, hbase=growing, gateway_2=growing, ingest_1=away, haproxy=[9] * 6
    )
    assert resident.growing() == []
    lines = resident.table({"first": 0, "last": 5}).splitlines()[2:]
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines] == [
        "gateway-2",
        "haproxy",
        "hbase",
        "ingest-1",
        "redis",
    ]
    assert lines[0] == "| gateway-2 | 100 | 400 |  |  | restarted again and again |"
    assert lines[1] == "| haproxy | 9 | 9 | 9 | +0.0 % | flat |"
