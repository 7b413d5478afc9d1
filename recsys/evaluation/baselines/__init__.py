"""The models that ours is measured against: each fits pairs and gives a score function.

They rank what the model ranks; `recsys.evaluation.score_functions.masked` leaves out the
same items for all.
"""

from collections.abc import Callable

from recsys.evaluation import ScoreFunction
from recsys.training.pairs import Pairs

Baseline = Callable[[Pairs], ScoreFunction]
