import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.evaluation.baselines import item_knn
from recsys.training.event_log import pairs_of
from tests.builders import an_event_log

RANDOM = np.random.default_rng(2)
OWNED = (RANDOM.random((40, 15)) < 0.3).astype(np.float32)


def dense_similarities(count: int, shrinkage: float) -> np.ndarray:
    together = OWNED.T @ OWNED
    lengths = np.sqrt(OWNED.sum(axis=0))
    found = together / (np.outer(lengths, lengths) + shrinkage)
    np.fill_diagonal(found, 0)
    for row in found:
        row[np.argsort(-row, kind="stable")[count:]] = 0
    return found


@pytest.mark.parametrize("shrinkage", [0.0, 7.0])
def test_similarities_are_the_shrunk_cosines_of_columns(shrinkage: float) -> None:
    found = item_knn.neighbour_matrix(csr_matrix(OWNED), 15, shrinkage)
    assert found.toarray() == pytest.approx(dense_similarities(15, shrinkage))


def test_each_item_keeps_its_best_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when items come in several blocks."""
    monkeypatch.setattr(item_knn, "ITEMS_PER_BLOCK", 4)
    found = item_knn.neighbour_matrix(csr_matrix(OWNED), 3, 2.0).toarray()
    assert np.sort(found)[:, -3:] == pytest.approx(np.sort(dense_similarities(15, 2.0))[:, -3:])
    assert ((found > 0).sum(axis=1) <= 3).all()


def test_a_score_adds_up_the_similarities_to_what_the_user_had() -> None:
    rows, columns = OWNED.nonzero()
    # Rows are ordered by ids: two digits keep the order of numbers.
    events = [(f"{user:02}", f"{item:02}") for user, item in zip(rows, columns, strict=True)]
    pairs = pairs_of(an_event_log(events, values=RANDOM.random(len(rows)) + 0.1), 10.0, 1.0)
    owned = (pairs.matrix() > 0).toarray().astype(np.float32)
    scores = item_knn.item_knn(pairs)(np.array([3, 5]))
    expected = (
        owned[[3, 5]]
        @ item_knn.neighbour_matrix(
            csr_matrix(owned), item_knn.NEIGHBOURS, item_knn.SHRINKAGE
        ).toarray()
    )
    assert scores == pytest.approx(expected)


def test_shrinkage_prefers_what_many_shared_to_what_two_happened_to() -> None:
    """Items 1 and 2 are as alike to item 0 by cosine; twenty users shared 1, one shared 2."""
    shared = np.array([[1, 1, 0]] * 20 + [[1, 0, 1]], np.float32)
    alone = np.array([[0, 1, 0]] * 380, np.float32)
    found = item_knn.neighbour_matrix(csr_matrix(np.vstack([shared, alone])), 2, 2.0).toarray()
    assert found[0, 1] > found[0, 2] > 0
