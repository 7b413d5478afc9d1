"""The next item of a sequence, by the strict protocol: `python -m benchmarks.bench_sequences FILE`.

A line of the file is a user and then the user's items in the order of time, separated by spaces, as
the public copies of Amazon's and Yelp's reviews come in. Nothing is learnt from the last two items
of a user but settings, which are chosen by the last but one; the history that is scored has all but
the last, which is the test, ranked among all items that the user has not had. That is how SASRec
(Kang & McAuley, 2018), S3-Rec (Zhou et al., 2020) and TIGER (Rajput et al., 2023) report theirs.
"""

import argparse
import gzip
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from recsys.config.shop import load_shop
from recsys.core.event_types import EventType
from recsys.core.model import UserModel
from recsys.evaluation import TestSet, evaluate_lists
from recsys.evaluation.model_lists import model_lists
from recsys.training.als import project_users
from recsys.training.build import BuiltModel, build_model
from recsys.training.event_log import EventLog, pairs_of
from recsys.training.interactions import InteractionMatrix
from recsys.training.settings import ModelSettings
from recsys.tuning import PLANS, FitEffort, fit_settings, hold_out

_DAY_MS = 86_400_000
# One to learn from, one to choose settings by, one to test with.
_MIN_ITEMS = 3


def main() -> None:
    """Judge the model on each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="text, one user a line")
    parser.add_argument(
        "--fit-settings", type=FitEffort, default=FitEffort.QUICK, help="off, quick or thorough"
    )
    arguments = parser.parse_args()
    # All are looked at before the first one is judged, for hours maybe.
    read = [(path.name, sequences_of(path)) for path in arguments.files]
    print(machine())
    for name, sequences in read:
        report(name, sequences, arguments.fit_settings)


def sequences_of(path: Path) -> list[list[str]]:
    """Read the items of each user; ends the program at a line that is no sequence."""
    found = []
    try:
        for number, line in enumerate(lines_of(path), 1):
            _, *items = line.split() or [""]
            if len(items) < _MIN_ITEMS:
                raise SystemExit(
                    f"{path}, line {number}: expected a user and {_MIN_ITEMS} items or more,"
                    f" separated by spaces, and not {line.strip()[:60]!r}"
                )
            found.append(items)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None
    if not found:
        raise SystemExit(f"{path} has no line")
    return found


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a text file, gzipped or not."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from file


def report(name: str, sequences: list[list[str]], effort: FitEffort) -> None:
    """Fit, train, judge and print."""
    started = time.perf_counter()
    known = log_of([sequence[:-1] for sequence in sequences])
    settings = ModelSettings()
    if effort is not FitEffort.OFF:
        validation = hold_out(known, load_shop(), settings, PLANS[effort].size)
        settings = fit_settings(validation, settings, effort, say=print).settings
    model = model_of(sequences, settings)
    test = last_items(sequences, model)
    lists = model_lists(model, test, 20)
    print(f"{name}: {len(test):,} users, {time.perf_counter() - started:.0f} s, {settings}")
    for k in (10, 20):
        means = evaluate_lists(lists, test, k=k).means
        print(f"  recall@{k} {means[f'recall_at_{k}']:.4f}  ndcg@{k} {means[f'ndcg_at_{k}']:.4f}")


def log_of(sequences: list[list[str]]) -> EventLog:
    """Events a day apart, whose times are only an order."""
    users = [f"u{number:08}" for number in range(len(sequences))]
    codes: dict[str, int] = {}
    items = [codes.setdefault(item, len(codes)) for sequence in sequences for item in sequence]
    lengths = [len(sequence) for sequence in sequences]
    days = [day for length in lengths for day in range(length)]
    return EventLog(
        user_ids=users,
        item_ids=list(codes),
        users=np.repeat(np.arange(len(sequences)), lengths).astype(np.int32),
        items=np.array(items, np.int32),
        values=np.ones(len(items), np.float32),
        types=np.zeros(len(items), np.int16),
        event_types={"purchase": EventType(1.0, excludes=True)},
        target_types=(True,),
        timestamps_ms=np.array(days, np.int64) * _DAY_MS,
        has_ages=False,
    )


def model_of(sequences: list[list[str]], settings: ModelSettings) -> BuiltModel:
    """Items learnt without the last two of each user, users by all but their last."""
    learnt = pairs_of(log_of([sequence[:-2] for sequence in sequences]), *settings.half_lives)
    titles, eligible = ("",) * len(learnt.items), np.ones(len(learnt.items), np.bool_)
    built = build_model(learnt, titles, eligible, settings)
    scored = in_rows_of(
        learnt, pairs_of(log_of([sequence[:-1] for sequence in sequences]), *settings.half_lives)
    )
    users = np.zeros((len(scored.users), settings.als.factors), np.float32)
    trained = project_users(
        replace(built.trained, user_factors=users),
        scored.faded_matrix(settings.step_half_life),
        settings.als,
    )
    return replace(
        built,
        items=replace(built.items, factors=trained.item_factors),
        users=UserModel(scored.users, trained.user_factors, scored.indptr, scored.histories()),
        trained=trained,
    )


def in_rows_of(learnt: InteractionMatrix, pairs: InteractionMatrix) -> InteractionMatrix:
    """Pairs over the items that were learnt; others are left out."""
    rows = [learnt.items.index_of(item) for item in pairs.items]
    places = np.array([-1 if row is None else row for row in rows], np.int32)[pairs.item_indices]
    kept = places >= 0
    owners = np.repeat(np.arange(len(pairs.users)), np.diff(pairs.indptr))[kept]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(pairs.users)))])
    return InteractionMatrix(
        users=pairs.users,
        items=learnt.items,
        indptr=indptr.astype(np.int64),
        item_indices=places[kept],
        strengths=pairs.strengths[kept],
        recent_strengths=pairs.recent_strengths[kept],
        excluded=pairs.excluded[kept],
        steps=pairs.steps[kept],
        found_lately=learnt.found_lately,
    )


def last_items(sequences: list[list[str]], model: BuiltModel) -> TestSet:
    """The test: an item that was not learnt cannot be hit, and counts."""
    users, items = [], []
    for number, sequence in enumerate(sequences):
        row = model.users.ids.index_of(f"u{number:08}")
        item = model.items.ids.index_of(sequence[-1])
        if row is not None:
            users.append(row)
            items.append(len(model.items.ids) + number if item is None else item)
    return TestSet.from_pairs(
        np.array(users), np.array(items), len(model.users.ids), len(model.items.ids)
    )


if __name__ == "__main__":
    main()
