"""Evaluation of files with settings that were found: all that follows from them is made anew."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.analysis import evaluate_files as evaluating
from recsys.analysis.evaluate_files import EvaluationRequest, evaluate_files
from recsys.config.shop import load_shop
from recsys.core.domain import Item
from recsys.core.errors import ConfigurationError, InvalidInput
from recsys.core.model import UserModel
from recsys.evaluation.data import Mask
from recsys.evaluation.files.item_file import ItemFiles, read_items
from recsys.evaluation.files.read_split import OneLog
from recsys.evaluation.protocol import SplitMethod
from recsys.evaluation.result import EvaluationResult
from recsys.evaluation.result_json import json_entries
from recsys.evaluation.result_table import table_lines
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


def request_of(events: Path) -> EvaluationRequest:
    return EvaluationRequest(
        files=OneLog((events,), SplitMethod.GLOBAL_TIME, 0.2),
        shop=replace(load_shop(), gate=replace(load_shop().gate, min_judged_users=1)),
        settings=SMALL,
        mask=Mask.ALL,
        cutoffs=(20,),
        now_ms=NOW_MS,
        effort=FitEffort.OFF,
    )


def evaluated(request: EvaluationRequest) -> EvaluationResult:
    return evaluate_files(request, {}, lambda _: None, lambda _: None)


def trained_users(
    folder: Path, monkeypatch: pytest.MonkeyPatch, found: ModelSettings, start: ModelSettings
) -> UserModel:
    """The users of the model, when the search finds these settings."""
    models: list[BuiltModel] = []

    def build(*arguments: object, **others: object) -> BuiltModel:
        models.append(build_model(*arguments, **others))  # type: ignore[arg-type]
        return models[-1]

    monkeypatch.setattr(evaluating, "build_model", build)
    monkeypatch.setattr(
        evaluating, "fit_settings", lambda *_, **__: Fitted(found, 0.1, 0.1, (), 0.0)
    )
    evaluated(replace(request_of(written(folder)), settings=start, effort=FitEffort.QUICK))
    return models[0].users


def test_the_model_is_trained_on_pairs_of_the_half_lives_that_were_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(SMALL, half_life_days=3.0, popularity_half_life_days=2.0)
    usual = trained_users(tmp_path, monkeypatch, SMALL, SMALL).histories.strengths
    found = trained_users(tmp_path, monkeypatch, short, SMALL).histories.strengths
    direct = trained_users(tmp_path, monkeypatch, short, short).histories.strengths
    assert np.array_equal(found, direct)
    assert found.min() < 0.01 < usual.min()


def catalogue(folder: Path, rows: str) -> ItemFiles:
    path = folder / "items.csv"
    path.write_text("item_id,title,category\n" + rows)
    return ItemFiles((path,))


def with_new_items(folder: Path) -> EvaluationRequest:
    """On the last day all buy what is new, each of the own taste; categories tell the taste."""
    events = written(folder)
    last = FIRST_MS + 200 * 86_400_000
    new = [f"u{user},new{user % 2},purchase,{last + user}\n" for user in range(60)]
    with events.open("a") as file:
        file.writelines(new)
    old = "".join(f"i{item},Item {item},{'odd' if item % 2 else 'even'}\n" for item in range(30))
    items = catalogue(folder, old + "new0,New,even\nnew1,New,odd\n")
    return replace(request_of(events), items=items, ablation=True)


def test_content_foresees_who_wants_new_items(tmp_path: Path) -> None:
    result = evaluated(with_new_items(tmp_path))

    assert set(result.new_items) == {"model", "on_arrival", "popularity", "random"}
    assert result.new_items["model"].means["mrr_at_20"] > 0.9
    assert result.new_items["random"].means["mrr_at_20"] < 0.9
    assert result.model.cold_items.means["recall_at_20"] == 1
    assert result.ablations["content off"].cold_items.means["recall_at_20"] < 1
    assert any(
        line.startswith("60 users wanted items without behaviour") for line in table_lines(result)
    )
    entries = json_entries(result)["new_items"]
    assert entries["model"]["users"] == 60


def test_a_catalogue_of_other_ids_is_refused(tmp_path: Path) -> None:
    request = with_new_items(tmp_path)
    other = replace(request, items=catalogue(tmp_path, "sku-0,Item 0,even\nsku-1,Item 1,odd\n"))
    with pytest.raises(ConfigurationError, match=r"items.csv has none of the 30 items of training"):
        evaluated(other)


def test_it_is_said_how_many_items_the_catalogue_has(tmp_path: Path) -> None:
    told: list[str] = []
    request = with_new_items(tmp_path)
    some = replace(request, items=catalogue(tmp_path, "i0,Item 0,even\nnew0,New,even\n"))
    evaluate_files(some, {}, told.append, lambda _: None)
    assert "items.csv: has 1 of the 30 items with behaviour" in told


def test_without_a_catalogue_nothing_is_said_of_new_items(tmp_path: Path) -> None:
    result = evaluated(replace(with_new_items(tmp_path), items=None))
    assert result.new_items == {}
    assert "content off" not in result.ablations


def test_a_row_of_the_catalogue_that_breaks_a_rule_is_an_error_unless_it_may(
    tmp_path: Path,
) -> None:
    file = catalogue(tmp_path, "a,A,c\n9e+05,B,c\n")
    with pytest.raises(InvalidInput, match=r"items.csv.*line 3.*rounded number"):
        read_items(file)
    items, left_out = read_items(replace(file, max_rejected=0.5))
    assert [item.item_id for item in items] == ["a"]
    assert left_out.total() == 1


def test_rows_about_one_item_are_one_item(tmp_path: Path) -> None:
    items, _ = read_items(catalogue(tmp_path, "a,A,\na,,shoes\n"))
    assert items == [Item("a", title="A", categories=("shoes",))]


def test_the_page_for_scripts_names_every_entry_of_the_json(tmp_path: Path) -> None:
    result = evaluated(request_of(written(tmp_path)))
    page = Path(__file__).parents[3] / "docs/how-to/work-with-models-in-python.md"
    section = page.read_text().split("## The result of")[1]
    entries = {name for name in json_entries(result) if "_at_" not in name}

    assert [name for name in sorted(entries) if f"`{name}`" not in section] == []
