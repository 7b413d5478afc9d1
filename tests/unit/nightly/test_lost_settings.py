"""Shipped settings in the place of the shop's own: a file or a variable is gone."""

from dataclasses import replace
from pathlib import Path

import pytest

from recsys.config.shop import Shop, load_shop
from recsys.core.errors import ConfigurationError, InvalidModel
from recsys.core.event_types import EventType, with_weights
from recsys.core.model import History
from recsys.stores.manifest import Training, params_entry
from recsys.stores.model_files import ModelFiles
from spark_jobs.nightly.evaluate import trained_settings
from spark_jobs.nightly.lost_settings import refuse_lost_settings
from tests.builders import a_manifest, a_user_model, an_item_model, scoring_params

SHIPPED = load_shop()


def models_made_with(folder: Path, shop: Shop, **searched: float) -> ModelFiles:
    """A model store in which a version made with these settings, and weights found, serves."""
    params = scoring_params(
        event_types=with_weights(shop.event_types, searched), target_types=shop.target_types
    )
    training = Training(
        settings={"event_weights": searched}, backend="", device="cpu", versions={}, seconds=0
    )
    models = ModelFiles(folder)
    version = a_manifest(recipe=params_entry(params), training=training)
    models.save(version, an_item_model(), a_user_model([History.empty()]))
    models.mark_serving("shop", version.version)
    return models


def own(text: str, folder: Path) -> Shop:
    (folder / "shop.toml").write_text(text)
    return load_shop(folder / "shop.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('goals = ["buy"]\n[event_types]\nbuy = {}', "event types buy; goals buy"),
        ("[event_types]\npurchase = {}\nview = { weight = 3 }", "weight 3 of view"),
        ('goals = ["add_to_cart"]', "goals add_to_cart"),
    ],
)
def test_what_the_serving_version_counted_is_missed(tmp_path: Path, text: str, words: str) -> None:
    shop = own(text, tmp_path)
    models = models_made_with(tmp_path, shop)

    with pytest.raises(ConfigurationError, match=rf"was made with others: {words}\. Is RECSYS"):
        refuse_lost_settings(SHIPPED, models, "shop")
    with pytest.raises(ConfigurationError):
        refuse_lost_settings(own("[limits]\nrequests_per_second = 9", tmp_path), models, "shop")
    refuse_lost_settings(shop, models, "shop")


def test_an_edited_file_is_the_operators_wish(tmp_path: Path) -> None:
    models = models_made_with(tmp_path, own('goals = ["buy"]\n[event_types]\nbuy = {}', tmp_path))

    refuse_lost_settings(own("[event_types]\npurchase = { weight = 2 }", tmp_path), models, "shop")


def test_a_shop_that_never_had_settings_of_its_own_goes_on(tmp_path: Path) -> None:
    refuse_lost_settings(SHIPPED, ModelFiles(tmp_path), "shop")
    refuse_lost_settings(SHIPPED, models_made_with(tmp_path, SHIPPED), "shop")
    # Found by the search, not named by the shop; and a type that this release has added.
    kinds = {name: kind for name, kind in SHIPPED.event_types.items() if name != "like"}
    before = replace(SHIPPED, event_types={**kinds, "view": EventType(0.7)})
    refuse_lost_settings(SHIPPED, models_made_with(tmp_path, before, view=0.7), "shop")


@pytest.mark.parametrize("weights", [None, 5, "view"])
def test_weights_that_somebody_has_damaged_in_a_manifest_hold_nothing_up(
    tmp_path: Path, weights: object
) -> None:
    models = models_made_with(tmp_path, SHIPPED)
    manifest = models.manifest("shop", models.last_serving("shop"))
    damaged = manifest.training.model_copy(update={"settings": {"event_weights": weights}})
    models.amend(manifest, training=damaged)

    refuse_lost_settings(SHIPPED, models, "shop")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"als": 5}, "training.settings.als: must be a table"),
        ({"neighbour_weight": "much"}, "training.settings.neighbour_weight: must be a number"),
        ({"neighbours": -1}, "training.settings.neighbours"),
    ],
)
def test_damaged_settings_of_a_candidate_are_named(settings: dict[str, object], words: str) -> None:
    training = a_manifest().training.model_copy(update={"settings": settings})

    with pytest.raises(InvalidModel, match=words):
        trained_settings(a_manifest(training=training))
