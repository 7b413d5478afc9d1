"""How good lists are on the future they did not see, and how sure that is."""

from recsys.training.evaluation.held_out import NO_ITEM, Lists, TestSet
from recsys.training.evaluation.intervals import Estimate, mean_interval, paired_difference
from recsys.training.evaluation.ranked_lists import ScoreFunction, evaluate, top_k_lists
from recsys.training.evaluation.report import Behaviour, Report, judge

__all__ = [
    "NO_ITEM",
    "Behaviour",
    "Estimate",
    "Lists",
    "Report",
    "ScoreFunction",
    "TestSet",
    "evaluate",
    "judge",
    "mean_interval",
    "paired_difference",
    "top_k_lists",
]
