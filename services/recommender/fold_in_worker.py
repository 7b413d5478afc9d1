"""Fold-in: at once where it is quick, else beside the event loop, in batches.

A few fold-ins cost less than handing them to another thread. Many, or those of a model with many
factors, would keep all others waiting. Who would wait longer than their time, or finds the queue
full, gets the neighbours of what they had instead: cheaper, still personal.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from recsys.core.limits import MAX_LIMIT
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.lists import PersonalList
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list, neighbour_list

MAX_WAITING = 256
# Enough to share what handing them over costs.
_USERS_PER_BATCH = 32
# What the event loop may stand still for the fold-ins of one request.
_QUICK_SECONDS = 0.008
# How much a new measurement of the time a user takes counts beside the ones before.
_NEWEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class _Task:
    model: ServingModel
    user: ActiveUser
    done: "asyncio.Future[PersonalList]"


class FoldInWorker:
    """One thread that folds in; make it inside the running event loop."""

    def __init__(self) -> None:
        self._waiting: deque[_Task] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fold-in")
        self._working: asyncio.Task[None] | None = None
        self._seconds_per_user = 0.0
        # The event loop and the thread write at the same time.
        self._at_once, self._beside = Scratch(), Scratch()

    def submit(
        self,
        model: ServingModel,
        users: Sequence[ActiveUser],
        seconds_each: float,
        within_seconds: float,
    ) -> "Sequence[PersonalList | asyncio.Future[PersonalList]]":
        """The lists of some users, now or later; of neighbours where it would be too late.

        Args:
            seconds_each: what a fold-in takes, as measured beforehand.
            within_seconds: how long somebody waits for the lists.
        """
        if len(users) * seconds_each <= _QUICK_SECONDS:
            return [_at_hand(_fold_in_one(model, user, self._at_once)) for user in users]
        loop = asyncio.get_running_loop()
        tasks = [_Task(model, each, loop.create_future()) for each in users]
        return [
            task.done if self._queue(task, within_seconds) else self._neighbours(task)
            for task in tasks
        ]

    def _neighbours(self, task: _Task) -> PersonalList:
        return neighbour_list(task.model, task.user, MAX_LIMIT, self._at_once)

    def _queue(self, task: _Task, within_seconds: float) -> bool:
        ahead = len(self._waiting)
        if ahead >= MAX_WAITING or ahead * self._seconds_per_user > within_seconds:
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
            lists = await loop.run_in_executor(self._thread, _fold_in, batch, self._beside)
            self._learn((loop.time() - begun) / len(batch))
            for task, found in zip(batch, lists, strict=True):
                _settle(task.done, found)
        self._working = None

    def _next_batch(self) -> list[_Task]:
        count = min(len(self._waiting), _USERS_PER_BATCH)
        return [self._waiting.popleft() for _ in range(count)]

    def _learn(self, seconds: float) -> None:
        self._seconds_per_user += _NEWEST_SHARE * (seconds - self._seconds_per_user)


def _fold_in(batch: list[_Task], scratch: Scratch) -> "list[PersonalList | Exception]":
    return [_fold_in_one(task.model, task.user, scratch) for task in batch]


def _fold_in_one(
    model: ServingModel, user: ActiveUser, scratch: Scratch
) -> "PersonalList | Exception":
    """A history that cannot be folded in takes no other with it."""
    try:
        return fold_in_list(model, user, MAX_LIMIT, scratch)
    except Exception as error:
        return error


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
