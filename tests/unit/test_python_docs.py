"""The examples for data scientists run as they are written."""

import re
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import recsys.evaluation
from recsys.analysis.shop_data import read_last_run
from recsys.analysis.versions import trained_version
from recsys.config.shop import load_shop
from recsys.core.domain import Item
from recsys.evaluation import (
    Estimate,
    SplitMethod,
    evaluate_baseline,
    evaluation_data,
    split_log,
)
from recsys.evaluation.baselines.by_name import BASELINES
from recsys.stores.manifest import params_entry
from recsys.stores.model_files import ModelFiles
from recsys.stores.run_files import run_folder
from recsys.training.als import AlsSettings
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.run_folder import RunFolder
from tests.builders import a_manifest, two_tastes_log
from tests.unit.test_storefront_docs import ROOT

PAGE = ROOT / "docs/how-to/work-with-models-in-python.md"
FIRST_MS = 1_600_000_000_000


class _Items:
    def scan(self, tenant: str) -> list[Item]:
        return [Item(f"i{row}", title=f"Item {row}") for row in range(30)]


def _table(log: EventLog) -> pa.Table:
    return pa.table(
        {
            "user_id": [log.user_ids[code] for code in log.users],
            "item_id": [log.item_ids[code] for code in log.items],
            "event_type": ["purchase"] * len(log),
            "timestamp_ms": (log.times_ms() + FIRST_MS).tolist(),
        }
    )


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model store with what a night read and a version, and a file of events beside it."""
    store, log = tmp_path / "models", two_tastes_log()
    monkeypatch.setenv("RECSYS_MODEL_STORE", str(store))
    monkeypatch.setenv("RECSYS_TENANT", "shop")
    monkeypatch.chdir(tmp_path)
    folder = RunFolder(run_folder(store, "shop"))
    folder.begin()
    folder.events.mkdir()
    (folder.events / "_SUCCESS").touch()
    pq.write_table(_table(log), folder.events / "part-0.parquet")
    folder.save_catalogue(_Items(), "shop")  # type: ignore[arg-type]
    table = _table(log).rename_columns(["user_id", "item_id", "event_type", "timestamp"])
    (tmp_path / "events.csv").write_text(
        "\n".join([",".join(table.column_names), *(_line(row) for row in table.to_pylist())])
    )
    _save_version(store)


def _line(row: dict[str, Any]) -> str:
    return ",".join(map(str, row.values()))


def _save_version(store: Path) -> None:
    shop = load_shop()
    data = read_last_run(store, "shop", shop)
    settings = ModelSettings(AlsSettings(factors=4, iterations=2))
    end_ms = int(data.log.times_ms().max()) + 1
    model = trained_version("v1", data, shop, settings, end_ms).model
    manifest = a_manifest("v1", recipe=params_entry(model.params))
    ModelFiles(store).save(manifest, model.items, model.users)


@pytest.mark.usefixtures("workplace")
def test_the_page_runs_from_top_to_bottom() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own page

    assert len(blocks) == 5
    assert names["items"].factors.shape == (30, 4)
    listed = names["best"][names["best"] >= 0]
    scores = names["scores"][listed]
    assert len(listed) > 0
    assert (scores[:-1] >= scores[1:]).all()
    assert listed.tolist() == names["explained"].items.tolist()
    assert isinstance(names["gain"], Estimate)
    assert set(names["ndcg"]) == {"model", "ease", "mine"}
    assert len(names["test"]) > 0


def test_the_example_of_the_package_runs_as_it_is() -> None:
    text = recsys.evaluation.__doc__ or ""
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    names: dict[str, Any] = {"log": two_tastes_log()}
    exec("from recsys.evaluation import *", names)  # noqa: S102
    exec(textwrap.dedent("\n".join(lines)), names)  # noqa: S102

    assert names["ours"].report.means["ndcg_at_10"] > 0


GLOSSARY = (ROOT / "docs/glossary.md").read_text()


def _terms(section: str) -> set[str]:
    rows = GLOSSARY.split(f"## {section}\n")[1].split("\n## ")[0].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| ")]
    return {term.strip(" `") for cell in cells for term in cell.split(",")}


def test_the_glossary_has_every_metric_that_is_printed() -> None:
    data = evaluation_data(split_log(two_tastes_log(), SplitMethod.LEAVE_LAST_OUT), load_shop())
    report = evaluate_baseline("popularity", BASELINES["popularity"], data).report
    printed = {name.split("_at_")[0].replace("_", " ") for name in report.means}

    assert printed
    assert printed <= _terms("Metrics")


def test_the_glossary_has_every_setting_of_a_model() -> None:
    found = {field.name for field in fields(ModelSettings)} - {"als"}

    assert found <= _terms("Settings of a model")


@pytest.mark.parametrize("page", [PAGE, ROOT / "docs/glossary.md"], ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())

    assert [link for link in links if not (page.parent / link).resolve().exists()] == []
