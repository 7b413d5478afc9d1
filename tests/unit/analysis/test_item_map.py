"""The map of items and its labels."""

import numpy as np
import pytest

from recsys.analysis.item_map import item_map, with_room


def test_two_tastes_lie_apart_on_the_first_axis() -> None:
    random = np.random.default_rng(1)
    taste = np.repeat([[1, 0, 0, 0], [0, 1, 0, 0]], 20, axis=0)
    factors = (taste + 0.1 * random.normal(size=(40, 4))).astype(np.float32)

    first = item_map(factors).places[:, 0]

    assert np.sign(first[:20]).tolist() == [np.sign(first[0])] * 20
    assert np.sign(first[20:]).tolist() == [-np.sign(first[0])] * 20


def test_places_are_those_of_the_covariance_matrix() -> None:
    factors = np.random.default_rng(2).normal(size=(50, 5)).astype(np.float32)
    unit = factors / np.linalg.norm(factors.astype(np.float64), axis=1, keepdims=True)
    variances, axes = np.linalg.eigh(np.cov(unit.T))
    expected = (unit - unit.mean(axis=0)) @ axes[:, :-3:-1]

    found = item_map(factors)

    np.testing.assert_allclose(np.abs(found.places), np.abs(expected), atol=1e-6)
    np.testing.assert_allclose(found.explained, variances[::-1] / variances.sum(), atol=1e-6)


@pytest.mark.parametrize("signs", [[1, -1, 1], [1, 1, 1]])
def test_one_factor_is_a_line(signs: list[int]) -> None:
    found = item_map(np.array(signs, np.float32)[:, np.newaxis])

    assert (found.places[:, 0] == found.places[0, 0]).tolist() == [s == 1 for s in signs]
    assert not found.places[:, 1].any()
    assert found.explained[1] == 0


def test_length_does_not_matter_however_small() -> None:
    factors = np.random.default_rng(3).normal(size=(10, 3)).astype(np.float32)
    lengths = np.geomspace(1e-24, 1, 10, dtype=np.float32)[:, np.newaxis]

    np.testing.assert_allclose(
        item_map(factors * lengths).places, item_map(factors).places, atol=1e-5
    )


def test_the_map_is_always_the_same_way_up() -> None:
    places = item_map(np.random.default_rng(4).normal(size=(30, 6)).astype(np.float32)).places

    assert (places.max(axis=0) == np.abs(places).max(axis=0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_labels_do_not_overlap_and_none_that_has_room_is_missing(seed: int) -> None:
    places = np.random.default_rng(seed).random((200, 2))
    size = np.array([0.2, 0.1]) * np.ptp(places, axis=0)

    chosen = with_room(places, np.arange(200), box=(0.2, 0.1))

    clash = (np.abs(places[:, np.newaxis] - places[chosen]) < size).all(axis=2)
    assert clash[chosen].sum() == len(chosen)
    assert chosen[0] == 0
    assert clash.any(axis=1).all()
