"""`recsys evaluate`: how good the model is on data that somebody else has split."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recsys.evaluation.baselines import Baseline
from recsys.evaluation.baselines.implicit_als import implicit_als
from recsys.evaluation.baselines.item_knn import item_knn
from recsys.evaluation.baselines.popularity import popularity
from recsys.evaluation.data import Mask
from recsys.evaluation.result import Outcome
from recsys.runtime.shop import load_shop
from recsys.training.settings import ModelSettings
from spark_jobs.cli.output import check_output, say
from spark_jobs.file_evaluation.run import Request, Tuning, evaluate_files
from spark_jobs.mllib_baseline import mllib_als
from spark_jobs.session import spark_session
from spark_jobs.settings import ShopSettings, SparkSettings, load


class BaselineName(StrEnum):
    """What the model can be set beside; mllib starts Spark and is slow."""

    POPULARITY = "popularity"
    ITEM_KNN = "item-knn"
    IMPLICIT = "implicit"
    MLLIB = "mllib"


_IN_PROCESS: Mapping[BaselineName, Baseline] = {
    BaselineName.POPULARITY: popularity,
    BaselineName.ITEM_KNN: item_knn,
    BaselineName.IMPLICIT: implicit_als,
}


def evaluate(
    train: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Events to train on.")],
    test: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Events to judge by, only read then.")
    ],
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where to write the results as JSON.")
    ] = None,
    baseline: Annotated[
        list[BaselineName] | None,
        typer.Option(help="What to set beside the model; repeat. By default all but mllib."),
    ] = None,
    no_baselines: Annotated[bool, typer.Option("--no-baselines", help="The model alone.")] = False,
    mask: Annotated[
        Mask,
        typer.Option(
            help="What users are not shown again: all their items of training, or those with an"
            " event whose type excludes."
        ),
    ] = Mask.ALL,
    tune_minutes: Annotated[
        float | None,
        typer.Option(min=0.0, help="Search for better settings so long, on a part of --train."),
    ] = None,
    tune_journal: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="A file that keeps the trials: the same command with it goes on searching.",
        ),
    ] = None,
) -> None:
    """Train on one file, judge by another, set baselines beside it.

    CSV (also .gz) or Parquet with the columns user_id and item_id, and if you like event_type,
    timestamp (ISO 8601, seconds or milliseconds since 1970) and value, which multiplies the
    event's weight. Repeated pairs add up; without timestamps nothing decays. What event types
    count, and which ones the test is judged by, is in the file RECSYS_SHOP_CONFIG names.

    All items of training are ranked for every user who is in both files. recall_at_20 is hits in
    the first 20 over the user's test items, ndcg_at_20 has its ideal cut at min(20, test items);
    means over users, with 95 % intervals.

    Example: recsys evaluate --train train.csv --test test.csv --output result.json
    """
    if output:
        check_output(output)
    shop = load_shop(load(ShopSettings).shop_config)
    tuning = None if tune_minutes is None else Tuning(60 * tune_minutes, tune_journal)
    now_ms = int(time.time() * 1000)
    request = Request(train, test, shop, ModelSettings(), mask, now_ms, tuning)

    def keep(outcome: Outcome) -> None:
        try:
            if output:
                outcome.save(output)
        except OSError:
            # What took long to find is not lost for want of a place.
            _print(outcome)
            raise

    names = [] if no_baselines else baseline or list(_IN_PROCESS)
    with _baselines(names) as baselines:
        outcome = evaluate_files(request, baselines, say, keep)
    _print(outcome)


def _print(outcome: Outcome) -> None:
    for line in outcome.lines():
        print(line)


@contextmanager
def _baselines(names: list[BaselineName]) -> Iterator[dict[str, Baseline]]:
    """The baselines by name, each once, and a Spark session where one needs it."""
    chosen = dict.fromkeys(names)
    found = {name.value: _IN_PROCESS[name] for name in chosen if name in _IN_PROCESS}
    if BaselineName.MLLIB not in chosen:
        yield found
        return
    with spark_session(load(SparkSettings), "recsys evaluate") as spark:
        yield found | {BaselineName.MLLIB.value: mllib_als(spark)}
