"""When a fold-in happens, and that it is always the same one."""

import asyncio
from collections.abc import Iterator

import pytest

from recsys.core.model import History
from recsys.core.recommend import PersonalList, fold_in_lists
from services.recommender import fold_in_worker
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.loaded_model import LoadedModel
from tests.builders import a_history
from tests.unit.services.recommender.shop import Shop

NOTHING_HIDDEN: frozenset[int] = frozenset()
HISTORIES = [a_history([row]) for row in range(6)]


@pytest.fixture
def model() -> Iterator[LoadedModel]:
    with Shop() as shop:
        yield shop.follower.serving("shop").model


def expected(model: LoadedModel) -> list[list[int]]:
    return [
        fold_in_lists(model.items, model.params, [history], (), 3)[0].items.tolist()
        for history in HISTORIES
    ]


async def fold_in_all(worker: FoldInWorker, model: LoadedModel) -> list[list[int]]:
    """As one request, and then each alone."""

    async def ask(histories: list[History]) -> list[list[int]]:
        found = worker.submit(model, histories, NOTHING_HIDDEN, 3, within_seconds=1.0)
        lists = [each if isinstance(each, PersonalList) else await late(each) for each in found]
        return [each.items.tolist() for each in lists]

    together = await ask(HISTORIES)
    alone = await asyncio.gather(*(ask([history]) for history in HISTORIES))
    assert together == [found for [found] in alone]
    return together


async def late(coming: asyncio.Future[PersonalList] | None) -> PersonalList:
    assert coming is not None
    return await coming


@pytest.mark.parametrize("quick_seconds", [-1.0, 10.0])
def test_lists_are_the_same_on_the_event_loop_and_beside_it(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, quick_seconds: float
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", quick_seconds)

    async def run() -> list[list[list[int]]]:
        worker = FoldInWorker()
        try:
            return [await fold_in_all(worker, model) for _ in range(3)]
        finally:
            worker.close()

    assert asyncio.run(run()) == [expected(model)] * 3


def test_who_waits_shares_a_matrix_product(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", -1.0)
    sizes: list[int] = []
    fold_in = fold_in_worker._fold_in
    monkeypatch.setattr(
        fold_in_worker, "_fold_in", lambda batch: (sizes.append(len(batch)), fold_in(batch))[1]
    )

    async def run() -> None:
        worker = FoldInWorker()
        await fold_in_all(worker, model)
        worker.close()

    asyncio.run(run())
    assert sizes == [6, 6]


def test_a_failure_reaches_those_who_wait_and_the_next_one_is_served(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", -1.0)

    async def run() -> None:
        worker = FoldInWorker()
        with monkeypatch.context() as broken:
            broken.setattr(fold_in_worker, "fold_in_lists", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await fold_in_all(worker, model)
            await asyncio.sleep(0.05)
        assert await fold_in_all(worker, model) == expected(model)
        worker.close()

    asyncio.run(run())


def test_whose_turn_would_come_too_late_is_told_at_once(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_in_worker, "_QUICK_SECONDS", -1.0)

    async def run() -> list[bool]:
        worker = FoldInWorker()
        worker._seconds_a_user = 0.1
        submitted = worker.submit(model, HISTORIES, NOTHING_HIDDEN, 3, within_seconds=0.25)
        taken = [each is not None for each in submitted]
        worker.close()
        await asyncio.sleep(0)
        return taken

    assert asyncio.run(run()) == [True, True, True, False, False, False]
