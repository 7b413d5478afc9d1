import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from recsys.evaluation.baselines import implicit_als
from recsys.evaluation.baselines.popularity import popularity
from recsys.evaluation.score_functions import masked
from recsys.training.event_log import pairs_of
from recsys.training.interactions import InteractionMatrix
from tests.builders import an_event_log


def a_shop() -> InteractionMatrix:
    random = np.random.default_rng(3)
    rows = np.argwhere(random.random((30, 12)) < 0.3)
    return pairs_of(an_event_log([(f"u{u:02}", f"i{i:02}") for u, i in rows]), 10.0, 1.0)


def test_popularity_ranks_by_the_number_of_users() -> None:
    log = an_event_log([("u", "a"), ("v", "b"), ("w", "b"), ("x", "b"), ("u", "c"), ("v", "c")])
    scores = popularity(pairs_of(log, 10.0, 1.0))(np.array([0, 99]))
    assert np.argsort(-scores, axis=1).tolist() == [[1, 2, 0]] * 2


def test_implicit_is_the_library_as_it_comes() -> None:
    pairs = a_shop()
    users = np.arange(len(pairs.users))
    with threadpool_limits(1, "blas"):
        theirs = AlternatingLeastSquares(random_state=implicit_als.SEED)
        theirs.fit(pairs.matrix(), show_progress=False)
        expected, _ = theirs.recommend(users, pairs.matrix(), N=4)

    score = masked(implicit_als.implicit_als(pairs), pairs, np.ones(len(pairs.items), np.bool_))

    assert np.argsort(-score(users), axis=1)[:, :4].tolist() == expected.tolist()
