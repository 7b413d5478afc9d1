"""All baselines that need no Spark, by the names of `recsys evaluate --baseline`."""

from collections.abc import Mapping

from recsys.evaluation.baselines import Baseline, of_pairs
from recsys.evaluation.baselines.ease import check_size, ease
from recsys.evaluation.baselines.implicit_als import implicit_als
from recsys.evaluation.baselines.item_knn import item_knn
from recsys.evaluation.baselines.markov import MARKOV
from recsys.evaluation.baselines.popularity import popularity

BASELINES: Mapping[str, Baseline] = {
    "popularity": of_pairs(popularity),
    "item-knn": of_pairs(item_knn),
    "implicit": of_pairs(implicit_als),
    "ease": of_pairs(ease, check_size),
    "markov": MARKOV,
}
