"""`recsys models`: versions of other releases, and a model store without servers."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.free_port import free_port
from cli.app import app as commands
from cli.models import app
from recsys.stores.model_files import MANIFEST, ModelFiles
from tests.builders import a_history, a_manifest, a_user_model, an_evaluation, an_item_model


def listed(folder: Path) -> Result:
    return CliRunner().invoke(
        app,
        ["list", "--tenant", "shop"],
        env={
            "RECSYS_MODEL_STORE": str(folder),
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
            "HBASE_THRIFT": "127.0.0.1:1",
        },
    )


def test_a_folder_in_the_place_of_a_manifest_leaves_the_other_versions_listed(
    tmp_path: Path,
) -> None:
    files = ModelFiles(tmp_path)
    files.save(a_manifest("v1"), an_item_model(), a_user_model([a_history([1])]))
    (tmp_path / "shop" / "v2" / MANIFEST).mkdir(parents=True)

    result = listed(tmp_path)

    assert result.exit_code == 0, result.output
    assert "v2/manifest.json cannot be read: Is a directory" in result.output
    assert "v1" in result.stdout


def test_the_list_says_which_release_a_version_needs(tmp_path: Path) -> None:
    files = ModelFiles(tmp_path)
    for version in ("v1", "v2"):
        files.save(a_manifest(version), an_item_model(), a_user_model([a_history([1])]))
    path = tmp_path / "shop" / "v2" / MANIFEST
    newer = json.loads(path.read_text()) | {"format": 99, "least_reader": 98}
    path.write_text(json.dumps(newer))

    result = listed(tmp_path)

    assert result.exit_code == 0, result.output
    assert (
        "model v2 of shop: the model has format 99 and needs a release that reads format 98"
        in result.output
    )
    assert "v1" in result.stdout
    assert "which version serves is not known: redis is unavailable" in result.output


@pytest.mark.parametrize(
    ("entry", "wrong", "reason"),
    [
        ("created_at", "yesterday", "created_at: must be a time such as 2026-01-31T12:00:00+00:00"),
        ("created_at", 5, "created_at: must be text"),
        ("data.users", "many", "data.users: must be a whole number"),
        ("training", [], "training: must be a table"),
        ("evaluation.model.ndcg_at_20", float("nan"), "NaN is no finite number"),
        ("evaluation.popularity.ndcg_at_20", float("-inf"), "-Infinity is no finite number"),
    ],
)
@pytest.mark.parametrize("words", ["list", "list --json"])
def test_a_damaged_manifest_is_named_with_what_is_wrong_and_the_others_are_listed(
    tmp_path: Path, entry: str, wrong: object, reason: str, words: str
) -> None:
    files = ModelFiles(tmp_path)
    for version in ("v1", "v2"):
        manifest = a_manifest(version, evaluation=an_evaluation(0.1))
        files.save(manifest, an_item_model(), a_user_model([a_history([1])]))
    path = tmp_path / "shop" / "v2" / MANIFEST
    document = json.loads(path.read_text())
    *tables, name = entry.split(".")
    table = document
    for each in tables:
        table = table[each]
    table[name] = wrong
    path.write_text(json.dumps(document))

    env = {"RECSYS_MODEL_STORE": str(tmp_path), "RECSYS_TENANT": "shop", "REDIS_URL": None}
    result = CliRunner().invoke(app, words.split(), env=env)

    assert result.exit_code == 0, result.exception
    assert f"model v2 of shop: the manifest is damaged: {reason} ({path})" in result.output
    assert "v1" in result.stdout


WITHOUT_SERVERS = {"REDIS_URL": None, "HBASE_THRIFT": None}


@pytest.fixture
def store(tmp_path: Path) -> dict[str, str | None]:
    """The environment of somebody who has a model store and nothing else."""
    model = an_item_model(), a_user_model([a_history([1])])
    ModelFiles(tmp_path).save(a_manifest("v1"), *model)
    return {"RECSYS_MODEL_STORE": str(tmp_path), "RECSYS_TENANT": "shop", **WITHOUT_SERVERS}


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("models list", "v1"),
        ("models show v1", '"version": "v1"'),
        ("recommend u0", "model v1"),
        ("recommend u0 --version v1", "model v1"),
        ("similar i1", "model v1, similar to i1"),
        ("users-for-item i2 --output {}", "model v1"),
        ("similar-users u0 --output {}", "model v1"),
    ],
)
def test_a_model_is_read_where_no_server_is(
    command: str, shown: str, store: dict[str, str | None], tmp_path: Path
) -> None:
    words = command.format(tmp_path / "users.csv").split()
    result = CliRunner().invoke(commands, words, env=store)

    assert result.exit_code == 0, result.exception
    assert shown in result.output


def test_a_user_whom_the_model_does_not_know_is_told_from_one_with_a_list(
    store: dict[str, str | None],
) -> None:
    told = [CliRunner().invoke(commands, ["recommend", user], env=store) for user in ("u9", "u0")]

    assert "user 'u9' is not in it" in told[0].output
    assert "is not in it" not in told[1].output
    assert [each.exit_code for each in told] == [0, 0]


def test_no_model_is_told_with_the_folder_that_has_none(
    store: dict[str, str | None], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "mistyped"
    result = CliRunner().invoke(app, ["list"], env=store | {"RECSYS_MODEL_STORE": str(elsewhere)})

    assert f"tenants with models in {elsewhere}: none" in result.output.replace("\n", "")


def test_the_list_says_that_it_cannot_know_which_version_serves(
    store: dict[str, str | None],
) -> None:
    result = CliRunner().invoke(app, ["list"], env=store)

    assert "which version serves is not known: redis is unavailable: REDIS_URL" in result.output


def test_an_empty_list_says_that_too(store: dict[str, str | None], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "shop")

    result = CliRunner().invoke(app, ["list"], env=store)

    told = " ".join(result.output.split())
    assert "which version serves is not known: redis is unavailable: REDIS_URL" in told
    assert "has no model yet" in told


def test_a_search_for_settings_needs_no_server(store: dict[str, str | None]) -> None:
    result = CliRunner().invoke(commands, ["tune", "--output", "settings.json"], env=store)

    assert "run `recsys nightly read` first" in str(result.exception)


def test_what_changes_the_version_that_serves_needs_the_servers(
    store: dict[str, str | None],
) -> None:
    for command in ("serve", "remove"):
        result = CliRunner().invoke(app, [command, "v1"], env=store)

        assert "HBASE_THRIFT: is required" in str(result.exception)


@pytest.mark.parametrize("others", [True, False], ids=["beside others", "and was the only one"])
def test_a_version_that_serves_and_was_removed_by_hand_is_named(
    store: dict[str, str | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    others: bool,
) -> None:
    monkeypatch.setattr("cli.models.serving_version", lambda *_: "v2")
    if not others:
        shutil.rmtree(tmp_path / "shop" / "v1")

    result = CliRunner().invoke(app, ["list"], env=store)

    told = " ".join(result.output.split())
    assert "v2 serves and is not in" in told
    assert "has no model yet" not in told
    assert "none has served yet" not in told


def test_an_older_backup_of_redis_is_told_by_what_the_model_store_has_noted_since(
    store: dict[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.models.serving_version", lambda *_: "v1")
    files = ModelFiles(tmp_path)
    files.mark_serving("shop", "v1")
    assert "Redis names" not in CliRunner().invoke(app, ["list"], env=store).output
    files.mark_serving("shop", "v2")

    result = CliRunner().invoke(app, ["list"], env=store)

    told = " ".join(result.output.split())
    assert "Redis names v1, and not v2" in told
    assert "recsys rebuild v2 lets that one serve" in told
