"""A change of how models are made is counted, or a night after it would find nothing to do."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.domain import Item
from recsys.training.als import AlsSettings, Device
from recsys.training.build import BuiltModel, build_model
from recsys.training.content import ItemContent
from recsys.training.event_log import pairs_of
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.train import RULES, content_line
from tests.builders import an_event_log

_NOW_MS = 1_700_000_000_000
_HOUR_MS = 3_600_000
_SETTINGS = ModelSettings(
    AlsSettings(factors=8, iterations=4, device=Device.CPU),
    neighbours=5,
    order_weight=0.5,
    step_half_life=3.0,
)
# What the last rules make of the same events. Where the test below fails because models are meant
# to differ, count RULES up and write its number, and what the test found, here.
_OF_RULES = 8
_EXPECTED: dict[str, list[float]] = {
    "alpha, neighbour weight": [2.8374, 6.3373],
    "scores by factors": [0.038698, 0.24723, 0.098893, 0.038155, 6.3429],
    "scores by neighbours": [0.38541, 0.34947, 0.12293, 0.1127, 11.277],
    "shares of the order": [4.3037, 4.5801, 0.0, 0.0, 108.86],
    "trend": [1.2165, 1.1691, 1.0, 1.0, 29.907],
    "popular": [21.0, 13.0, 6.0, 22.0, 8.0, 23.0],
    "strengths of users": [83.52],
}


def built() -> BuiltModel:
    """A model of 40 users and 30 items, three of which nobody has wanted yet."""
    random = np.random.default_rng(5)
    wanted = random.random((40, 27)) < 0.05 + 0.4 * (
        np.arange(40)[:, None] % 3 == np.arange(27) % 3
    )
    pairs = [(f"u{user:02}", f"i{item:02}") for user, item in np.argwhere(wanted)]
    times = (_NOW_MS - random.integers(1, 2000, len(pairs)) * _HOUR_MS).tolist()
    types = random.choice(["view", "purchase"], len(pairs)).tolist()
    names = [f"i{item:02}" for item in range(30)]
    log = an_event_log(pairs, types=types, times=times)
    matrix = pairs_of(log, 60.0, 14.0, names)
    items = [
        Item(name, title=f"thing {n % 3}", categories=(f"c{n % 3}",), created_ms=_NOW_MS)
        for n, name in enumerate(matrix.items)
    ]
    eligible = np.ones(len(items), np.bool_)
    content = ItemContent.from_items(items, _NOW_MS)
    return build_model(matrix, ("",) * len(items), eligible, _SETTINGS, content=content)


def summary(model: BuiltModel) -> dict[str, list[float]]:
    """Numbers in which every part of a model has a share."""
    items, users = model.items, model.users
    scores = users.factors[:5] @ items.factors.T
    return {
        "alpha, neighbour weight": [model.trained.alpha, model.neighbour_weight],
        "scores by factors": _some(scores.mean(axis=0)),
        "scores by neighbours": _some(items.neighbour_scores.sum(axis=1)),
        "shares of the order": _some(items.order_shares.astype(float).sum(axis=1)),
        "trend": _some(items.trend),
        "popular": items.popular[:6].tolist(),
        "strengths of users": [float(users.histories.strengths.sum())],
    }


def _some(values: NDArray[Any]) -> list[float]:
    """The first two, the last two, whose items nobody has wanted yet, and the sum of all."""
    return [*values[:2].tolist(), *values[-2:].tolist(), float(values.sum())]


@pytest.mark.parametrize(
    ("r_squared", "share"), [(0.331, "33%"), (0.0, "nothing"), (-62_462_755_549.25, "nothing")]
)
def test_content_that_is_worse_than_no_guess_foresees_nothing(r_squared: float, share: str) -> None:
    assert content_line(r_squared) == f"content foresees {share} of the factors of held-out items"


def test_the_same_events_make_the_same_model_as_long_as_the_rules_are_the_same() -> None:
    assert RULES == _OF_RULES
    found = summary(built())
    assert found.keys() == _EXPECTED.keys()
    for name, values in found.items():
        # Other processors round in other places.
        assert values == pytest.approx(_EXPECTED[name], rel=2e-3, abs=1e-4), name
