"""`recsys evaluate` from files to the table and the JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.app import main
from tests.builders import checkerboard

Run = Callable[..., tuple[int, str, str]]
METRICS = ("recall", "ndcg", "map", "mrr", "hit_rate", "precision", "novelty", "diversity")
SIZE = 24


@pytest.fixture
def evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs the command in this process; returns exit code, stdout and stderr."""

    def run(train: str, test: str, *options: str) -> tuple[int, str, str]:
        (tmp_path / "train.csv").write_text(train)
        (tmp_path / "test.csv").write_text(test)
        files = ("--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv")
        files += ("--output", tmp_path / "out.json")
        monkeypatch.setattr("sys.argv", ["recsys", "evaluate", *map(str, files), *options])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def checkerboard_files() -> tuple[str, str]:
    """Checkerboard with a known answer: users want the one square of their colour left out."""
    rows = np.argwhere(checkerboard(SIZE) > 0)
    train = "".join(f"u{user},i{item}\n" for user, item in rows)
    test = "".join(f"u{user},i{user}\n" for user in range(SIZE))
    return f"user_id,item_id\n{train}", f"user_id,item_id\n{test}"


def result(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    return found


def test_the_model_is_judged_beside_baselines(evaluate: Run, tmp_path: Path) -> None:
    code, out, told = evaluate(*checkerboard_files())

    assert code == 0
    found = result(tmp_path)
    assert found["hit_rate_at_20"] == 1
    assert found["ndcg_at_20"] > 0.9
    assert found["users"] == SIZE
    assert found["cold_users"]["users"] == 0
    assert found["seconds"]["train"] > 0
    assert found["peak_memory_mib"] > 0
    assert found["settings"]["model"]["als"]["factors"] > 0
    assert set(found["baselines"]) == {"popularity", "item-knn", "implicit"}
    for metrics in (found, *found["baselines"].values()):
        for name in METRICS:
            low, high = metrics["intervals"][f"{name}_at_20"]
            assert low <= metrics[f"{name}_at_20"] <= high
        assert 0 < metrics["coverage_at_20"] <= 1
    difference = found["baselines"]["popularity"]["model_minus_baseline"]["ndcg_at_20"]
    assert difference[0] == pytest.approx(
        found["ndcg_at_20"] - found["baselines"]["popularity"]["ndcg_at_20"]
    )
    assert out.splitlines()[0].split() == ["metric", "model", "popularity", "item-knn", "implicit"]
    assert f"{SIZE} users judged" in out
    assert "model: iteration" in told


def test_baselines_are_chosen_or_left_out(evaluate: Run, tmp_path: Path) -> None:
    evaluate(*checkerboard_files(), "--baseline", "popularity")
    assert list(result(tmp_path)["baselines"]) == ["popularity"]
    evaluate(*checkerboard_files(), "--no-baselines")
    assert result(tmp_path)["baselines"] == {}


def test_who_and_what_training_does_not_know_is_told_apart(evaluate: Run, tmp_path: Path) -> None:
    train, test = checkerboard_files()
    extra = "stranger,i3\nu0,brand new\nu1,i2\n"

    code, out, _ = evaluate(train, test + extra, "--no-baselines")

    found = result(tmp_path)
    assert code == 0
    assert found["users"] == SIZE
    assert found["cold_users"]["users"] == 1
    assert found["all_users"]["users"] == SIZE + 1
    assert found["data"]["test_pairs"] == SIZE + 3
    assert found["data"]["test_pairs_of_unknown_items"] == 1
    assert found["data"]["test_pairs_masked"] == int(checkerboard(SIZE)[1, 2])
    assert "1 cold user, answered with popular items" in out
    assert "1 test pair counts but cannot be hit: the item is not in training" in out


def test_running_again_gives_the_same_numbers(evaluate: Run, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        evaluate(*checkerboard_files(), "--baseline", "implicit")
        numbers = result(tmp_path)
        del numbers["seconds"], numbers["peak_memory_mib"]
        del numbers["baselines"]["implicit"]["seconds"]
        found.append(numbers)
    assert found[0] == found[1]


def test_a_shop_of_its_own_says_what_types_count(
    evaluate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "books.toml").write_text(
        "half_life_days = 9\npopularity_half_life_days = 2\ngoals = ['heard']\n"
        "[event_types]\nheard = { weight = 2.0, excludes = true }\n"
    )
    monkeypatch.setenv("RECSYS_SHOP_CONFIG", str(tmp_path))
    train, test = (
        text.replace("\n", ",heard\n").replace("item_id,heard", "item_id,event_type")
        for text in checkerboard_files()
    )

    code, _, _ = evaluate(train, test, "--no-baselines", "--mask", "excluded", "--tenant", "books")

    assert code == 0
    settings = result(tmp_path)["settings"]
    assert settings["mask"] == "excluded"
    assert settings["shop"]["half_life_days"] == 9


@pytest.mark.parametrize(
    ("code", "train", "test", "reason"),
    [
        # Columns are named by options.
        (2, "user_id\na\n", "user_id,item_id\na,x\n", "train.csv: no column for item_id"),
        (2, "user_id,item_id\na,x\n", "", "test.csv has no header line"),
        (1, "user_id,item_id\na,x\nb,y\n", "user_id,item_id\nc,x\n", "no user of the test has"),
        (
            1,
            "user_id,item_id,value\na,x,1\na,y,lots\n",
            "user_id,item_id\na,x\n",
            "line 3: value: must be a number",
        ),
        (1, "user_id,item_id,value\na,x,0\n", "user_id,item_id\na,x\n", "positive weight"),
        (
            1,
            "user_id,item_id,timestamp\na,x,2024-01-01\na,y,2099-01-01\n",
            "user_id,item_id\na,x\n",
            "train.csv: line 3: timestamp: is more than 24 hours in the future; the row is",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    evaluate: Run, tmp_path: Path, code: int, train: str, test: str, reason: str
) -> None:
    ended, out, told = evaluate(train, test)

    assert ended == code
    assert told.splitlines()[-1].startswith("error: ")
    assert reason in told
    assert "Traceback" not in told + out
    assert not (tmp_path / "out.json").exists()


def test_a_folder_of_parts_is_read_as_one(
    evaluate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, test = checkerboard_files()
    assert evaluate(train, test, "--no-baselines", "--fit-settings", "off")[0] == 0
    whole = result(tmp_path)
    header, *rows = train.splitlines(keepends=True)
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "_SUCCESS").touch()
    for number, some in enumerate((rows[:99], rows[99:])):
        (parts / f"part-{number}.csv").write_text(header + "".join(some))
    options = ["--train", parts, "--test", tmp_path / "test.csv", "--output", tmp_path / "out.json"]
    options += ["--no-baselines", "--fit-settings", "off"]
    monkeypatch.setattr("sys.argv", ["recsys", "evaluate", *map(str, options)])

    with pytest.raises(SystemExit) as ended:
        main()

    assert not ended.value.code
    assert result(tmp_path)["ndcg_at_20"] == whole["ndcg_at_20"]


def test_no_folder_for_the_results_is_said_before_any_work(evaluate: Run, tmp_path: Path) -> None:
    code, _, told = evaluate(*checkerboard_files(), "--output", str(tmp_path / "no" / "out.json"))

    assert code == 2
    assert "no such folder" in told
    assert "events read" not in told
