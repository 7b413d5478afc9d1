"""Medians, ratios within a round, targets, and how they are told."""

from dataclasses import replace

import pytest

from benchmarks.serving.figures import Measured, Target, cpu, middle, of, p99, ratio
from benchmarks.serving.tables import load_table, targets_table

LOAD = "closed loop, 64 connections"


def measured(row: str, number: int, gateway_us: float, p99_ms: float = 1.0) -> Measured:
    return Measured(
        row=row,
        load=LOAD,
        round=number,
        requests=1000,
        errors={},
        others=0,
        per_second=500.0,
        p50_ms=0.5,
        p95_ms=0.8,
        p99_ms=p99_ms,
        late_ms=0.0,
        cpu_us={"haproxy": 10.0, "gateway": gateway_us},
        log_us=7.0,
    )


# The machine was half as fast in the second round.
ROUNDS = [
    measured("hello", 0, 40.0, p99_ms=2),
    measured("ours", 0, 90.0, p99_ms=4),
    measured("hello", 1, 90.0, p99_ms=4),
    measured("ours", 1, 190.0, p99_ms=10),
    measured("hello", 2, 40.0, p99_ms=2),
    measured("ours", 2, 115.0, p99_ms=12),
]


def test_the_total_is_of_all_kinds_but_the_writer_of_logs() -> None:
    assert measured("ours", 0, 90.0).total_us == 100


def test_ratios_are_taken_within_a_round_and_then_the_median() -> None:
    assert ratio(ROUNDS, "ours", "hello", LOAD, cpu) == 2.0
    assert ratio(ROUNDS, "ours", "hello", LOAD, p99) == 2.5


def test_a_round_without_the_other_row_does_not_count() -> None:
    assert ratio([*ROUNDS, measured("ours", 3, 9990.0)], "ours", "hello", LOAD, cpu) == 2.0


def test_without_any_round_of_both_there_is_no_ratio() -> None:
    assert ratio(ROUNDS[:1], "ours", "hello", LOAD, cpu) is None


def test_the_median_is_over_the_rounds_of_one_row_and_load() -> None:
    elsewhere = replace(measured("ours", 0, 1.0), load="open loop")

    assert middle(of([*ROUNDS, elsewhere], "ours", LOAD), cpu) == 125


@pytest.mark.parametrize(
    ("limit", "at_least", "verdict"),
    [(2.0, False, "yes"), (1.9, False, "**no**"), (2.0, True, "yes"), (2.1, True, "**no**")],
)
def test_a_target_says_whether_it_is_reached(limit: float, at_least: bool, verdict: str) -> None:
    target = Target("CPU", "ours", "hello", LOAD, cpu, limit, at_least)

    assert targets_table(ROUNDS, [target]).endswith(f"{limit:g} | 2.00 | {verdict} |")


def test_a_target_that_was_not_measured_is_not_reached() -> None:
    target = Target("CPU", "ours", "hello", "another load", cpu, 3.0)

    assert targets_table(ROUNDS, [target]).endswith("| not measured | **no** |")


def test_a_table_has_a_line_a_row_with_a_gap_for_processes_without_a_part() -> None:
    more = replace(measured("ours", 0, 90.0), row="more", cpu_us={"haproxy": 10.0, "redis": 5.0})

    table = load_table([*ROUNDS, more], LOAD).splitlines()

    assert table[0] == f"**{LOAD}**"
    cells = {line.split(" | ")[0].strip("| "): line.split(" | ")[6:] for line in table[4:]}
    assert cells["hello"] == ["10", "40", "-", "50", "1.00", "1.00", "0", "0 |"]
    assert cells["ours"] == ["10", "115", "-", "125", "2.00", "2.50", "0", "0 |"]
    assert cells["more"] == ["10", "-", "5", "15", "0.30", "0.50", "0", "0 |"]


def test_errors_and_degraded_answers_stand_out() -> None:
    bad = replace(ROUNDS[1], errors={"503": 3}, others=7)
    worse = replace(ROUNDS[3], errors={"503": 1, "no answer": 2})

    table = load_table([ROUNDS[0], bad, ROUNDS[2], worse, *ROUNDS[4:]], LOAD)

    assert table.endswith("| **4 with 503, 2 with no answer of 3,000** | **7 of 3,000** |")
