import pytest

from benchmarks.serving.wrk import read_summary

OUTPUT = """Running 5s test @ http://127.0.0.1:1
  1 threads and 64 connections

FOUND {"count": 1000, "microseconds": 2000000, "status": 30, "socket": 10, \
"latencies": {"50": 1500, "95": 2500, "99": 9000}}
"""


def test_failed_requests_count_and_do_not_count_as_answers() -> None:
    found = read_summary(OUTPUT)
    assert (found.count, found.errors) == (1010, {"bad status": 30, "no answer": 10})
    assert found.per_second == pytest.approx(970 / 2)


def test_latencies_are_in_milliseconds() -> None:
    found = read_summary(OUTPUT)
    assert [found.latency_ms(percent) for percent in (50, 95, 99)] == [1.5, 2.5, 9.0]
    assert found.late_ms(99) == 0
