"""`--json`: every command that prints a result prints one JSON document, and nothing beside it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner, Result

from cli.app import LazyCommand
from cli.app import app as commands
from infra.local.__main__ import app as local_stack
from infra.local.processes.status import NOT_STARTED, ProcessStatus
from infra.local.stack import Stack
from recsys.config.shops import SETTINGS_EVENT
from recsys.core.errors import ConfigurationError
from recsys.stores.model_files import ModelFiles
from services.gateway.schemas.reports import ExperimentReport
from tests.builders import (
    a_history,
    a_manifest,
    a_report,
    a_user_model,
    an_evaluation,
    an_item_model,
)

Run = Callable[[str], Result]

# What services log of a shop's settings.
LOGGED = {
    "event": SETTINGS_EVENT, "timestamp": "2026-11-27T10:00:00.5Z", "tenant": "books",
    "digest": "d", "owner": "ann", "written": "2026-11-27T11:00:00+01:00", "changed": ["rules"],
    "service": "gateway", "instance": "g1",
}  # fmt: skip
# Of every command with --json: options that it works with here.
WORKING = {
    "models list": "",
    "recommend": "u0",
    "similar": "i1",
    "users-for-item": "i2",
    "similar-users": "u0",
    "shops check": "shops",
    "shops log": "gateway.log",
    "import events": "events.csv --dry-run --event-type purchase",
    "import items": "events.csv --dry-run",
    "keys create": "--file keys.toml --tenant books --scope read",
    "keys list": "--file keys.toml",
    "report": "--days 28",
    "evaluate": "--events events.csv --split leave-last-out --no-baselines --fit-settings off",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command where there are a model, a shop, a key, a log and a file of events."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spark_jobs.report.make_report", lambda *_: a_report())
    model = an_item_model(), a_user_model([a_history([1]), a_history([1, 2])])
    ModelFiles(tmp_path).save(a_manifest("v1", evaluation=an_evaluation(0.1)), *model)
    Path("shops").mkdir()
    Path("shops", "books.toml").write_text("[limits]\nrequests_per_second = 9\n")
    Path("gateway.log").write_text(json.dumps(LOGGED) + "\n")
    rows = (f"{user},{item},{1_700_000_000 + item}" for user in range(6) for item in range(5))
    Path("events.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    environment = {
        "RECSYS_MODEL_STORE": str(tmp_path), "RECSYS_TENANT": "shop", "REDIS_URL": None,
        "HBASE_THRIFT": "127.0.0.1:1", "RECSYS_API_KEYS": None, "RECSYS_SHOP_CONFIG": None,
    }  # fmt: skip

    def run_words(words: str) -> Result:
        return CliRunner().invoke(commands, words.split(), env=environment)

    created = run_words(
        "keys create --file keys.toml --tenant books --scope read --public --expires 2100-01-31"
    )
    assert created.exit_code == 0, created.output
    return run_words


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output or result.exception
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def with_json(group: TyperGroup, *words: str) -> Iterator[str]:
    """Commands that take --json."""
    for name, command in group.commands.items():
        loaded = command.load() if isinstance(command, LazyCommand) else command
        if isinstance(loaded, TyperGroup):
            yield from with_json(loaded, *words, name)
        elif any("--json" in option.opts for option in loaded.params):
            yield " ".join([*words, name])


def test_every_command_with_json_is_tried_here() -> None:
    group = typer.main.get_group(commands)

    assert sorted(with_json(group)) == sorted(WORKING)


@pytest.mark.parametrize("command", WORKING)
def test_standard_output_is_one_json_document(command: str, run: Run) -> None:
    assert document(run(f"{command} {WORKING[command]} --json"))


@pytest.mark.parametrize("command", sorted(WORKING.keys() - {"users-for-item", "similar-users"}))
def test_without_it_there_is_a_table(command: str, run: Run) -> None:
    shown = run(f"{command} {WORKING[command]}")

    assert shown.exit_code == 0, shown.output or shown.exception
    assert not shown.stdout.startswith("{")


def test_versions_come_with_numbers_and_times(run: Run) -> None:
    assert document(run("models list --json")) == {
        "tenant": "shop",
        "serving_version": None,
        "versions": [
            {
                "version": "v1",
                "create_time": "2026-01-01T00:00:00Z",
                "users": 2,
                "items": 6,
                "events": 10,
                "ndcg_at_20": 0.1,
                "popularity_ndcg_at_20": 0.04,
                "device": "cpu",
            }
        ],
    }


def test_without_any_version_the_list_is_empty(run: Run) -> None:
    assert document(run("models list --tenant other --json"))["versions"] == []


def test_a_list_comes_with_its_history_and_where_it_is_from(run: Run) -> None:
    known, unknown = (document(run(f"recommend {user} --json")) for user in ("u1", "u9"))

    assert (known["model_version"], known["user_id"], known["is_known"]) == ("v1", "u1", True)
    assert {each["item_id"] for each in known["history"]} == {"i1", "i2"}
    assert all(isinstance(each["score"], float) for each in known["items"])
    assert (unknown["is_known"], unknown["source"], unknown["history"]) == (False, "popular", [])
    assert "history" not in document(run("recommend u1 --no-history --json"))


def test_users_are_printed_written_or_both(run: Run) -> None:
    both = run("similar-users u0 --output users.csv --json")
    rows = Path("users.csv").read_text().splitlines()[1:]

    [user] = document(both)["users"]
    assert rows == [f"{user['user_id']},{user['similarity']:.6g}"]
    neither = run("similar-users u0")
    assert isinstance(neither.exception, ConfigurationError)
    assert "--output FILE" in str(neither.exception)


def test_faults_of_settings_keep_their_exit_code(run: Run) -> None:
    Path("shops", "toys.toml").write_text("[limits]\nrequests_per_second = -1\n")

    result = run("shops check shops --keys keys.toml --json")

    assert result.exit_code == 2
    books, toys = json.loads(result.stdout)["shops"]
    assert books == {
        "tenant": "books", "file": "shops/books.toml", "faults": [], "has_key": True,
    }  # fmt: skip
    assert toys["has_key"] is False
    assert len(toys["faults"]) == 1


def test_times_of_a_log_are_in_utc(run: Run) -> None:
    [held] = document(run("shops log gateway.log --json"))["settings"]

    assert held["since_time"] == "2026-11-27T10:00:00.500000Z"
    assert held["write_time"] == "2026-11-27T10:00:00Z"
    assert held["processes"] == ["gateway on g1"]


def test_a_dry_run_has_what_would_become_of_each_file(run: Run) -> None:
    rows = "user_id,item_id,timestamp,colour\nann,lamp,1700000000,red\n,lamp,1700000000,red\n"
    Path("few.csv").write_text(rows)
    words = "--dry-run --event-type purchase --max-rejected 1 --json"

    few, many = document(run(f"import events few.csv events.csv {words}"))["files"]

    assert (few["file"], few["kind"], few["rows"]) == ("few.csv", "events", 2)
    assert (few["would_be_stored"], few["users"], few["items"]) == (1, 1, 1)
    assert few["event_types"] == {"purchase": 1}
    assert few["columns"]["item_id"] == "item_id"
    assert few["unused_columns"] == ["colour"]
    assert few["first_time"] == few["last_time"] == "2023-11-14T22:13:20Z"
    assert sum(few["rejected"].values()) == 1
    assert many["would_be_stored"] == many["rows"] == 30


def test_a_dry_run_that_rejects_too_much_keeps_its_exit_code(run: Run) -> None:
    Path("bad.csv").write_text("user_id,item_id,timestamp\n,lamp,1700000000\n")

    result = run("import events bad.csv --dry-run --event-type purchase --json")

    assert result.exit_code == 4
    assert sum(json.loads(result.stdout)["files"][0]["rejected"].values()) == 1


@pytest.mark.parametrize("kind", ["events", "items"])
def test_an_import_itself_prints_no_document(kind: str, run: Run) -> None:
    result = run(f"import {kind} events.csv --json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json goes with --dry-run" in result.output


def test_a_key_that_was_made_comes_with_its_secret(run: Run) -> None:
    words = "keys create --file keys.toml --tenant books --scope read --json"

    plain, public = document(run(words)), document(run(f"{words} --public"))

    assert plain["session_secret"] is None
    assert public["session_secret"]
    listed = [key["key_id"] for key in document(run("keys list --file keys.toml --json"))["keys"]]
    assert all(any(key_id in each["key"] for key_id in listed) for each in (plain, public))


def test_keys_come_without_their_secrets(run: Run) -> None:
    [key] = document(run("keys list --file keys.toml --json"))["keys"]

    assert datetime.fromisoformat(key.pop("create_time")).tzinfo is not None
    assert len(key.pop("key_id")) == 8
    assert key == {
        "tenant": "books", "scopes": ["read"], "is_public": True,
        "expire_time": "2100-01-31T00:00:00Z", "requests_per_second": None,
    }  # fmt: skip


def test_a_report_has_the_times_of_the_api(run: Run) -> None:
    found = document(run("report --json"))

    assert found["tenant"] == "shop"
    assert found["end_time"] == found["made_time"] == "2025-11-27T02:00:00Z"
    assert found["start_time"] == "2025-10-30T02:00:00Z"
    assert found["outcomes"][0]["rates"]["click_rate"]["mean"] == 0.5


def test_a_report_has_the_fields_of_the_api(run: Run) -> None:
    found = document(run("report --json"))

    by_api = ExperimentReport.model_validate({**found, "age_seconds": 0})
    fields = by_api.model_dump(mode="json", exclude={"age_seconds"})
    assert fields.keys() | {"tenant"} == found.keys()
    assert fields["outcomes"] == found["outcomes"]
    assert fields["differences"] == found["differences"]


def test_an_evaluation_prints_what_it_writes(run: Run) -> None:
    printed = document(run(f"evaluate {WORKING['evaluate']} --output out.json --json"))

    assert printed == json.loads(Path("out.json").read_text())


def test_an_error_leaves_standard_output_empty(run: Run) -> None:
    for command in ("similar nothing --json", "recommend u0 --version v9 --json"):
        result = run(command)

        assert result.exit_code != 0
        assert not result.stdout


def test_the_status_of_the_local_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    started = int(datetime(2026, 11, 27, 10, tzinfo=UTC).timestamp())
    rows = [
        ProcessStatus("redis", "running", "6390", pid=2**30, started_at=started),
        ProcessStatus("gateway-3", NOT_STARTED, "8083"),
    ]
    monkeypatch.setattr(Stack, "status", lambda _: rows)

    result = CliRunner().invoke(local_stack, ["status", "--name", "none", "--json"])

    found = document(result)
    assert (found["stack"], found["is_healthy"]) == ("none", True)
    redis, gateway = found["processes"]
    assert redis["start_time"] == "2026-11-27T10:00:00Z"
    assert (gateway["pid"], gateway["start_time"], gateway["problem"]) == (None, None, None)
