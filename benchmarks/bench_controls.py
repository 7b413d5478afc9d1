"""What filters, rules and diversity cost a recommender: `python -m benchmarks.bench_controls`.

The answers of a recommender, from the question as it comes off the wire to the bytes as they go
back, without gRPC and Redis: of active users, whose lists are folded in anew each time, by a model
and a live catalogue of made-up items. Each line says more than the one above it. CPU is that of the
process, all threads, by the number of answers, in batches as a gateway under load sends them.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from benchmarks.machine import machine
from benchmarks.serving.made_up_shop import MadeUpShop, catalogue, made_up_items, scoring_params
from recsys.core.behaviour import RecentEvent, RecentEvents, StoredUser
from recsys.core.catalogue import CatalogueColumns
from recsys.core.limits import MAX_LIMIT
from recsys.core.model import History
from recsys.core.ports import ReadUser, UserLookup
from recsys.core.serving.controls import Boost, Controls, Exclusion
from recsys.core.serving.live_windows import LiveWindows
from recsys.core.serving.request import FOR_USER, RecommendationRequest, UserTarget
from recsys.rpc.questions import write_question
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.gc import tune_gc
from recsys.runtime.metrics import new_metrics
from recsys.stores.documents import decode_row, item_document
from services.recommender.answer_batch import BatchAnswers
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.answer_cache import BoundedCache
from services.recommender.model.calibration import fold_in_seconds
from services.recommender.model.serving import LoadedModel, Serving
from services.recommender.model.shown_items import ShownItems
from services.recommender.user_lists import UserLists

TENANT, LIMIT = "bench", 20
# As many questions come in a message under load, see `docs/benchmarks.md`.
_BATCH = 32
_USERS = 2000
_HISTORY, _VIEWS = 50, 3
# Half of the items pass the first, a tenth or a hundredth the others.
_FILTER = "price < 50"
_RULES = Controls(
    max_per_brand=2,
    max_per_category=3,
    boosts=(Boost('category = "c1"', 1.5, "spring"), Boost('brand = "b2"', 0.5, "overstock")),
    exclusions=(Exclusion('category = "c3"', "not here"),),
)
_STEPS: Mapping[str, tuple[str, Controls | None]] = {
    "plain": ("", None),
    "a filter": (_FILTER, None),
    "and caps, boosts, an exclusion": (_FILTER, _RULES),
    "and diversity": (_FILTER, replace(_RULES, diversity=0.5)),
    "and reasons": (_FILTER, replace(_RULES, diversity=0.5, explain=True)),
}


@dataclass
class _OneModel:
    """A follower that follows nothing."""

    served: Serving

    def serving(self, tenant: str) -> Serving:
        del tenant
        return self.served


class _Users:
    """Reads users who did something since the training, each time something else."""

    def __init__(self, items: int) -> None:
        self._random = np.random.default_rng(1)
        self._items = items
        self._stored = {f"u{number}": self._made_up() for number in range(_USERS)}
        self._reads = 0

    async def users(self, wanted: Sequence[UserLookup]) -> list[ReadUser]:
        return [self._read(user) for user in wanted]

    def _read(self, wanted: UserLookup) -> ReadUser:
        self._reads += 1
        rows = self._random.integers(0, self._items, _VIEWS).tolist()
        events = tuple(
            RecentEvent(f"item-{row:07}", "view", self._reads, self._reads) for row in rows
        )
        return ReadUser(self._stored[wanted.user_id], RecentEvents(events, list))

    def _made_up(self) -> StoredUser:
        rows = np.sort(self._random.choice(self._items, _HISTORY + 100, replace=False))
        history = History(
            rows[:_HISTORY].astype(np.int32),
            np.ones(_HISTORY, np.float32),
            self._random.random(_HISTORY) < 0.3,
            np.arange(_HISTORY, dtype=np.int32),
        )
        return StoredUser(rows[_HISTORY:].astype(np.int32), np.ones(100, np.float32), history)


def serving_of(items: int, factors: int) -> Serving:
    """A model of made-up items, and their live catalogue."""
    shop = MadeUpShop(0, items, factors)
    model, columns = made_up_items(shop, np.random.default_rng(0)), CatalogueColumns()
    for item in catalogue(shop):
        columns.update({item.item_id: decode_row(item_document(item))})
    params, shown = scoring_params(trained_ms=0), ShownItems(model)
    loaded = LoadedModel(
        version="bench",
        items=model,
        params=params,
        fold_in_seconds=fold_in_seconds(model, params, MAX_LIMIT),
        shown=shown,
        windows=LiveWindows(model, shown.row_of),
        # Every list is made anew.
        users=BoundedCache(0),
        similar=BoundedCache(0),
    )
    return Serving.of(loaded, columns)


def questions(number: int, text: str, controls: Controls | None) -> Iterator[pb.Question]:
    """A batch of questions about users."""
    plain = text == "" and controls is None
    for place in range(_BATCH):
        user = UserTarget(f"u{(number * _BATCH + place) % _USERS}")
        placement = () if plain else FOR_USER
        request = RecommendationRequest(
            TENANT, user, LIMIT, placement, filter=text, controls=controls
        )
        question = pb.Question(number=place, tenant=TENANT, budget_ms=1000)
        write_question(question, request)
        yield question


async def measure(answers: BatchAnswers, step: str, batches: int) -> float:
    """CPU microseconds an answer. Raises SystemExit for one that is none."""
    asked = [list(questions(number, *_STEPS[step])) for number in range(batches)]
    begun = time.process_time()
    for batch in asked:
        quick, slow = await answers.to(batch)
        given = [*quick, *await asyncio.gather(*slow)]
        if any(not answer.json or answer.degraded for answer in given):
            raise SystemExit(f"{step}: not answered")
    return 1e6 * (time.process_time() - begun) / (batches * _BATCH)


async def table(items: int, factors: int, rounds: int, batches: int) -> dict[str, list[float]]:
    """CPU microseconds of each step, once a round."""
    fold_ins, users = FoldInWorker(), _Users(items)
    lists = UserLists(users, fold_ins, new_metrics())  # type: ignore[arg-type]  # reads only users
    answers = BatchAnswers(_OneModel(serving_of(items, factors)), lists)  # type: ignore[arg-type]
    try:
        for step in _STEPS:
            # Compiles, and makes what is kept as long as the catalogue does not change.
            await measure(answers, step, batches)
        # As a recommender does.
        tune_gc()
        found: dict[str, list[float]] = {step: [] for step in _STEPS}
        for _ in range(rounds):
            for step, each in found.items():
                each.append(await measure(answers, step, batches))
    finally:
        fold_ins.close()
    return found


def main() -> None:
    """Measure shops of several sizes."""
    defaults = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=defaults)
    parser.add_argument("--items", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=20, help="of 32 answers, a step and round")
    arguments = parser.parse_args()
    print(f"k={arguments.factors}; {machine(('numpy', 'numba'))}\n")
    found = [
        asyncio.run(table(items, arguments.factors, arguments.rounds, arguments.batches))
        for items in arguments.items
    ]
    sizes = " | ".join(f"{items:,} items: CPU us (range)" for items in arguments.items)
    print(f"| an answer of {LIMIT} | {sizes} |\n{'|---' * (1 + len(found))}|")
    for step in _STEPS:
        cells = (
            f"{median(one[step]):.0f} ({min(one[step]):.0f} to {max(one[step]):.0f})"
            for one in found
        )
        print(f"| {step} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
