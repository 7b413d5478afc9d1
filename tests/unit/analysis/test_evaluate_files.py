"""Evaluation of files with settings that were found: all that follows from them is made anew."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.analysis import evaluate_files as evaluating
from recsys.analysis.evaluate_files import EvaluationRequest, evaluate_files
from recsys.config.shop import load_shop
from recsys.core.model import UserModel
from recsys.evaluation.data import Mask
from recsys.evaluation.files.read_split import OneFile
from recsys.evaluation.protocol import SplitMethod
from recsys.training.als import AlsSettings
from recsys.training.build import BuiltModel, build_model
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort, Fitted
from tests.builders import two_tastes_log

FIRST_MS = 1_600_000_000_000
NOW_MS = FIRST_MS + 1_000 * 86_400_000
SMALL = ModelSettings(AlsSettings(factors=4, iterations=2))


def written(folder: Path) -> Path:
    log = two_tastes_log(users=60)
    columns = zip(log.users.tolist(), log.items.tolist(), log.times_ms().tolist(), strict=True)
    lines = [f"u{user},i{item},purchase,{FIRST_MS + when}\n" for user, item, when in columns]
    path = folder / "events.csv"
    path.write_text("user_id,item_id,event_type,timestamp\n" + "".join(lines))
    return path


def trained_users(
    folder: Path, monkeypatch: pytest.MonkeyPatch, found: ModelSettings, start: ModelSettings
) -> UserModel:
    """The users of the model, when the search finds these settings."""
    models: list[BuiltModel] = []

    def build(*arguments: object) -> BuiltModel:
        models.append(build_model(*arguments))  # type: ignore[arg-type]
        return models[-1]

    monkeypatch.setattr(evaluating, "build_model", build)
    monkeypatch.setattr(
        evaluating, "fit_settings", lambda *_, **__: Fitted(found, 0.1, 0.1, (), 0.0)
    )
    request = EvaluationRequest(
        files=OneFile(written(folder), SplitMethod.GLOBAL_TIME, 0.2),
        shop=replace(load_shop(), gate=replace(load_shop().gate, min_judged_users=1)),
        settings=start,
        mask=Mask.ALL,
        cutoffs=(20,),
        now_ms=NOW_MS,
        effort=FitEffort.QUICK,
    )
    evaluate_files(request, {}, lambda _: None, lambda _: None)
    return models[0].users


def test_the_model_is_trained_on_pairs_of_the_half_lives_that_were_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = SMALL.with_half_lives(3.0, 2.0)
    usual = trained_users(tmp_path, monkeypatch, SMALL, SMALL).histories.strengths
    found = trained_users(tmp_path, monkeypatch, short, SMALL).histories.strengths
    direct = trained_users(tmp_path, monkeypatch, short, short).histories.strengths
    assert np.array_equal(found, direct)
    assert found.min() < 0.01 < usual.min()
