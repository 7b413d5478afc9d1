"""The notebooks run from top to bottom and show what they promise, committed or run anew."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat
import pytest
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from recsys.stores.report_document import report_document
from tests.builders import a_report
from tests.integration.notebook_shop import (
    ALL_SEEN,
    FEW_FACTORS,
    MORE_FACTORS,
    TENANT,
    make_shop,
)

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What a reader's browser shows without complaint.
MAX_BYTES = 500_000
CELL_SECONDS = 300


OFTEN, SELDOM = "CLICK_RATE, LIFT = 4000, 0.08", "CLICK_RATE, LIFT = 4000, 0.001"


def named(old: str, new: str) -> str:
    return f'OLD_VERSION, NEW_VERSION = "{old}", "{new}"'


NO_VERSIONS = named("", "")
# A third of the trials show the same pictures.
QUICK = "EFFORT = FitEffort.QUICK\n"
QUICKER = f"""{QUICK}
from dataclasses import replace

PLANS[EFFORT] = replace(
    PLANS[EFFORT], alpha_scales=(0.5, 2.0), regularizations=(0.01, 0.001),
    climbs=1, finalists=1, factors=(),
)
"""


class _ThisPython(KernelSpecManager):  # type: ignore[misc]
    """The interpreter of the tests, whatever kernels the machine has registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(argv=make_ipkernel_cmd(), language="python", display_name=kernel_name)


class Runner:
    """Runs notebooks on the small shop; a run is kept for all tests that look at it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self.run = cache(self._run)

    def with_settings(self, folder: Path) -> "Runner":
        """The same shop with its settings in this folder."""
        return Runner(self._folder, self._environment | {"RECSYS_SHOP_CONFIG": str(folder)})

    def _run(self, path: Path, changed_from: str = "", to: str = "") -> NotebookNode:
        """The notebook with its new outputs; a failing cell raises CellExecutionError."""
        notebook = nbformat.read(path, as_version=4)
        if path == notebook_of("04"):
            changed_from, to = QUICK, QUICKER
        if changed_from:
            assert sum(changed_from in cell.source for cell in notebook.cells) == 1
        for cell in notebook.cells:
            cell.source = cell.source.replace(changed_from, to) if changed_from else cell.source
        manager = AsyncKernelManager(
            kernel_spec_manager=_ThisPython(),
            transport="ipc",
            connection_file=str(self._folder / f"{path.stem}.json"),
        )
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=CELL_SECONDS,
            # Not their own folder: Jupyter may be started anywhere.
            resources={"metadata": {"path": str(self._folder)}},
        )
        # A manager that it is given it would leave running.
        client.execute(env=self._environment, cleanup_kc=True)
        return notebook


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    store = tmp_path_factory.mktemp("models")
    make_shop(store, tmp_path_factory.mktemp("lines"))
    # The paths of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="nb") as folder:
        environment = os.environ | {
            "RECSYS_MODEL_STORE": str(store),
            "RECSYS_TENANT": TENANT,
            "PYTHONPATH": str(ROOT),
            "IPYTHONDIR": folder,
            "JUPYTER_CONFIG_DIR": folder,
        }
        yield Runner(Path(folder), environment)


def notebook_of(number: str) -> Path:
    return next(path for path in NOTEBOOKS if path.name.startswith(number))


def printed(notebook: NotebookNode) -> str:
    outputs = (output for cell in code_cells(notebook) for output in cell.outputs)
    return "".join(output.text for output in outputs if output.output_type == "stream")


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell: NotebookNode) -> set[str]:
    """Outputs of a cell: pictures, text, errors."""
    found: set[str] = set()
    for output in cell.outputs:
        if output.output_type == "display_data":
            found |= set(output.data)
        else:
            found.add(f"{output.output_type} {output.get('name', '')}")
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_that_draws_shows_a_picture(path: Path, runner: Runner) -> None:
    drawing = [cell for cell in code_cells(runner.run(path)) if "plt.show()" in cell.source]

    assert len(drawing) >= 3
    assert all("image/png" in kinds(cell) for cell in drawing)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_is_warned_about(path: Path, runner: Runner) -> None:
    cells = code_cells(runner.run(path))

    assert not [cell.source for cell in cells if "stream stderr" in kinds(cell)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs_are_those_of_one_run_from_top_to_bottom(
    path: Path, runner: Runner
) -> None:
    committed = code_cells(nbformat.read(path, as_version=4))

    assert [cell.execution_count for cell in committed] == list(range(1, len(committed) + 1))
    assert [kinds(cell) for cell in committed] == [
        kinds(cell) for cell in code_cells(runner.run(path))
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_holds_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(text) < MAX_BYTES
    assert str(Path.home()) not in text
    assert sys.prefix not in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_recsys_and_no_service_or_job(path: Path) -> None:
    source = "\n".join(cell.source for cell in code_cells(nbformat.read(path, as_version=4)))
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, flags=re.MULTILINE))

    assert "recsys" in imported
    assert imported <= {"recsys", "numpy", "matplotlib", *sys.stdlib_module_names}


def test_the_parts_of_every_explained_score_add_up_to_it(runner: Runner) -> None:
    text = printed(runner.run(notebook_of("02")))

    rows = re.findall(r"(\d\.\d{4})  (\d\.\d{4}) +(?:yes|no)", text)
    assert len(rows) == 10
    assert all(abs(float(score) - float(total)) < 2e-4 for score, total in rows)
    assert float(text.split("largest difference ")[1]) < 1e-5


def test_the_newest_version_is_inspected_with_its_metrics(runner: Runner) -> None:
    text = printed(runner.run(notebook_of("02")))

    assert ALL_SEEN in text
    assert re.search(r"ndcg_at_20 +0\.1000 +0\.0400", text)


def test_settings_are_tried_out_on_days_that_neither_model_has_seen(runner: Runner) -> None:
    text = printed(runner.run(notebook_of("03")))

    assert re.search(r"settings\.trend_exponent +0 +0\.75", text)
    assert re.search(r"ndcg_at_20 +0\.\d+ \[0\.\d+, 0\.\d+\]", text)


def test_two_stored_versions_are_compared_by_name(runner: Runner) -> None:
    text = printed(runner.run(notebook_of("03"), NO_VERSIONS, named(FEW_FACTORS, MORE_FACTORS)))

    assert re.search(r"recipe\.neighbour_weight +\d", text)
    assert re.search(rf"metric +{FEW_FACTORS} +{MORE_FACTORS}", text)


@pytest.mark.parametrize(
    ("number", "changed_from", "to", "said"),
    [
        ("02", 'USER_ID = ""', 'USER_ID = "nobody"', "'nobody' is none of the model's"),
        ("02", 'ITEM_ID = ""', 'ITEM_ID = "nothing"', "'nothing' is none of the model's"),
        ("03", NO_VERSIONS, named("", ALL_SEEN), "name both versions, or neither"),
    ],
)
def test_a_name_that_cannot_be_meant_is_told(
    runner: Runner, number: str, changed_from: str, to: str, said: str
) -> None:
    with pytest.raises(CellExecutionError, match=said):
        runner.run(notebook_of(number), changed_from, to)


def test_a_report_is_read_from_the_file_of_the_command(runner: Runner, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report_document(a_report())), "utf-8")
    text = printed(runner.run(notebook_of("05"), 'REPORT = ""', f'REPORT = "{file}"'))

    assert re.search(r"home, mixed: größer +10 +80 +20 +4 +2 +12\.50", text)
    assert "home, mixed: sample ratio mismatch, p = 0.0005" in text
    assert re.search(r"größer +0 +5\n", text)
    # .25 +- .125 of ten shoppers: 2 * 10 * (2.8 / 1.96 * .125 / (.05 * .25)) ** 2.
    assert "click_rate: 4,082 shoppers of each variant" in text


def test_who_looks_every_day_finds_what_is_not_there(runner: Runner) -> None:
    found = re.search(
        r"at the end (\d+)% differ by chance, on one of 28 days (\d+)% did",
        printed(runner.run(notebook_of("05"))),
    )

    assert found
    assert int(found[1]) <= 9
    assert int(found[2]) >= 15


def test_shoppers_of_whom_nothing_is_known_yet_do_not_differ(runner: Runner) -> None:
    found = re.search(
        r"on one of 28 days (\d+)% did",
        printed(runner.run(notebook_of("05"), OFTEN, SELDOM)),
    )

    assert found
    assert int(found[1]) <= 50


def test_a_search_begins_with_the_half_lives_that_the_shop_has_fixed(
    runner: Runner, tmp_path: Path
) -> None:
    (tmp_path / f"{TENANT}.toml").write_text("half_life_days = 33\n", "utf-8")

    text = printed(runner.with_settings(tmp_path).run(notebook_of("04")))

    assert re.search(r"\nhalf_life_days +33 +33\n", text)


def test_a_version_that_has_seen_everything_is_compared_but_not_judged(runner: Runner) -> None:
    text = printed(runner.run(notebook_of("03"), NO_VERSIONS, named(FEW_FACTORS, ALL_SEEN)))

    assert re.search(rf"item +rank in {FEW_FACTORS} +rank in {ALL_SEEN}", text)
    assert "Nothing has happened since" in text
    assert "ndcg_at_20" not in text.split("Nothing has happened since")[1]
