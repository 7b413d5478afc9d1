"""The same list for everybody: what most users want."""

from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.evaluation.score_functions import by_rank
from recsys.training.interactions import InteractionMatrix
from recsys.training.popularity import popular_items


def popularity(pairs: InteractionMatrix) -> ScoreFunction:
    """By the number of users who had an item; in data with time, of those who had it lately."""
    return by_rank(popular_items(pairs))
