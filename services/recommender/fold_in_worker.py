"""Fold-in: at once where it is quick, else beside the event loop, in batches.

In a small shop a fold-in costs less than handing it to another thread. In a large one it would keep
all others waiting; there one matrix product serves all who wait. Who would wait longer than their
time, or finds the queue full, gets the neighbours of what they had instead: a hundred times
cheaper, still personal.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from recsys.core.model import History
from recsys.core.recommend import PersonalList, fold_in_lists
from services.recommender.loaded_model import LoadedModel

MAX_WAITING = 256
# Scores of a batch are held at once: this many at most, 32 MB.
_SCORES_PER_BATCH = 8_000_000
_USERS_PER_BATCH = 32
# What the event loop may stand still for the fold-ins of one request.
_QUICK_SECONDS = 0.008
# How much a new measurement of the time a shopper takes counts beside the ones before.
_NEWEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class _Task:
    model: LoadedModel
    history: History
    hidden: Collection[int]
    n: int
    done: "asyncio.Future[PersonalList]"


class FoldInWorker:
    """One thread that folds in; make it inside the running event loop."""

    def __init__(self) -> None:
        self._waiting: deque[_Task] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fold-in")
        self._working: asyncio.Task[None] | None = None
        self._seconds_a_user = 0.0

    def submit(
        self,
        model: LoadedModel,
        histories: Sequence[History],
        hidden: Collection[int],
        n: int,
        within_seconds: float,
    ) -> "Sequence[PersonalList | asyncio.Future[PersonalList] | None]":
        """The lists of some shoppers, now or later; None for whom it would be too late."""
        if len(histories) * model.fold_in_seconds <= _QUICK_SECONDS:
            return [_at_hand(each) for each in _fold_in_each(model, histories, hidden, n)]
        loop = asyncio.get_running_loop()
        tasks = [_Task(model, each, hidden, n, loop.create_future()) for each in histories]
        return [task.done if self._queue(task, within_seconds) else None for task in tasks]

    def _queue(self, task: _Task, within_seconds: float) -> bool:
        ahead = len(self._waiting)
        if ahead >= MAX_WAITING or ahead * self._seconds_a_user > within_seconds:
            return False
        self._waiting.append(task)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return True

    def close(self) -> None:
        if self._working is not None:
            self._working.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = self._next_batch()
            begun = loop.time()
            lists = await loop.run_in_executor(self._thread, _fold_in, batch)
            self._learn((loop.time() - begun) / len(batch))
            for task, found in zip(batch, lists, strict=True):
                _settle(task.done, found)
        self._working = None

    def _next_batch(self) -> list[_Task]:
        """As many as fit and agree on model, hidden items and length."""
        first = self._waiting.popleft()
        most = max(
            1, min(_USERS_PER_BATCH, _SCORES_PER_BATCH // max(1, len(first.model.items.ids)))
        )
        batch = [first]
        while len(batch) < most and self._waiting and _fit_together(first, self._waiting[0]):
            batch.append(self._waiting.popleft())
        return batch

    def _learn(self, seconds: float) -> None:
        self._seconds_a_user += _NEWEST_SHARE * (seconds - self._seconds_a_user)


def _fold_in(batch: list[_Task]) -> "list[PersonalList | Exception]":
    first = batch[0]
    return _fold_in_each(first.model, [task.history for task in batch], first.hidden, first.n)


def _fold_in_each(
    model: LoadedModel, histories: Sequence[History], hidden: Collection[int], n: int
) -> "list[PersonalList | Exception]":
    """All at once; each alone where that fails, so that one history takes no other with it."""
    try:
        return [*fold_in_lists(model.items, model.params, histories, hidden, n)]
    except Exception as error:
        if len(histories) == 1:
            return [error]
        return [one for each in histories for one in _fold_in_each(model, [each], hidden, n)]


def _fit_together(one: _Task, other: _Task) -> bool:
    return one.model is other.model and one.hidden is other.hidden and one.n == other.n


def _at_hand(found: PersonalList | Exception) -> "PersonalList | asyncio.Future[PersonalList]":
    if isinstance(found, PersonalList):
        return found
    failed: asyncio.Future[PersonalList] = asyncio.get_running_loop().create_future()
    _settle(failed, found)
    return failed


def _settle(done: "asyncio.Future[PersonalList]", found: PersonalList | Exception) -> None:
    if done.done():
        return
    if isinstance(found, PersonalList):
        done.set_result(found)
    else:
        done.set_exception(found)
