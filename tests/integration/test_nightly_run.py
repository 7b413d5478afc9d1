"""A whole run over real HBase, Spark and Redis, and what a second one does."""

import re
from dataclasses import replace

import numpy as np
import pytest

from recsys.stores.model_files import ITEMS, USERS
from recsys.stores.redis.connect import connect
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.plan import Step
from tests.integration.nightly_shop import ALS, NOW_MS, SIZE, WINDOW, Nightly, shop_events

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def test_a_run_publishes_a_model_that_knows_the_right_answers(nightly: Nightly) -> None:
    assert nightly.serving() is None

    nightly.run()

    (version,) = nightly.versions()
    assert nightly.serving() == version
    recommended = {f"c{n}": nightly.recommended(f"c{n}", limit=1) for n in range(SIZE)}
    assert recommended == {f"c{n}": [f"c{n}"] for n in range(SIZE)}


def test_the_manifest_says_what_the_model_was_made_of(nightly: Nightly) -> None:
    nightly.first_night()

    manifest = nightly.manifest()
    events = shop_events()
    assert manifest.data.events == len({event.event_id for event in events})
    assert manifest.data.users == len({event.user_id for event in events})
    # One item of the catalogue was never touched.
    assert manifest.data.items == len({event.item_id for event in events}) + 1
    params = manifest.recipe.to_params()
    assert params.as_of_ms == NOW_MS
    assert params.end_ms == WINDOW.end_ms
    assert manifest.training.settings["als"]["seed"] == ALS.seed
    assert manifest.evaluation is not None
    assert nightly.published.count_users(
        nightly.plan.tenant, manifest.version, nightly.user_ids(manifest.version)
    ) == len({event.user_id for event in events})


def test_a_run_finds_what_is_bought_together(nightly: Nightly) -> None:
    nightly.first_night()

    items = nightly.items()
    assert items.partners is not None
    # Whoever buys items of one colour does so at one moment, and none of the other.
    for name in ("c0", "a1"):
        row = items.ids.index_of(name)
        partners = [items.ids.id_of(each) for each in items.partners[row].tolist() if each >= 0]
        same = (
            {f"c{n}" for n in range(2, SIZE, 2)} if name == "c0" else {f"a{n}" for n in range(20)}
        )
        assert set(partners) == same - {name}
    assert any("are bought together with others" in line for line in nightly.said)


def test_a_run_counts_who_bought_what_within_each_window(nightly: Nightly) -> None:
    nightly.first_night()

    items = nightly.items()
    assert sorted(items.windows) == [1, 7, 30]
    # All purchases are of one day: 19 fans of each a, and of b0 the viewer, too.
    week = items.windows[7]
    shoppers = dict(zip(map(items.ids.id_of, week.popular), week.shoppers.tolist(), strict=True))
    assert (shoppers["a0"], shoppers["b0"], shoppers["sold out"]) == (19, 20, 15)
    assert "never touched" not in shoppers
    # Without a past nobody knows what rises.
    assert week.rising.tolist() == []
    assert any(line.startswith("items bought lately: ") for line in nightly.said)


def test_a_second_run_over_the_same_data_changes_nothing(nightly: Nightly) -> None:
    nightly.run()
    before = nightly.serving()

    nightly.run()

    assert nightly.versions() == [before]
    assert nightly.serving() == before
    assert nightly.said[-1] == (
        f"nothing changed since {before}, which serves (--force trains anyway)"
    )


@pytest.mark.parametrize("name", [ITEMS, USERS])
def test_a_version_that_was_damaged_since_is_made_again(nightly: Nightly, name: str) -> None:
    nightly.first_night()
    damaged = str(nightly.serving())
    file = nightly.settings.model_store / nightly.plan.tenant / damaged / name
    file.write_bytes(file.read_bytes()[:-10])

    nightly.run()

    assert any(f"since {damaged}, which is damaged: {name}" in line for line in nightly.said)
    assert nightly.serving() != damaged
    assert nightly.models.users(nightly.plan.tenant, str(nightly.serving()))


def test_an_emptied_redis_is_filled_again_without_training(nightly: Nightly) -> None:
    nightly.first_night()
    before, answer = nightly.serving(), nightly.recommended("viewer")
    with connect(nightly.redis_url) as redis:
        redis.flushdb()

    nightly.run()

    assert nightly.serving() == before
    assert nightly.recommended("viewer") == answer
    assert not [line for line in nightly.said if re.match(r"\[train|\[evaluate|iteration", line)]


def test_the_same_data_and_seed_make_the_same_model(nightly: Nightly) -> None:
    nightly.run([Step.READ, Step.TRAIN])
    first = _candidate_bytes(nightly)
    nightly.run([Step.READ, Step.TRAIN], force=True)
    assert _candidate_bytes(nightly) == first

    nightly.run([Step.TRAIN], model=ModelSettings(replace(ALS, seed=2)))

    assert _candidate_bytes(nightly) != first


def test_settings_that_change_make_a_new_version_and_the_one_before_stays_at_hand(
    nightly: Nightly,
) -> None:
    nightly.first_night()
    first = nightly.serving()
    nightly.run(model=ModelSettings(replace(ALS, factors=8)))
    second = nightly.serving()
    nightly.run(model=ModelSettings(replace(ALS, factors=4)))
    third = nightly.serving()

    assert len({first, second, third}) == 3
    assert nightly.keys() == {second, third}
    assert set(nightly.versions()) == {first, second, third}


def test_any_stored_version_can_be_served_again(nightly: Nightly) -> None:
    nightly.first_night()
    first = nightly.serving()
    assert first is not None
    answer = nightly.recommended("viewer")
    nightly.run(model=ModelSettings(replace(ALS, factors=8)))
    assert nightly.serving() != first

    nightly.serve_stored(first)

    assert nightly.serving() == first
    assert nightly.recommended("viewer") == answer


def test_lists_that_are_served_follow_the_formula(nightly: Nightly) -> None:
    nightly.first_night()
    manifest = nightly.manifest()
    model = nightly.models.model(manifest.tenant, manifest.version)
    items, row = model.items, model.users.ids.index_of("viewer")
    assert row is not None
    history = model.users.history(row)

    # score(u, i) = trend_i * (x_u . y_i + w * sum over j of r_uj * s_ji)
    scores = items.factors @ model.users.factors[row]
    for had, strength in zip(history.items, history.strengths, strict=True):
        for neighbour, alike in zip(
            items.neighbours[had], items.neighbour_scores[had], strict=True
        ):
            scores[neighbour] += model.params.neighbour_weight * strength * alike
    scores *= items.trend
    scores[~items.eligible] = -np.inf
    scores[history.items[history.excluded]] = -np.inf
    best = np.sort(scores)[::-1][:10]

    served = [items.ids.index_of(item) for item in nightly.recommended("viewer")]
    # Items that sell alike have all but equal scores, which may be added up in another order.
    assert scores[np.array(served)] == pytest.approx(best, rel=1e-5)
    assert len(set(served)) == 10


def _candidate_bytes(nightly: Nightly) -> bytes:
    tenant = nightly.plan.tenant
    version = (nightly.settings.run_folder(tenant) / "candidate").read_text()
    return (nightly.settings.model_store / tenant / version / ITEMS).read_bytes()
