"""The evaluate step: the same settings trained on the past, evaluated on the newest days."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from recsys.config.faults import fault_text
from recsys.core.errors import ConfigurationError, InvalidModel, NoData
from recsys.core.wording import pluralize
from recsys.evaluation import Behaviour, Report, TestSet, evaluate_lists, top_k_lists
from recsys.evaluation.cold_items import cold_item_metrics
from recsys.evaluation.model_lists import model_lists
from recsys.evaluation.result_table import aligned, metric_rows
from recsys.evaluation.score_functions import (
    by_rank,
    has_behaviour,
    is_known,
    masked,
)
from recsys.evaluation.splits import rows_of
from recsys.stores.manifest import Evaluation, Manifest
from recsys.training.build import BuiltModel
from recsys.training.settings import ModelSettings, settings_of_entry
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.prepare_pairs import relevant_pairs
from spark_jobs.nightly.train import train_before


@dataclass(frozen=True)
class _Judged:
    """Results on the held-out days; no reports when they have no relevant items."""

    model: Report | None = None
    popularity: Report | None = None
    cold_items: Mapping[str, Report] = field(default_factory=dict)


def evaluate_candidate(context: Context) -> Evaluation:
    """Judge the candidate's settings and write the result into its manifest.

    Raises:
        NotFound: when the train step has not run.
        InvalidModel: the settings of the candidate make no sense.
    """
    snapshot = context.folder.snapshot()
    manifest = context.models.manifest(context.plan.tenant, context.folder.candidate())
    settings = trained_settings(manifest)
    split_ms = snapshot.shop_time.days_before(context.holdout_days)
    try:
        judged = _judge(context, settings, split_ms)
    except NoData:
        judged = _Judged()
    evaluation = Evaluation(
        split_at_ms=split_ms,
        holdout_days=context.holdout_days,
        users=len(judged.model.users) if judged.model else 0,
        model=_finite(judged.model),
        popularity=_finite(judged.popularity),
        cold_items={name: _finite(report) for name, report in judged.cold_items.items()},
    )
    context.models.amend(manifest, evaluation=evaluation)
    _report(context, judged)
    return evaluation


def trained_settings(manifest: Manifest) -> ModelSettings:
    """Read the settings that a version was trained with. Raises InvalidModel."""
    try:
        return settings_of_entry(manifest.training.settings)
    except ValidationError as error:
        reason = fault_text(error.errors()[0])
    except ConfigurationError as error:
        reason = str(error)
    raise InvalidModel(
        f"the manifest of {manifest.version} is damaged: training.settings.{reason};"
        " `recsys nightly train` makes a new version"
    )


def _judge(context: Context, settings: ModelSettings, split_ms: int) -> _Judged:
    shop_time = context.folder.snapshot().shop_time.until(split_ms)
    pairs, past = train_before(context, settings, split_ms, shop_time, lambda _: None)
    users, items = relevant_pairs(
        context.spark, context.folder.events, context.plan.shop, from_ms=split_ms
    )
    test = judged_pairs(
        past,
        rows_of(past.users.ids, users.ids)[users.codes],
        rows_of(past.items.ids, items.ids)[items.codes],
    )
    popularity = masked(by_rank(past.items.popular), pairs, past.items.recommendable)
    popular = top_k_lists(popularity, test)
    # A user whose behaviour cancels out is answered with popular items, and judged by them.
    known = is_known(test.users, has_behaviour(pairs))
    lists = popular.copy()
    lists[known] = model_lists(past, test.only(known))
    behaviour = Behaviour(pairs.matrix(), past.items.recommendable)
    content = context.folder.catalogue().content_of(past.items.ids, split_ms)
    shoppers = behaviour.matrix.getnnz(axis=0)
    return _Judged(
        evaluate_lists(lists, test, behaviour),
        evaluate_lists(popular, test, behaviour),
        cold_item_metrics(past, shoppers, content, test),
    )


def judged_pairs(
    past: BuiltModel, user_rows: NDArray[np.int64], item_rows: NDArray[np.int64]
) -> TestSet:
    """Relevant items of known users, among those that the model could have recommended to them."""
    known_users, known_items = len(past.users.ids), len(past.items.ids)
    known = (user_rows < known_users) & (item_rows < known_items)
    users, items = user_rows[known], item_rows[known]
    histories = past.users.histories
    owners = np.repeat(np.arange(known_users), np.diff(past.users.indptr))
    never = (owners * known_items + histories.items)[histories.excluded]
    possible = past.items.recommendable[items] & ~np.isin(users * known_items + items, never)
    return TestSet.from_pairs(users[possible], items[possible], known_users, known_items)


def _finite(report: Report | None) -> dict[str, float]:
    means = report.means if report else {}
    return {name: value for name, value in means.items() if np.isfinite(value)}


def _report(context: Context, judged: _Judged) -> None:
    if judged.model is None or judged.popularity is None or not len(judged.model.users):
        goals = ", ".join(context.plan.shop.target_types)
        context.say(
            f"nothing to evaluate on: no user who is known before the held-out days has a target"
            f" event ({goals}) in them, of an item that could be recommended to this user"
        )
        return
    context.say(f"{pluralize(len(judged.model.users), 'user')} with held-out events:")
    rows = metric_rows({"model": judged.model, "popularity": judged.popularity})
    for line in aligned(rows):
        context.say(f"  {line}")
    if judged.cold_items:
        users = len(judged.cold_items["model"].users)
        context.say(
            f"{users:,} of them wanted items that nobody had touched before; of these alone:"
        )
        for line in aligned(metric_rows(judged.cold_items)):
            context.say(f"  {line}")
