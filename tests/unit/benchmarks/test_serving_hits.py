"""Reading what the load generator wrote down."""

import numpy as np
import pytest

from benchmarks.serving.hits import read_hits

START_NS = 1_700_000_000_000_000_000


def line(sequence: int, began_ms: float, latency_ms: float, status: int = 200) -> str:
    """One line as `vegeta encode -to=csv` writes it."""
    began, latency = (int(1e6 * ms) for ms in (began_ms, latency_ms))
    error = '"Get ""http://x"": EOF, again"' if status == 0 else ""
    rest = f"{sequence},GET,http://127.0.0.1:8080/v1/hello,Q29udGVudA=="
    return f"{START_NS + began},{status},{latency},0,2064,{error},,,{rest}"


def test_in_a_closed_loop_latency_counts_from_the_sending() -> None:
    hits = read_hits("\n".join([line(0, 0, 5), line(1, 5, 7), line(2, 12, 9)]), rate=None)

    assert hits.latency_seconds == pytest.approx([0.005, 0.007, 0.009])
    assert hits.late_seconds == pytest.approx([0, 0, 0])


def test_on_a_schedule_latency_counts_from_when_a_request_was_due() -> None:
    """One each 10 ms; the third was sent 20 ms late, and its shopper has waited that long too."""
    text = "\n".join([line(0, 0, 5), line(1, 10, 5), line(2, 40, 5), line(3, 40, 5)])

    hits = read_hits(text, rate=100)

    assert hits.latency_seconds == pytest.approx([0.005, 0.005, 0.025, 0.015])
    assert hits.late_seconds == pytest.approx([0, 0, 0.02, 0.01])


def test_a_late_first_request_does_not_move_the_schedule() -> None:
    hits = read_hits("\n".join([line(0, 4, 5), line(1, 10, 5), line(2, 20, 5)]), rate=100)

    assert hits.late_seconds == pytest.approx([0.004, 0, 0])


def test_hits_may_be_written_in_any_order() -> None:
    hits = read_hits("\n".join([line(2, 20, 1), line(0, 0, 30), line(1, 10, 1)]), rate=100)

    assert sorted(hits.latency_seconds) == pytest.approx([0.001, 0.001, 0.03])
    assert hits.seconds == pytest.approx(0.03)


def test_what_is_not_answered_well_is_an_error_and_no_throughput() -> None:
    text = "\n".join([line(0, 0, 500), line(1, 0, 500, 503), line(2, 0, 500, 0), line(3, 0, 500)])

    hits = read_hits(text, rate=None)

    assert hits.errors == {"503": 1, "no answer": 1}
    assert hits.per_second == pytest.approx(4)


def test_percentiles_are_those_of_all_requests() -> None:
    text = "\n".join(line(number, number, float(number)) for number in range(101))

    hits = read_hits(text, rate=None)

    assert [hits.latency_ms(percent) for percent in (50, 95, 99)] == pytest.approx([50, 95, 99])
    assert np.isclose(hits.latency_ms(100), 100)


def test_nothing_sent_is_no_measurement() -> None:
    with pytest.raises(SystemExit, match="sent nothing"):
        read_hits("", rate=None)
