"""How good lists are on the future they did not see, and how sure that is."""

from recsys.evaluation.held_out import NO_ITEM, Lists, TestSet
from recsys.evaluation.intervals import Estimate, mean_interval, paired_difference
from recsys.evaluation.ranked_lists import ScoreFunction, evaluate, top_k_lists
from recsys.evaluation.report import Behaviour, Report, judge

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
