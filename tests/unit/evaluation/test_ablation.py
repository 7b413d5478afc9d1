from dataclasses import replace

import numpy as np
import pytest

from recsys.core.scoring import Scores, score_users
from recsys.evaluation.ablation import PARTS, Part, ablations
from recsys.training.als import AlsSettings, Device
from recsys.training.build import BuiltModel, build_model
from recsys.training.event_log import pairs_of
from recsys.training.settings import ModelSettings
from tests.builders import two_tastes_log

SETTINGS = ModelSettings(AlsSettings(factors=8, iterations=2, device=Device.CPU))


@pytest.fixture(scope="module")
def built() -> BuiltModel:
    pairs = pairs_of(two_tastes_log(), 180.0, 14.0)
    pairs = replace(pairs, excluded=np.zeros_like(pairs.excluded))
    items = len(pairs.items)
    return build_model(pairs, ("",) * items, np.ones(items, np.bool_), SETTINGS)


def scores(built: BuiltModel) -> Scores:
    histories = [built.users.history(row) for row in range(len(built.users.ids))]
    return score_users(built.users.factors, built.items, histories, built.neighbour_weight)


def test_every_part_is_alone_once_and_off_once(built: BuiltModel) -> None:
    names = [name for name, _ in ablations(built)]
    assert names == [
        "factors only", "neighbours only",
            "factors off", "neighbours off", "order off", "trend off",
    ]  # fmt: skip


def test_terms_alone_add_up_to_the_score_without_trend(built: BuiltModel) -> None:
    found = {name: scores(model) for name, model in ablations(built)}
    together = found["factors only"] + found["neighbours only"]
    assert found["trend off"] == pytest.approx(together, abs=1e-5)
    assert scores(built) == pytest.approx(together * built.items.trend, abs=1e-5)


def test_a_part_that_is_off_leaves_the_others_as_they_are(built: BuiltModel) -> None:
    found = {name: scores(model) for name, model in ablations(built)}
    trend = built.items.trend
    assert found["factors off"] == pytest.approx(found["neighbours only"] * trend, abs=1e-5)
    assert found["neighbours off"] == pytest.approx(found["factors only"] * trend, abs=1e-5)


def test_a_new_part_is_one_more_entry(built: BuiltModel) -> None:
    """It is off wherever another part is alone."""
    turned_off = []

    def without(model: BuiltModel) -> BuiltModel:
        turned_off.append(model)
        return model

    names = [name for name, _ in ablations(built, (*PARTS, Part("another", without)))]
    assert [name for name in names if "another" in name] == ["another only", "another off"]
    assert len(turned_off) == 3
