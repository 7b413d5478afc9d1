"""A first-order Markov chain: what users had directly after what this user had last.

p(i | j) = count of i directly after j / count of anything directly after j, with j the user's last
item. What never followed j comes after what did, most popular first. On sequences this is a strong
simple model (Rendle, Freudenthaler, Schmidt-Thieme, "Factorizing Personalized Markov Chains", 2010,
compares with it).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.core.scoring import Scores
from recsys.evaluation.baselines import Baseline
from recsys.evaluation.data import EvaluationData
from recsys.evaluation.ranked_lists import ScoreFunction
from recsys.evaluation.score_functions import by_rank
from recsys.evaluation.sequences import Sequences
from recsys.training.interactions import InteractionMatrix
from recsys.training.popularity import popular_items


def markov(pairs: InteractionMatrix, sequences: Sequences) -> ScoreFunction:
    """Count what follows what; scores say the order only.

    Args:
        sequences: of the users and items of `pairs`.
    """
    popular = popular_items(pairs)
    ranked = _ranked(transitions(sequences, len(pairs.items)), popular)
    fallback = by_rank(popular)

    def scores(users: NDArray[np.int64]) -> Scores:
        found = fallback(users)
        for row, item in enumerate(sequences.last_items(users)):
            if item >= 0:
                span = slice(ranked.indptr[item], ranked.indptr[item + 1])
                found[row, ranked.indices[span]] = ranked.data[span]
        return found

    return scores


def transitions(sequences: Sequences, items: int) -> csr_matrix:
    """(n, n) row-stochastic: entry (j, i) is p(i | j); a row nothing followed is empty."""
    starts = np.zeros(len(sequences.items) + 1, np.bool_)
    starts[sequences.indptr] = True
    follows = np.flatnonzero(~starts[1:-1]) + 1
    sources, targets = sequences.items[follows - 1], sequences.items[follows]
    counts = csr_matrix((np.ones(len(follows)), (sources, targets)), shape=(items, items))
    totals = np.asarray(counts.sum(axis=1)).ravel()
    counts.data /= np.repeat(totals, np.diff(counts.indptr))
    return counts


def _ranked(probabilities: csr_matrix, popular: NDArray[np.int32]) -> csr_matrix:
    """Each row's entries as m, m - 1 ... 1: by probability, equal ones by popularity."""
    places = np.empty(len(popular), np.int64)
    places[popular] = np.arange(len(popular))
    lengths = np.diff(probabilities.indptr)
    rows = np.repeat(np.arange(len(popular)), lengths)
    order = np.lexsort((places[probabilities.indices], -probabilities.data, rows))
    ranked = probabilities.copy()
    ranked.data[order] = np.repeat(probabilities.indptr[1:], lengths) - np.arange(len(order))
    return ranked


def _sequences(data: EvaluationData) -> Sequences:
    if data.sequences is None:
        raise ConfigurationError(
            "markov learns from what follows what: training needs timestamps, and each user's test"
            " must come after the user's training; otherwise leave this baseline out"
        )
    return data.sequences


def _check(data: EvaluationData) -> None:
    _sequences(data)


MARKOV = Baseline(lambda data: markov(data.pairs, _sequences(data)), _check, needs_sequences=True)
