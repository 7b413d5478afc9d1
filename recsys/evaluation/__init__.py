"""Quality of lists on held-out behaviour, with confidence intervals.

From a log of events to a comparison, as `recsys evaluate` does it. The log is of a file, read by
`recsys.evaluation.files.event_file.read_event_files`, or `open_workplace().last_run().log`:

    from recsys.config.shop import load_shop
    from recsys.evaluation.baselines.by_name import BASELINES
    from recsys.training.build import build_model
    from recsys.training.settings import ModelSettings

    split = split_log(log, SplitMethod.LEAVE_LAST_OUT)
    data = evaluation_data(split, load_shop(), with_sequences=True)
    built = build_model(data.pairs, ("",) * len(data.pairs.items), data.eligible, ModelSettings())
    ours = evaluate_model("model", built, data, k=(10, 20))
    theirs = evaluate_baseline("ease", BASELINES["ease"], data, k=(10, 20))
    ours.report.minus(theirs.report)["ndcg_at_10"]

The model's parts are in `ablation`; docs/how-to/work-with-models-in-python.md goes on from here.
"""

from recsys.evaluation.data import EvaluationData, Mask, evaluation_data, masked_by
from recsys.evaluation.held_out import NO_ITEM, RankedLists, TestSet
from recsys.evaluation.intervals import Estimate, mean_interval, paired_difference
from recsys.evaluation.model_results import (
    ModelResult,
    evaluate_baseline,
    evaluate_cold_users,
    evaluate_model,
)
from recsys.evaluation.protocol import Split, SplitMethod, given_split, split_log
from recsys.evaluation.ranked_lists import ScoreFunction, evaluate, top_k_lists
from recsys.evaluation.relation import Relation
from recsys.evaluation.report import Behaviour, Report, evaluate_lists

__all__ = [
    "NO_ITEM",
    "Behaviour",
    "Estimate",
    "EvaluationData",
    "Mask",
    "ModelResult",
    "RankedLists",
    "Relation",
    "Report",
    "ScoreFunction",
    "Split",
    "SplitMethod",
    "TestSet",
    "evaluate",
    "evaluate_baseline",
    "evaluate_cold_users",
    "evaluate_lists",
    "evaluate_model",
    "evaluation_data",
    "given_split",
    "masked_by",
    "mean_interval",
    "paired_difference",
    "split_log",
    "top_k_lists",
]
