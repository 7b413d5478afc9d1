"""An independent implementation of the metrics is the oracle of ours."""

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.ranking import top_n_rows
from recsys.core.scoring import Scores
from recsys.training.evaluation import TestSet, evaluate


# ranx's own sources warn when they are compiled, and compiling it takes seconds.
@pytest.mark.filterwarnings("ignore")
def test_means_equal_those_of_ranx() -> None:
    import ranx

    random = np.random.default_rng(5)
    scores = random.random((40, 50)).astype(np.float32)
    relevant = [random.choice(50, random.integers(1, 30), replace=False) for _ in range(40)]
    test = TestSet(np.arange(40), [row.astype(np.int32) for row in relevant])

    def score(users: NDArray[np.int64]) -> Scores:
        return scores[users]

    ours = evaluate(score, test, np.ones(50, np.bool_))

    qrels = ranx.Qrels({f"u{u}": {f"i{i}": 1 for i in row} for u, row in enumerate(relevant)})
    lists = top_n_rows(scores, 20)
    run = ranx.Run(
        {f"u{u}": {f"i{i}": float(scores[u, i]) for i in row} for u, row in enumerate(lists)}
    )
    theirs = ranx.evaluate(qrels, run, ["recall@20", "ndcg@20"])
    assert ours["recall_at_20"] == pytest.approx(theirs["recall@20"])
    assert ours["ndcg_at_20"] == pytest.approx(theirs["ndcg@20"])
