"""Why a job with Spark ended is what is said, not what that led to."""

from dataclasses import dataclass

import pytest
from py4j.protocol import Py4JNetworkError

from recsys.core.errors import Unavailable
from spark_jobs.session import _ended_by_its_reason
from spark_jobs.settings import SparkSettings


@dataclass
class Session:
    """Of a Java process that lives, or does not."""

    lives: bool = True
    stopped: int = 0

    @property
    def version(self) -> str:
        if not self.lives:
            raise Py4JNetworkError("Answer from Java side is empty")
        return "4.0"

    def stop(self) -> None:
        self.stopped += 1
        if not self.lives:
            raise Py4JNetworkError("Answer from Java side is empty")


def interrupted_in_a_call() -> None:
    """As PySpark has it: its own clean-up calls Java, and meets the answer that was cut off."""
    try:
        raise KeyboardInterrupt
    finally:
        raise Py4JNetworkError("Answer from Java side is empty")


@pytest.mark.parametrize("lives", [True, False])
def test_an_interrupt_stays_one_whatever_the_cut_call_to_java_raises(lives: bool) -> None:
    session = Session(lives)
    with pytest.raises(KeyboardInterrupt), _ended_by_its_reason(session, SparkSettings()):
        interrupted_in_a_call()
    assert session.stopped == 1


def test_a_java_process_that_is_gone_is_named() -> None:
    session = Session(lives=False)
    with (
        pytest.raises(Unavailable, match=r"its Java process was killed.*RECSYS_SPARK_MEMORY"),
        _ended_by_its_reason(session, SparkSettings()),
    ):
        raise Py4JNetworkError("Answer from Java side is empty")


def test_a_fault_of_the_job_is_raised_as_it_is() -> None:
    session = Session()
    with (
        pytest.raises(ZeroDivisionError),
        _ended_by_its_reason(session, SparkSettings()),
    ):
        raise ZeroDivisionError
    assert session.stopped == 1
