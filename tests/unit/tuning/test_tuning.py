"""The search for settings, on a shop whose structure is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import ConfigurationError, NoData
from recsys.training.als import AlsSettings
from recsys.training.settings import ModelSettings
from recsys.tuning import Validation, hold_out, tune, validation
from recsys.tuning.trial import run_trial
from recsys.tuning.validation import Fold
from tests.builders import two_tastes_log

SMALL = ModelSettings(AlsSettings(factors=8, iterations=3))


def seen(found: Fold) -> set[tuple[str, str]]:
    users = np.repeat(np.arange(len(found.pairs.users)), np.diff(found.pairs.indptr))
    return {
        (found.pairs.users.id_of(user), found.pairs.items.id_of(item))
        for user, item in zip(users.tolist(), found.pairs.item_indices.tolist(), strict=True)
    }


def held_out(found: Fold) -> set[tuple[str, str]]:
    """Of the items that training knows."""
    test = found.test
    return {
        (found.pairs.users.id_of(user), found.pairs.items.id_of(item))
        for user, item in zip(test.pair_users.tolist(), test.items.tolist(), strict=True)
        if item < test.known_items
    }


@pytest.mark.parametrize("timed", [True, False])
def test_what_is_held_out_is_not_trained_on(timed: bool) -> None:
    found = hold_out(two_tastes_log(timed=timed), 180, 14, seed=1)
    assert found.timed is timed
    for fold in found.folds:
        assert held_out(fold)
        assert not held_out(fold) & seen(fold)


def test_without_time_several_parts_are_held_out_as_long_as_that_is_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = two_tastes_log(timed=False)
    folds = hold_out(log, 180, 14, seed=1).folds
    assert len(folds) == validation.MOST_FOLDS
    assert len({frozenset(held_out(fold)) for fold in folds}) == len(folds)
    monkeypatch.setattr(validation, "MOST_PAIRS", len(log))
    assert len(hold_out(log, 180, 14, seed=1).folds) == 1


def test_a_trial_is_judged_by_the_mean_over_the_parts() -> None:
    found = hold_out(two_tastes_log(timed=False), 180, 14, seed=1)
    whole = run_trial(found, SMALL)
    alone = [run_trial(Validation((fold,), False), SMALL) for fold in found.folds]
    assert whole.ndcg <= np.mean([trial.ndcg for trial in alone]) + 1e-12


def test_with_time_only_the_newest_events_are_held_out() -> None:
    log = two_tastes_log()
    (found,) = hold_out(log, 180, 14, seed=1).folds
    assert log.timestamps_ms is not None
    pairs = zip(log.users.tolist(), log.items.tolist(), strict=True)
    times = dict(zip(pairs, log.timestamps_ms.tolist(), strict=True))
    of = {pair: times[int(pair[0][1:]), int(pair[1][1:])] for pair in held_out(found) | seen(found)}
    assert max(of[pair] for pair in seen(found)) <= min(of[pair] for pair in held_out(found))


def test_large_data_is_tuned_on_some_of_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    log = two_tastes_log(users=400)
    monkeypatch.setattr(validation, "MOST_PAIRS", len(log) // 4)
    (found,) = hold_out(log, 180, 14, seed=1).folds
    assert 60 < len(found.pairs.users) < 140


def test_nothing_to_hold_out_is_said() -> None:
    log = two_tastes_log()
    one_each = log.only(np.append(True, log.users[1:] != log.users[:-1]))
    with pytest.raises(NoData, match="nothing to tune on"):
        hold_out(replace(one_each, timestamps_ms=None), 180, 14, seed=1)


def test_a_trial_finds_the_blend_that_is_best_on_the_validation_part() -> None:
    found = hold_out(two_tastes_log(timed=False), 180, 14, seed=1)
    best = run_trial(found, SMALL)
    others = [run_trial(found, replace(SMALL, neighbour_weight=w)).ndcg for w in (0.0, 0.5)]
    assert best.ndcg >= max(others)
    assert best.settings.trend_exponent == SMALL.trend_exponent


def test_the_first_trial_is_what_one_begins_with_and_the_best_is_kept() -> None:
    lines: list[str] = []
    found = hold_out(two_tastes_log(), 180, 14, seed=1)
    tuned = tune(found, SMALL, 0.0, say=lines.append)
    assert tuned.trials == 1
    assert tuned.settings.als == SMALL.als
    assert tuned.ndcg == tuned.default_ndcg == run_trial(found, SMALL).ndcg
    assert "trial 0" in lines[0]


def test_a_search_goes_on_from_its_journal(tmp_path: Path) -> None:
    found = hold_out(two_tastes_log(timed=False), 180, 14, seed=1)
    journal = tmp_path / "trials.log"
    first = tune(found, SMALL, 0.0, journal=journal)
    again = tune(found, SMALL, 1.0, journal=journal)
    assert again.trials > first.trials
    assert again.ndcg >= first.ndcg


def test_a_journal_that_a_full_disk_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    found = hold_out(two_tastes_log(timed=False), 180, 14, seed=1)
    journal = tmp_path / "trials.log"
    first = tune(found, SMALL, 0.0, journal=journal)
    with journal.open("ab") as file:
        file.write(b'{"op_code":5,"trial')
    for _ in range(2):
        assert tune(found, SMALL, 0.0, journal=journal).trials == first.trials


def test_a_journal_of_other_data_is_refused(tmp_path: Path) -> None:
    journal = tmp_path / "trials.log"
    tune(hold_out(two_tastes_log(timed=False), 180, 14, seed=1), SMALL, 0.0, journal=journal)
    other = hold_out(two_tastes_log(users=30, timed=False), 180, 14, seed=1)
    with pytest.raises(ConfigurationError, match="other data"):
        tune(other, SMALL, 0.0, journal=journal)
