"""When a fold-in happens, and that it is always the same one."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from recsys.core.limits import MAX_LIMIT
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.lists import PersonalList, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list
from services.recommender import fold_in_worker
from services.recommender.fold_in_worker import FoldInWorker
from tests.builders import a_history
from tests.unit.services.recommender.shop import Shop

USERS = [ActiveUser.of(a_history([row]), None) for row in range(6)]


@pytest.fixture
def model() -> Iterator[ServingModel]:
    with Shop() as shop:
        yield shop.follower.serving("shop").now


def expected(model: ServingModel) -> list[list[int]]:
    return [best_of(model, user) for user in USERS]


def best_of(model: ServingModel, user: ActiveUser) -> list[int]:
    found = fold_in_list(model, user, MAX_LIMIT, Scratch())
    return found.items.tolist()


async def fold_in_all(worker: FoldInWorker, model: ServingModel) -> list[list[int]]:
    """As one request, and then each alone."""

    async def ask(users: list[ActiveUser]) -> list[list[int]]:
        found = worker.submit(model, users, 0.0, within_seconds=1.0)
        lists = [each if isinstance(each, PersonalList) else await each for each in found]
        return [each.items.tolist() for each in lists]

    together = await ask(USERS)
    alone = await asyncio.gather(*(ask([user]) for user in USERS))
    assert together == [found for [found] in alone]
    return together


@pytest.mark.parametrize("quick_seconds", [-1.0, 10.0])
def test_lists_are_the_same_on_the_event_loop_and_beside_it(
    model: ServingModel, monkeypatch: pytest.MonkeyPatch, quick_seconds: float
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", quick_seconds)

    async def run() -> list[list[list[int]]]:
        worker = FoldInWorker()
        try:
            return [await fold_in_all(worker, model) for _ in range(3)]
        finally:
            worker.close()

    assert asyncio.run(run()) == [expected(model)] * 3


def test_who_waits_is_handed_over_with_the_others(
    model: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", -1.0)
    sizes: list[int] = []
    fold_in = fold_in_worker._fold_in

    def counted(batch: Any, scratch: Scratch) -> Any:
        sizes.append(len(batch))
        return fold_in(batch, scratch)

    monkeypatch.setattr(fold_in_worker, "_fold_in", counted)

    async def run() -> None:
        worker = FoldInWorker()
        await fold_in_all(worker, model)
        worker.close()

    asyncio.run(run())
    assert sizes == [6, 6]


def test_a_failure_reaches_those_who_wait_and_the_next_one_is_served(
    model: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", -1.0)

    async def run() -> None:
        worker = FoldInWorker()
        with monkeypatch.context() as broken:
            broken.setattr(fold_in_worker, "fold_in_list", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await fold_in_all(worker, model)
            await asyncio.sleep(0.05)
        assert await fold_in_all(worker, model) == expected(model)
        worker.close()

    asyncio.run(run())


def test_whose_turn_would_come_too_late_gets_neighbours_at_once(
    model: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", -1.0)

    async def run() -> list[bool]:
        worker = FoldInWorker()
        worker._seconds_per_user = 0.1
        submitted = worker.submit(model, USERS, 0.0, within_seconds=0.25)
        taken = [not isinstance(each, PersonalList) for each in submitted]
        for each in submitted:
            assert not isinstance(each, PersonalList) or each.source is Source.NEIGHBOURS
        worker.close()
        await asyncio.sleep(0)
        return taken

    assert asyncio.run(run()) == [True, True, True, False, False, False]
