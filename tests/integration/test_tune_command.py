"""`recsys tune` over the events that a nightly run has read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.tune import tune_settings
from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError, NotFound
from recsys.tuning import PLANS, FitEffort
from spark_jobs.model_settings import read_model_settings
from tests.builders import two_tastes_log


@pytest.fixture(autouse=True)
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(PLANS[FitEffort.THOROUGH], alpha_scales=(2.0,), climbs=1, finalists=1)
    monkeypatch.setitem(PLANS, FitEffort.THOROUGH, few)


@pytest.fixture
def model_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    store = tmp_path / "models"
    for name, value in {
        "HBASE_THRIFT": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1",
        "RECSYS_MODEL_STORE": str(store),
        "RECSYS_TENANT": "shop",
    }.items():
        monkeypatch.setenv(name, value)
    return store


def write_events(folder: Path) -> None:
    log = two_tastes_log()
    columns = {
        "user_id": np.array(log.user_ids)[log.users],
        "item_id": np.array(log.item_ids)[log.items],
        "event_type": np.full(len(log), "purchase"),
        "timestamp_ms": log.times_ms(),
    }
    (folder / "events.parquet").mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "events.parquet" / "part-0.parquet")


def test_what_is_found_is_a_file_that_nightly_takes(
    model_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_events(model_store / ".runs" / "shop")
    output = tmp_path / "settings.json"

    tune_settings(output, tenant=None)

    assert read_model_settings(output, load_shop(), print).als.alpha is None
    assert f"recsys nightly --settings {output}" in capsys.readouterr().err


def test_without_a_run_it_says_what_to_do_first(model_store: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="recsys nightly"):
        tune_settings(tmp_path / "s.json", tenant=None)


def test_a_folder_that_is_not_there_is_named_before_anything_is_searched(
    model_store: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        tune_settings(tmp_path / "no" / "s.json", tenant=None)
