"""`recsys evaluate` on one file of events: options, splits and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from tests.builders import two_tastes_log

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs the command in this process; returns exit code, stdout and stderr."""

    def run(*options: str, **files: str) -> tuple[int, str, str]:
        named = {"output": tmp_path / "out.json"}
        for name, text in files.items():
            named[name] = tmp_path / f"{name}.csv"
            named[name].write_text(text)
        of_files = [part for name, path in named.items() for part in (f"--{name}", str(path))]
        monkeypatch.setattr("sys.argv", ["recsys", "evaluate", *of_files, *options])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def a_file(timed: bool = True) -> str:
    log = two_tastes_log(timed=timed)
    columns = [log.users.tolist(), log.items.tolist()]
    # Days from November 2023 on.
    columns += [(log.times_ms() + 1_700_000_000_000).tolist()] if timed else []
    header = "user_id,item_id" + ",timestamp" * timed
    rows = (",".join(map(str, row)) for row in zip(*columns, strict=True))
    return "\n".join([header, *rows]) + "\n"


def result(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    return found


def test_each_users_last_event_is_held_out_and_judged_by(evaluate: Run, tmp_path: Path) -> None:
    code, out, told = evaluate(
        "--split", "leave-last-out", "--k", "10,5", "--ablation",
        "--baseline", "markov", "--baseline", "ease", events=a_file(),
    )  # fmt: skip

    assert code == 0
    found = result(tmp_path)
    assert found["users"] + found["cold_users"]["users"] == 40
    assert found["data"]["test_rows"] == 40
    assert found["settings"]["split"] == {"method": "leave-last-out", "relation": "user-future"}
    assert found["recall_at_5"] <= found["recall_at_10"] == found["hit_rate_at_10"]
    assert set(found["baselines"]) == {"markov", "ease"}
    assert set(found["ablation"]) == {
        "factors only", "neighbours only",
        "factors off", "neighbours off", "order off", "trend off",
    }  # fmt: skip
    assert out.splitlines()[1].startswith("recall_at_10 ")
    assert "neighbours off" in out
    assert "only the order of a user's events counts" in told


def test_the_newest_share_is_held_out(evaluate: Run, tmp_path: Path) -> None:
    options = ("--split", "global-time", "--test-share", "0.2", "--no-baselines")
    code, _, told = evaluate(*options, events=a_file())

    assert code == 0
    found = result(tmp_path)
    rows = found["data"]["train_rows"] + found["data"]["test_rows"]
    assert found["data"]["test_rows"] / rows == pytest.approx(0.2, abs=0.02)
    assert found["settings"]["split"] == {
        "method": "global-time", "test_share": 0.2, "relation": "global-future",
    }  # fmt: skip
    assert "left out" not in told


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "give either --train and --test, or --events and --split"),
        (("--split", "global-time", "--train", __file__), "give either --train and --test, or"),
        (("--split", "leave-last-out", "--test-share", "0.2"), "--test-share belongs to"),
        (("--split", "leave-last-out", "--k", "10,0"), "--k 10,0: expected numbers from 1"),
        (("--split", "leave-last-out", "--k", "ten"), "--k ten: expected numbers from 1"),
    ],
)
def test_options_that_make_no_sense_are_said_before_any_work(
    evaluate: Run, options: tuple[str, ...], reason: str
) -> None:
    code, _, told = evaluate(*options, events=a_file())
    assert code == 2
    assert told.startswith(f"error: {reason}")


@pytest.mark.parametrize("split", ["leave-last-out", "global-time"])
def test_a_split_needs_timestamps(evaluate: Run, split: str) -> None:
    code, _, told = evaluate("--split", split, events=a_file(timed=False))
    assert code == 2
    assert f"--split {split} needs times, and events.csv has no timestamp" in told
    assert "--mapping COLUMN=timestamp" in told


def test_a_baseline_that_cannot_be_trained_is_said_before_the_model_is(evaluate: Run) -> None:
    code, _, told = evaluate(
        "--baseline", "markov", train=a_file(timed=False), test="user_id,item_id\n1,2\n"
    )
    assert code == 2
    assert "error: markov learns from what follows what: training needs timestamps" in told
    assert "iteration" not in told


def test_one_line_of_another_century_is_an_error(evaluate: Run, tmp_path: Path) -> None:
    """It made all other behaviour count nothing, and the exit code was 0."""
    rows = len(a_file().splitlines())
    code, _, told = evaluate("--split", "global-time", events=a_file() + "1,2,2099-01-01\n")
    assert code == 1
    assert (
        f"events.csv: line {rows + 1}: timestamp: is more than 24 hours in the future; the row is"
        in told
    )
    assert not (tmp_path / "out.json").exists()


def test_files_are_read_with_the_options_of_an_import(evaluate: Run, tmp_path: Path) -> None:
    """A log without header, of other names and units, and with a row that breaks a rule."""
    rows = [line.split(",") for line in a_file().splitlines()[1:]]
    text = "".join(f"{user};i{item};PV;{int(at) // 1000}\n" for user, item, at in rows)
    code, _, told = evaluate(
        "--split", "leave-last-out", "--no-baselines", "--no-header",
        "--columns", "who,item_id,kind,when", "--mapping", "who=user_id", "--mapping",
        "when=timestamp", "--mapping", "kind=event_type", "--event-types", "pv=purchase",
        "--max-rejected", "0.01", events=text + "u;i;PV;42\n",
    )  # fmt: skip

    assert code == 0, told
    assert f"events.csv: {len(rows):,} events read" in told
    assert "1 row left out: timestamp: is no time from 1995 on" in told
    assert result(tmp_path)["data"]["test_rows"] == 40


def test_columns_that_do_not_count_are_named(evaluate: Run) -> None:
    header, *rows = a_file().splitlines()
    text = "\n".join([f"{header},rating", *(f"{row},1" for row in rows)])
    _, _, told = evaluate(
        *("--split", "leave-last-out", "--no-baselines", "--fit-settings", "off"), events=text
    )

    assert "events.csv: columns not used: rating" in told


OFF = ("--no-baselines", "--fit-settings", "off")


def test_a_preset_says_what_the_columns_are(evaluate: Run, tmp_path: Path) -> None:
    # Ratings are no goal of the shop, and all that there is to foresee.
    rows = [line.replace(",", "::") for line in a_file().splitlines()[1:]]
    text = "\n".join("::".join([*row.split("::")[:2], "4", row.split("::")[2]]) for row in rows)
    options = ("--split", "leave-last-out", "--preset", "movielens-1m", *OFF)
    code, _, told = evaluate(*options, events=text)

    assert code == 0
    assert "events.csv: columns not used: stars" in told
    assert result(tmp_path)["data"]["test_rows"] == 40


def test_an_option_goes_before_the_preset(evaluate: Run) -> None:
    options = ("--split", "leave-last-out", "--preset", "hm", *OFF)
    code, _, told = evaluate(*options, "--event-type", "view", events=a_file())

    assert code == 2
    assert "there is no column 't_dat'" in told
    code, _, told = evaluate(
        *("--split", "leave-last-out", "--preset", "recbole", "--event-type", "view", *OFF),
        events=a_file(),
    )
    assert code == 1
    assert "none of the event types (view) is a goal" in told


def test_the_preset_of_invoices_is_for_imports(evaluate: Run) -> None:
    options = ("--split", "leave-last-out", "--preset", "online-retail")
    code, _, told = evaluate(*options, events=a_file())

    assert code == 2
    assert "--preset online-retail is for imports" in told


def test_a_mapping_of_an_import_may_name_what_is_not_evaluated(evaluate: Run) -> None:
    header, *rows = a_file().splitlines()
    text = "\n".join([f"{header},value", *(f"{row},-1" for row in rows)])
    options = ("--split", "leave-last-out", "--mapping", "value=price", *OFF)
    code, _, told = evaluate(*options, events=text)

    assert code == 0
    assert "events.csv: columns not used: value" in told
    code, _, told = evaluate(*options, "--mapping", "value=colour", events=text)
    assert code == 2
    assert "'colour' is no field of events" in told


def test_a_difference_over_one_user_has_no_interval(evaluate: Run) -> None:
    pair = "user_id,item_id\n"
    code, out, _ = evaluate(
        *("--baseline", "popularity", "--ablation", "--fit-settings", "off"),
        train=f"{pair}a,x\na,y\nb,y\n", test=f"{pair}b,x\n",
    )  # fmt: skip

    assert code == 0
    assert "model - popularity: recall_at_20 +0.0000, ndcg_at_20 +0.0000\n" in out
    assert "nan" not in out


def test_settings_of_a_file_are_taken_as_they_are(evaluate: Run, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"als": {"factors": 8}, "trend_exponent": 0}')
    options = ("--split", "global-time", "--no-baselines", "--settings", str(path))
    code, _, told = evaluate(*options, events=a_file())

    assert code == 0
    found = result(tmp_path)
    assert found["fit"] is None
    assert found["settings"]["model"]["als"]["factors"] == 8
    assert found["settings"]["model"]["trend_exponent"] == 0
    assert "fitting settings" not in told


def test_a_setting_that_there_is_not_is_named(evaluate: Run, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"factors": 8}')
    options = ("--split", "global-time", "--settings", str(path))
    code, _, told = evaluate(*options, events=a_file())

    assert code == 2
    assert "settings.json: factors is no setting; there are: als, " in told
