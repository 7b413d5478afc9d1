"""The evaluate step: the same settings trained on the past, judged on the newest days."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from recsys.core.confidence import MS_PER_DAY
from recsys.core.errors import NoData
from recsys.core.scoring import Scores, score_users
from recsys.stores.manifest import Evaluation
from recsys.training.build import BuiltModel
from recsys.training.evaluation import TestSet, evaluate
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.train import train_before
from spark_jobs.prepare_pairs import goal_pairs


def evaluate_candidate(context: Context) -> Evaluation:
    """Judge the candidate's settings and write the result into its manifest.

    Raises:
        NotFound: when the train step has not run.
    """
    snapshot = context.folder.snapshot()
    manifest = context.models.manifest(context.plan.tenant, context.folder.candidate())
    split_ms = int(snapshot.as_of_ms - context.plan.holdout_days * MS_PER_DAY)
    try:
        evaluation = _judge(context, split_ms)
    except NoData:
        evaluation = Evaluation(split_at_ms=split_ms, users=0, model={}, popularity={})
    context.models.save_evaluation(manifest, evaluation)
    _report(context, evaluation)
    return evaluation


def _judge(context: Context, split_ms: int) -> Evaluation:
    _, past = train_before(context, split_ms, split_ms, lambda _: None)
    pairs = goal_pairs(context.spark, context.folder.events, context.plan.shop, from_ms=split_ms)
    test = judged_pairs(past, *pairs)
    popularity = np.empty(len(past.items.ids), np.float32)
    popularity[past.items.popular] = -np.arange(len(popularity))

    def by_model(users: NDArray[np.int64]) -> Scores:
        histories = [past.users.history(user) for user in users]
        return score_users(
            past.users.factors[users],
            past.items,
            histories,
            past.neighbour_weight,
        )

    def by_popularity(users: NDArray[np.int64]) -> Scores:
        # Where the model gives no score popularity may not either: both rank the same items.
        return np.where(np.isfinite(by_model(users)), popularity, -np.inf).astype(np.float32)

    eligible = past.items.recommendable
    return Evaluation(
        split_at_ms=split_ms,
        users=len(test.users),
        model=evaluate(by_model, test, eligible),
        popularity=evaluate(by_popularity, test, eligible),
    )


def judged_pairs(
    past: BuiltModel, user_ids: NDArray[np.object_], item_ids: NDArray[np.object_]
) -> TestSet:
    """What known users turned to, among the items that the model could have recommended to them."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for user_id, item_id in zip(user_ids, item_ids, strict=True):
        user, item = past.users.ids.index_of(user_id), past.items.ids.index_of(item_id)
        if user is not None and item is not None and past.items.recommendable[item]:
            wanted[user].add(item)
    for user, items in wanted.items():
        history = past.users.history(user)
        items.difference_update(history.items[history.excluded].tolist())
    users = sorted(user for user, items in wanted.items() if items)
    relevant = [np.array(sorted(wanted[user]), np.int32) for user in users]
    return TestSet(np.array(users, np.int64), relevant)


def _report(context: Context, evaluation: Evaluation) -> None:
    if not evaluation.users:
        context.say("no user has behaviour both before and after the split: nothing to judge by")
        return
    context.say(f"{evaluation.users:,} users with a held-out future; model against popularity:")
    for name, value in evaluation.model.items():
        context.say(f"  {name:<15} {value:.4f}   {evaluation.popularity[name]:.4f}")
