"""The search: settings are drawn by optuna, tried on the validation part, and the best one kept."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from recsys.core.errors import ConfigurationError
from recsys.training.als.settings import AlsSettings, resolved_alpha
from recsys.training.settings import ModelSettings
from recsys.tuning.trial import TrialResult, run_trial
from recsys.tuning.validation import Validation

_STUDY = "recsys"
# Tried before the search draws for itself: the defaults, then what suited other shops.
_DEFAULT = {
    "factors": 128,
    "alpha_scale": 1.0,
    "regularization": 0.01,
    "frequency_weight": 1.0,
    "iterations": 15,
    "popularity_exponent": 0.65,
    "neighbours": 50,
}
_STARTS = (
    _DEFAULT,
    _DEFAULT | {"regularization": 0.009, "frequency_weight": 3.0},
    _DEFAULT | {"regularization": 0.005, "frequency_weight": 10.0},
    _DEFAULT | {"alpha_scale": 2.0, "regularization": 0.013},
    _DEFAULT | {"alpha_scale": 0.7, "regularization": 0.007},
    _DEFAULT | {"factors": 256},
    _DEFAULT | {"factors": 64, "regularization": 0.012},
    _DEFAULT | {"popularity_exponent": 0.7, "neighbours": 200},
    _DEFAULT | {"popularity_exponent": 0.5},
)
_RANDOM_TRIALS = 8
# A trial that would likely end after the budget is not begun.
_PATIENCE = 1.25
_RESULT = "settings"


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        settings: the best; the defaults when nothing was better.
        ndcg: NDCG@20 of the best on the validation part.
        default_ndcg: that of the settings the search began with.
        trials: how many were tried, in earlier runs of the same study as well.
    """

    settings: ModelSettings
    ndcg: float
    default_ndcg: float
    trials: int


def tune(
    validation: Validation,
    settings: ModelSettings,
    seconds: float,
    *,
    journal: Path | None = None,
    sampler_seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Search for better settings until the time is over; the first trial is `settings` itself.

    Args:
        seconds: wall-clock budget; at least one trial is made.
        journal: a file that keeps the trials. A search with the same file goes on where the one
            before ended, and several processes may search with it at the same time.
        sampler_seed: what is drawn; processes that search together must not draw the same.

    Raises:
        ConfigurationError: when the journal belongs to a search over other data or settings.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _open_study(validation, settings, journal, sampler_seed)
    deadline, longest = time.monotonic() + seconds, 0.0
    alpha = resolved_alpha(validation.folds[0].pairs.matrix(), settings.als)
    while not _first_is_done(study) or time.monotonic() + _PATIENCE * longest < deadline:
        started = time.monotonic()
        trial = study.ask()
        tried = settings if trial.number == 0 else suggest(trial, settings, alpha)
        result = run_trial(validation, tried)
        trial.set_user_attr(_RESULT, _blend(result))
        study.tell(trial, result.ndcg)
        longest = max(longest, time.monotonic() - started)
        say(_line(trial.number, result, study.best_value))
    return _outcome(study, settings, alpha)


def suggest(trial: optuna.trial.BaseTrial, settings: ModelSettings, alpha: float) -> ModelSettings:
    """Settings to try; alpha is drawn around the one that the data suggests."""
    als = replace(
        settings.als,
        factors=trial.suggest_categorical("factors", [64, 96, 128, 192, 256]),
        alpha=alpha * trial.suggest_float("alpha_scale", 0.25, 4.0, log=True),
        regularization=trial.suggest_float("regularization", 0.001, 0.03, log=True),
        frequency_weight=trial.suggest_float("frequency_weight", 0.5, 30.0, log=True),
        iterations=trial.suggest_int("iterations", 10, 25, step=5),
    )
    exponent = trial.suggest_float("popularity_exponent", 0.4, 0.8, step=0.05)
    neighbours = trial.suggest_categorical("neighbours", [50, 100, 200])
    return replace(settings, als=als, popularity_exponent=exponent, neighbours=neighbours)


def _open_study(
    validation: Validation, settings: ModelSettings, journal: Path | None, sampler_seed: int
) -> optuna.Study:
    storage = _open_journal(journal) if journal else None
    study = optuna.create_study(
        study_name=_STUDY,
        storage=storage,
        direction="maximize",
        sampler=optuna.samplers.TPESampler(
            seed=sampler_seed,
            multivariate=True,
            n_startup_trials=_RANDOM_TRIALS,
            constant_liar=journal is not None,
        ),
        load_if_exists=True,
    )
    pairs, folds = validation.folds[0].pairs, len(validation.folds)
    subject = f"{pairs.shape}, {len(pairs.strengths)} pairs, {folds} folds, {settings}"
    if study.user_attrs.get("subject", subject) != subject:
        raise ConfigurationError(f"{journal} belongs to a search over other data: name another")
    study.set_user_attr("subject", subject)
    for start in _STARTS:
        study.enqueue_trial(start, skip_if_exists=True)
    return study


def _open_journal(journal: Path) -> JournalStorage:
    """The trials so far, less half a line that a full disk or a kill left at the end.

    What the next trial appended to it would make the whole journal unreadable.
    """
    lock = JournalFileSymlinkLock(str(journal))
    if journal.exists():
        lock.acquire()
        try:
            lines = journal.read_bytes()
            os.truncate(journal, lines.rfind(b"\n") + 1)
        finally:
            lock.release()
    return JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))


def _first_is_done(study: optuna.Study) -> bool:
    return any(trial.number == 0 and trial.value is not None for trial in study.get_trials(False))


def _blend(result: TrialResult) -> dict[str, float]:
    """What the trial found by itself, beside what optuna drew."""
    settings = result.settings
    return {
        "neighbour_weight": settings.neighbour_weight,
        "trend_exponent": settings.trend_exponent,
    }


def _outcome(study: optuna.Study, settings: ModelSettings, alpha: float) -> Tuned:
    done = [trial for trial in study.get_trials(False) if trial.value is not None]
    best = study.best_trial
    found = settings if best.number == 0 else suggest(_fixed(best), settings, alpha)
    first = next(trial.value for trial in done if trial.number == 0)
    return Tuned(
        settings=replace(found, **best.user_attrs[_RESULT]),
        ndcg=study.best_value,
        default_ndcg=first if first is not None else float("nan"),
        trials=len(done),
    )


def _fixed(best: optuna.trial.FrozenTrial) -> optuna.trial.FixedTrial:
    return optuna.trial.FixedTrial(best.params)


def _line(number: int, result: TrialResult, best: float) -> str:
    als: AlsSettings = result.settings.als
    alpha = "auto" if als.alpha is None else f"{als.alpha:.2f}"
    return (
        f"trial {number}: ndcg@20 {result.ndcg:.4f} (best {best:.4f}) with {als.factors} factors,"
        f" alpha {alpha}, regularization {als.regularization:.4f},"
        f" neighbours {result.settings.neighbour_weight:g}"
    )
