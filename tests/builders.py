"""Small, complete things for tests to start from; each test changes only what it is about."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.behaviour import StoredUser
from recsys.core.content_index import ContentIndex
from recsys.core.domain import Event
from recsys.core.event_types import EventType
from recsys.core.experiment_report import (
    RATES,
    ExperimentGroup,
    ExperimentReport,
    RateInterval,
    ReportedDifference,
    ReportedOutcome,
    SampleRatioMismatch,
)
from recsys.core.model import NO_NEIGHBOUR, History, ItemModel, ScoringParams, UserModel
from recsys.core.popularity_windows import PopularityWindow
from recsys.core.repurchases import Repurchases, UserRepurchases
from recsys.core.user_batch import NO_ITEM, UserBatch
from recsys.core.vocabulary import Vocabulary
from recsys.stores.manifest import Data, Evaluation, Manifest, Training, params_entry
from recsys.training.event_log import EventLog

EVENT_TYPES = {
    "view": EventType(0.2),
    "purchase": EventType(1.0, excludes=True),
    "dislike": EventType(-2.0, excludes=True),
    "impression": EventType(0.0),
    # With all that a type can be told.
    "order": EventType(
        1.0,
        excludes=True,
        half_life_days=20.0,
        quantity_exponent=0.5,
        price_exponent=0.25,
        typical_price=8.0,
    ),
    "review": EventType(0.5, rating_scale=(1.0, 5.0), rating_counts=True),
}


def an_event(**changes: object) -> Event:
    values: dict[str, object] = {
        "event_id": "e1",
        "user_id": "ann",
        "item_id": "lamp",
        "event_type": "view",
        "timestamp_ms": 1,
    }
    return Event(**(values | changes))  # type: ignore[arg-type]


def scoring_params(**changes: object) -> ScoringParams:
    values: dict[str, object] = {
        "alpha": 5.0,
        "regularization": 0.1,
        "frequency_weight": 1.0,
        "neighbour_weight": 0.0,
        "half_life_days": 180.0,
        "event_types": EVENT_TYPES,
        "as_of_ms": 1_000_000,
        "read_at_ms": 2_000_000,
        "end_ms": 3_000_000,
    }
    return ScoringParams(**(values | changes))  # type: ignore[arg-type]


def an_item_model(n: int = 6, k: int = 3, seed: int = 0, **changes: object) -> ItemModel:
    """n items i0, i1, ... with random factors, each the neighbour of the next two.

    Within a week the first was bought most, then the last; the last rises.
    """
    random = np.random.default_rng(seed)
    nearby = (
        (np.arange(n)[:, None] + np.arange(1, 3)) % n if n > 2 else np.full((n, 2), NO_NEIGHBOUR)
    )
    values: dict[str, object] = {
        "ids": Vocabulary(f"i{row}" for row in range(n)),
        "titles": tuple(f"Item {row}" for row in range(n)),
        "factors": random.normal(size=(n, k)).astype(np.float32),
        "neighbours": nearby.astype(np.int32),
        "neighbour_scores": np.where(nearby == NO_NEIGHBOUR, 0, [0.9, 0.5]).astype(np.float32),
        "order_shares": np.zeros(nearby.shape, np.float16),
        "trend": np.ones(n, np.float32),
        "popular": np.arange(n, dtype=np.int32)[::-1].copy(),
        "eligible": np.ones(n, np.bool_),
        "partners": (nearby[:, ::-1] if n > 2 else nearby).astype(np.int32),
        "rising": np.arange(0, n, 2, dtype=np.int32),
        "partner_scores": np.where(nearby == NO_NEIGHBOUR, 0, [0.4, 0.2]).astype(np.float32),
        "windows": {7: a_window([0, n - 1], [4, 3], [n - 1], [0.5], [2] * n)},
        "content": a_content_index(n),
    }
    return ItemModel(**(values | changes))  # type: ignore[arg-type]


def a_content_index(n: int) -> ContentIndex:
    """Of n items that are in two categories, in turn."""
    having = [range(0, n, 2), range(1, n, 2)]
    return ContentIndex(
        names=Vocabulary(["category\0even", "category\0odd"]),
        weights=np.ones(2, np.float32),
        indptr=np.cumsum([0, *map(len, having)]),
        items=np.concatenate([np.array(rows, np.int32) for rows in having]),
        scales=np.ones(n, np.float32),
        levels={"": np.array([10.0]), "litres": np.array([0.5, 2.0])},
    )


def a_window(
    popular: Sequence[int],
    shoppers: Sequence[int],
    rising: Sequence[int] = (),
    rises: Sequence[float] = (),
    past: Sequence[int] | None = None,
) -> PopularityWindow:
    """Rows and their shoppers, rows and their rises, and the past of all."""
    return PopularityWindow(
        np.array(popular, np.int32),
        np.array(shoppers, np.int32),
        np.array(rising, np.int32),
        np.array(rises, np.float32),
        None if past is None else np.array(past, np.int32),
    )


def a_history(
    items: Sequence[int],
    strengths: Sequence[float] | None = None,
    excluded: object = True,
    steps: Sequence[int] | None = None,
) -> History:
    """A history, by default of purchases of one piece, all at one moment."""
    return History(
        np.array(items, np.int32),
        np.array(strengths if strengths is not None else [1.0] * len(items), np.float32),
        np.broadcast_to(np.array(excluded, np.bool_), len(items)).copy(),
        np.array(steps if steps is not None else [0] * len(items), np.int32),
    )


def a_user_model(histories: Sequence[History], k: int = 3, seed: int = 1) -> UserModel:
    """Users u0, u1, ... with these histories and random factors."""
    lengths = [len(history.items) for history in histories]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    random = np.random.default_rng(seed)
    factors = random.normal(size=(len(histories), k)).astype(np.float32)
    return UserModel(
        Vocabulary(f"u{row}" for row in range(len(histories))),
        factors,
        indptr,
        _one_after_the_other(histories),
    )


def _one_after_the_other(histories: Sequence[History]) -> History:
    return History(
        np.concatenate([history.items for history in histories]),
        np.concatenate([history.strengths for history in histories]),
        np.concatenate([history.excluded for history in histories]),
        np.concatenate([history.steps for history in histories]),
    )


def repurchases(of_items: Sequence[tuple[int, int, int, int]]) -> Repurchases:
    """Rows, on how many days they were bought, the first and the last of these."""
    columns = np.array(of_items, np.int32).reshape(-1, 4).T
    return Repurchases(*(column.copy() for column in columns))


def a_user_batch(users: Mapping[str, StoredUser]) -> UserBatch:
    """The users by their ids, with lists as wide as the longest of them."""
    histories = [History.empty(), *(user.history for user in users.values())]
    lengths = np.array([len(user.items) for user in users.values()], np.int64)
    shape = len(users), int(lengths.max(initial=0))
    items, scores = np.full(shape, NO_ITEM, np.int32), np.full(shape, np.nan, np.float32)
    for row, user in enumerate(users.values()):
        items[row, : lengths[row]] = user.items
        scores[row, : lengths[row]] = user.scores
    return UserBatch(
        user_ids=list(users),
        items=items,
        scores=scores,
        lengths=lengths,
        indptr=np.cumsum([len(history.items) for history in histories]).astype(np.int64),
        histories=_one_after_the_other(histories),
        repurchases=_repurchases([user.repurchases for user in users.values()]),
    )


def _repurchases(of_users: Sequence[Repurchases]) -> UserRepurchases | None:
    if not any(len(each.items) for each in of_users):
        return None
    indptr = np.cumsum([0, *(len(each.items) for each in of_users)]).astype(np.int64)
    columns = zip(*(vars(each).values() for each in of_users), strict=True)
    return UserRepurchases(indptr, Repurchases(*map(np.concatenate, columns)))


def a_manifest(version: str = "20260101T000000Z-aaaaaaaa", **changes: object) -> Manifest:
    manifest = Manifest(
        version=version,
        tenant="shop",
        created_at="2026-01-01T00:00:00+00:00",
        recipe=params_entry(scoring_params()),
        data=Data(events=10, users=2, items=6, pairs=5, fingerprint="f"),
        training=Training(
            settings={"als": {"factors": 3, "iterations": 15, "seed": 1}},
            backend="implicit",
            device="cpu",
            versions={},
            seconds=0.1,
        ),
    )
    return manifest.model_copy(update=changes)


def an_evaluation(ndcg: float, popularity: float = 0.04, users: int = 1000) -> Evaluation:
    return Evaluation(
        split_at_ms=0,
        users=users,
        model={"ndcg_at_20": ndcg},
        popularity={"ndcg_at_20": popularity},
    )


def an_event_log(
    pairs: Sequence[tuple[str, str]],
    values: Sequence[float] | None = None,
    types: Sequence[str] | None = None,
    times: Sequence[int] | None = None,
) -> EventLog:
    """Events of these users and items, by default purchases of one piece without a time."""
    users, items = (sorted({pair[side] for pair in pairs}, reverse=True) for side in (0, 1))
    names = list(EVENT_TYPES)
    return EventLog(
        user_ids=users,
        item_ids=items,
        users=np.array([users.index(user) for user, _ in pairs], np.int32),
        items=np.array([items.index(item) for _, item in pairs], np.int32),
        values=np.array([1.0] * len(pairs) if values is None else values, np.float32),
        types=np.array([names.index(n) for n in types or ["purchase"] * len(pairs)], np.int16),
        event_types=EVENT_TYPES,
        target_types=tuple(name == "purchase" for name in names),
        timestamps_ms=None if times is None else np.array(times, np.int64),
    )


def checkerboard(size: int) -> NDArray[np.float32]:
    """Users like the items of their own colour, except the one on the diagonal that is left out.

    The answer is known: a user's best unseen item is the one on the diagonal.
    """
    users, items = np.indices((size, size))
    return (((users + items) % 2 == 0) & (users != items)).astype(np.float32)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def two_tastes_log(users: int = 40, items: int = 30, timed: bool = True, seed: int = 0) -> EventLog:
    """Shoppers of two tastes, each with some twenty items of theirs."""
    random = np.random.default_rng(seed)
    pairs = [
        (user, item)
        for user in range(users)
        for item in range(items)
        if user % 2 == item % 2 and random.random() < 0.7
    ]
    user_codes, item_codes = np.array(pairs, np.int32).T
    return EventLog(
        user_ids=[f"u{n}" for n in range(users)],
        item_ids=[f"i{n}" for n in range(items)],
        users=user_codes,
        items=item_codes,
        values=np.ones(len(pairs), np.float32),
        types=np.zeros(len(pairs), np.int16),
        event_types={"purchase": EventType(1.0, excludes=True)},
        target_types=(True,),
        timestamps_ms=random.integers(0, 100, len(pairs)) * 86_400_000 if timed else None,
    )


def a_report(**changes: object) -> ExperimentReport:
    """Of one variant, one beside it and, without an experiment, one shopper."""
    rates = dict.fromkeys(RATES, RateInterval(0.25, 0.125, 0.375))
    one = dict.fromkeys(RATES, RateInterval(0.5, None, None))
    counts = (10, 80, 20, 4, 2, 12.5)
    outcomes = (
        ReportedOutcome("home", "", "", 1, 2, 1, 1, 1, 0.5, one),
        ReportedOutcome("home", "mixed", "control", *counts, rates),
        ReportedOutcome("home", "mixed", "größer", *counts, rates),
    )
    difference = ReportedDifference("home", "mixed", "größer", "control", rates)
    groups = ExperimentGroup("control", 10, 5.0), ExperimentGroup("größer", 0, 5.0)
    report = ExperimentReport(
        1_764_208_800_000,
        1_761_789_600_000,
        1_764_208_800_000,
        outcomes,
        (difference,),
        sample_ratio_mismatches=(SampleRatioMismatch("home", "mixed", 0.0005, groups),),
    )
    return replace(report, **changes)  # type: ignore[arg-type]
