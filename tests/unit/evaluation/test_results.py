"""A model, its ablation and baselines, evaluated and written down."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.config.shop import load_shop
from recsys.evaluation import (
    EvaluationData,
    Mask,
    SplitMethod,
    evaluate_baseline,
    evaluate_cold_users,
    evaluate_model,
    evaluation_data,
    split_log,
)
from recsys.evaluation.ablation import ablations
from recsys.evaluation.baselines.by_name import BASELINES
from recsys.evaluation.result import EvaluationInput, EvaluationResult, FitSummary, TrainingBackend
from recsys.evaluation.result_json import json_entries, save_result
from recsys.evaluation.result_table import table_lines
from recsys.training.als import AlsSettings, Device
from recsys.training.build import BuiltModel, build_model
from recsys.training.settings import ModelSettings
from tests.builders import two_tastes_log

SETTINGS = ModelSettings(AlsSettings(factors=8, iterations=2, device=Device.CPU))
K = (10, 5)


def test_notes_speak_of_intervals_and_limited_users_where_there_are_any(
    result: EvaluationResult,
) -> None:
    data = result.source.data
    assert "40 users judged; brackets are 95 % intervals of a mean" in table_lines(result)
    assert not any("more than 5%" in line for line in table_lines(result))

    alone = replace(data, known=data.known.only(data.known.users == data.known.users[0]))
    alone = replace(alone, pairs=replace(data.pairs, limited_users=2))
    found = replace(result, source=replace(result.source, data=alone))

    lines = table_lines(found)
    assert "1 user judged; too few for a 95 % interval" in lines
    assert "2 users have more than 5% of all behaviour, as robots do, and count as 5%" in lines
    assert json_entries(found)["data"]["train_users_limited"] == 2


@pytest.fixture(scope="module")
def data() -> EvaluationData:
    log = two_tastes_log()
    # An item that only the test of the user 0 has.
    new = replace(log, item_ids=[*log.item_ids, "new"], items=log.items.copy())
    assert new.timestamps_ms is not None
    own = np.flatnonzero(new.users == 0)
    new.items[own[np.argmax(new.timestamps_ms[own] + np.arange(len(own)) / 1e6)]] = 30
    split = split_log(new, SplitMethod.LEAVE_LAST_OUT)
    return evaluation_data(split, load_shop(), with_sequences=True)


@pytest.fixture(scope="module")
def built(data: EvaluationData) -> BuiltModel:
    items = len(data.pairs.items)
    return build_model(data.pairs, ("",) * items, data.eligible, SETTINGS)


@pytest.fixture(scope="module")
def result(data: EvaluationData, built: BuiltModel) -> EvaluationResult:
    return EvaluationResult(
        source=EvaluationInput(
            data,
            {"method": "leave-last-out"},
            {"train": 9, "test": 3},
            {"train": 1, "test": 0},
            0.5,
        ),
        settings=SETTINGS,
        fitted=FitSummary((("final", 0.5, ModelSettings()),), 0.5, 0.4, 61.0),
        shop=load_shop(),
        mask=Mask.ALL,
        backend=TrainingBackend("own", "cpu", 1.0, {}),
        model=evaluate_model("model", built, data, K),
        cold_users=evaluate_cold_users(data, K),
        peak_memory_mib=1.0,
        baselines={
            name: evaluate_baseline(name, BASELINES[name], data, K)
            for name in ("popularity", "item-knn", "ease", "markov")
        },
        ablations={name: evaluate_model(name, m, data, K) for name, m in ablations(built)},
    )


def test_every_model_has_metrics_at_every_cut_off(result: EvaluationResult) -> None:
    found = json_entries(result)
    for metrics in (found, *found["baselines"].values(), *found["ablation"].values()):
        for name in ("recall", "ndcg", "hit_rate", "mrr", "coverage"):
            for k in K:
                assert 0 <= metrics[f"{name}_at_{k}"] <= 1
        assert metrics["recall_at_5"] <= metrics["recall_at_10"]


def test_with_one_test_item_a_user_recall_is_the_hit_rate(result: EvaluationResult) -> None:
    found = json_entries(result)
    assert found["recall_at_10"] == found["hit_rate_at_10"]


def test_warm_and_cold_items_are_apart(result: EvaluationResult, data: EvaluationData) -> None:
    found = json_entries(result)
    warm, cold = found["warm_items"], found["cold_items"]
    assert (warm["pairs"], cold["pairs"]) == (len(data.known) - 1, 1)
    assert warm["share_of_pairs"] + cold["share_of_pairs"] == 1
    assert cold["recall_at_10"] == 0
    mean = found["recall_at_10"]
    assert warm["recall_at_10"] * warm["pairs"] == pytest.approx(mean * found["users"])
    assert found["baselines"]["ease"]["cold_items"]["pairs"] == 1


def test_tastes_are_found_by_everything_that_looks_at_them(result: EvaluationResult) -> None:
    """Of an item of the own taste half are in any list of ten; popularity knows no taste."""
    means = {name: found.report.means["recall_at_5"] for name, found in result.baselines.items()}
    ours = result.model.report.means["recall_at_5"]
    for better in (ours, means["item-knn"], means["ease"]):
        assert better > means["popularity"]


def test_the_table_names_what_there_is(result: EvaluationResult) -> None:
    lines = table_lines(result)
    assert lines[0].split() == ["metric", "model", "popularity", "item-knn", "ease", "markov"]
    assert lines[1].startswith("recall_at_10 ")
    text = "\n".join(lines)
    for row in (
        "all ",
        "factors only ",
        "neighbours only ",
        "trend off ",
        "settings found in 1 trial",
    ):
        assert f"\n{row}" in text
    assert "model - ease: recall_at_10 " in text
    assert "39 test pairs (97.5%) of warm items: recall_at_10 " in text
    assert "1 test pair (2.5%) of cold items: recall_at_10 0.0000" in text


def test_the_json_is_the_result(result: EvaluationResult, tmp_path: Path) -> None:
    save_result(result, tmp_path / "out.json")
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    assert found == json.loads(json.dumps(json_entries(result)))
    assert found["settings"]["split"] == {"method": "leave-last-out", "relation": "user-future"}
    assert found["fit"]["validation_ndcg_at_20"] == 0.5
    differences = found["ablation"]["factors only"]["model_minus_ablation"]
    assert differences["ndcg_at_5"][0] == pytest.approx(
        found["ndcg_at_5"] - found["ablation"]["factors only"]["ndcg_at_5"]
    )


def test_without_ablation_and_cold_items_nothing_is_said_of_them(
    result: EvaluationResult,
) -> None:
    text = "\n".join(table_lines(replace(result, ablations={})))
    assert "factors only" not in text
    assert json_entries(replace(result, ablations={}))["ablation"] == {}
