"""Threads of numerical work, where they are worth starting."""

import threading

import numpy as np
import pytest

from recsys.training import threads
from recsys.training.als.half_step import row_runs
from recsys.training.threads import on_threads, one_blas_thread


def test_the_work_of_every_part_is_done_once_on_other_threads() -> None:
    done: list[tuple[int, bool]] = []
    on_threads(lambda part: done.append((part, _is_here())), range(20), threads=3)
    assert sorted(done) == [(part, False) for part in range(20)]


def test_a_single_part_is_done_by_the_thread_that_calls() -> None:
    done: list[bool] = []
    on_threads(lambda _: done.append(_is_here()), ["all"], threads=3)
    assert done == [True]


def test_what_fails_on_a_thread_fails_for_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        on_threads(lambda part: 1 // part, [1, 0, 2], threads=2)


def test_blas_has_one_thread_within_the_block_and_what_it_had_before_behind_it() -> None:
    before = _blas_threads()
    assert before
    with one_blas_thread():
        assert _blas_threads() == [1] * len(before)
    assert _blas_threads() == before


def test_the_libraries_of_the_process_are_looked_through_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with one_blas_thread():
        pass
    monkeypatch.setattr(threads, "ThreadpoolController", None)
    with one_blas_thread():
        pass


@pytest.mark.parametrize(("entries", "runs"), [(0, 1), (100, 1), (100_000, 16)])
def test_few_entries_are_one_run_of_rows(entries: int, runs: int) -> None:
    indptr = np.linspace(0, entries, 51).astype(np.int64)
    found = row_runs(indptr, 16)
    assert len(found) == runs
    assert (found[0][0], found[-1][1]) == (0, 50)


def _is_here() -> bool:
    return threading.current_thread() is threading.main_thread()


def _blas_threads() -> list[int]:
    """Of numpy, and whatever else was there when it was first asked for one thread."""
    return [each["num_threads"] for each in threads._blas().info() if each["user_api"] == "blas"]
