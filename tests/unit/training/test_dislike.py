"""A dislike lowers what is like the item, in the stored list and in a live answer."""

import numpy as np
import pytest

from recsys.core.behaviour import RecentEvent
from recsys.core.current_history import current_history
from recsys.core.model import TrainedModel
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.lists import Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list
from recsys.core.serving.pipeline import recommend_for_user
from recsys.training.als import AlsSettings
from recsys.training.build import build_model
from recsys.training.event_log import pairs_of
from recsys.training.settings import ModelSettings
from recsys.training.top_n import top_n_lists
from tests.builders import an_event_log, scoring_params

# Shoppers buy cups or pots; ann has some of both and dislikes one cup.
CUPS, POTS = [f"cup{n}" for n in range(6)], [f"pot{n}" for n in range(6)]
OTHERS = [
    (f"{kind[0][:3]}-fan{fan}", item)
    for kind in (CUPS, POTS)
    for fan in range(12)
    for place, item in enumerate(kind)
    if place != fan % 6
]
BOUGHT = [("ann", "cup0"), ("ann", "pot0")]
SETTINGS = ModelSettings(AlsSettings(factors=4, iterations=8), neighbours=5, trend_exponent=0.0)
DISLIKE = RecentEvent("cup1", "dislike", timestamp_ms=2_000_000, received_ms=2_000_000)


def trained(*, dislikes: bool) -> TrainedModel:
    events = [*OTHERS, *BOUGHT, *([("ann", "cup1")] if dislikes else [])]
    types = ["purchase"] * len(OTHERS + BOUGHT) + ["dislike"] * dislikes
    pairs = pairs_of(an_event_log(events, types=types), 180.0, 14.0)
    items = len(pairs.items)
    built = build_model(pairs, ("",) * items, np.ones(items, np.bool_), SETTINGS)
    params = scoring_params(
        alpha=built.trained.alpha,
        regularization=SETTINGS.als.regularization,
        frequency_weight=SETTINGS.als.frequency_weight,
        neighbour_weight=built.neighbour_weight,
    )
    return TrainedModel(params, built.items, built.users)


BEFORE, AFTER = trained(dislikes=False), trained(dislikes=True)


def stored_scores(model: TrainedModel) -> dict[str, float]:
    row = model.users.ids.index_of("ann")
    n, weight = len(model.items.ids), model.params.neighbour_weight
    found = top_n_lists(model.items, model.users, np.array([row]), weight, n)
    listed = found.items[0] >= 0
    ids = [model.items.ids.id_of(item) for item in found.items[0][listed].tolist()]
    return dict(zip(ids, found.scores[0][listed].tolist(), strict=True))


def live_scores(*recent: RecentEvent) -> dict[str, float]:
    model = BEFORE
    row = model.users.ids.index_of("ann")
    assert row is not None
    history = current_history(
        model.items.ids.index_of, model.params, model.users.history(row), recent
    )
    serving, n = ServingModel.of(model.items, model.params), len(model.items.ids)
    found = fold_in_list(serving, ActiveUser.of(history, None), n, Scratch())
    listed = np.isfinite(found.scores)
    ids = [model.items.ids.id_of(item) for item in found.items[listed].tolist()]
    return dict(zip(ids, found.scores[listed].tolist(), strict=True))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (stored_scores(BEFORE), stored_scores(AFTER)),
        (live_scores(), live_scores(DISLIKE)),
    ],
    ids=["stored", "live"],
)
def test_the_items_like_it_are_lower_and_all_others_where_they_were(
    before: dict[str, float], after: dict[str, float]
) -> None:
    assert set(before) - set(after) == {"cup1"}
    cups, pots = set(after) & set(CUPS), set(after) & set(POTS)
    assert len(cups) == 4
    for cup in cups:
        assert after[cup] < before[cup] - 1e-3
    for pot in pots:
        assert after[pot] == pytest.approx(before[pot], abs=1e-4)


def test_pots_come_before_cups_from_then_on() -> None:
    """Of which ann bought one each, so that nothing else decides."""
    for scores in (stored_scores(AFTER), live_scores(DISLIKE)):
        best = sorted(scores, key=scores.__getitem__, reverse=True)
        assert set(best[:5]) == set(POTS) - {"pot0"}


def test_a_dislike_teaches_nothing_to_the_model_of_others() -> None:
    assert np.array_equal(BEFORE.items.factors, AFTER.items.factors)
    assert np.array_equal(BEFORE.items.neighbours, AFTER.items.neighbours)
    assert np.array_equal(BEFORE.users.factors, AFTER.users.factors)


def test_who_only_dislikes_is_answered_with_what_is_popular() -> None:
    answer = recommend_for_user(ServingModel.of(BEFORE.items, BEFORE.params), None, [DISLIKE], 12)

    assert answer.source is Source.POPULAR
    assert len(answer.ranked) == 11
