"""`recsys users-for-item` and `similar-users` over a model store on disk."""

import csv
from pathlib import Path

from typer.testing import CliRunner, Result

from benchmarks.free_port import free_port
from cli.app import app
from recsys.stores.model_files import ModelFiles
from recsys.training.similar_users import similar_users
from recsys.training.users_for_item import users_for_item
from tests.builders import a_history, a_manifest, a_user_model, an_item_model

VERSION = "20260101T000000Z-aaaaaaaa"


def export(folder: Path, command: str, about: str, *options: str) -> Result:
    users = a_user_model([a_history([row % 6]) for row in range(9)])
    ModelFiles(folder).save(a_manifest(VERSION), an_item_model(), users)
    return CliRunner().invoke(
        app,
        [command, about, "--tenant", "shop", *options],
        env={
            "RECSYS_MODEL_STORE": str(folder),
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
            "HBASE_THRIFT": "127.0.0.1:1",
        },
    )


def test_the_file_has_the_best_users_first(tmp_path: Path) -> None:
    output = tmp_path / "users.csv"
    result = export(tmp_path, "users-for-item", "i2", "--limit", "2", "--output", str(output))
    assert result.exit_code == 0, result.output
    lines = list(csv.reader(output.read_text().splitlines()))
    users, scores = users_for_item(ModelFiles(tmp_path).model("shop", VERSION), 2, 2)
    assert lines == [
        ["user_id", "score"],
        *[[f"u{u}", f"{s:.6g}"] for u, s in zip(users.tolist(), scores.tolist(), strict=True)],
    ]
    # Who bought it.
    assert not {"u2", "u8"} & {line[0] for line in lines}


def test_while_redis_is_away_the_model_that_served_last_is_asked(tmp_path: Path) -> None:
    refused = "20260102T000000Z-bbbbbbbb"
    files = ModelFiles(tmp_path)
    files.save(a_manifest(refused), an_item_model(), a_user_model([a_history([1])]))
    files.mark_serving("shop", VERSION)
    result = export(tmp_path, "users-for-item", "ghost", "--output", str(tmp_path / "users.csv"))
    assert f"item 'ghost' is not in model {VERSION}" in str(result.exception or result.output)


def test_an_item_that_the_model_does_not_know_is_named(tmp_path: Path) -> None:
    result = export(tmp_path, "users-for-item", "ghost", "--output", str(tmp_path / "users.csv"))
    assert result.exit_code == 1
    assert "item 'ghost' is not in model" in str(result.exception or result.output)
    assert not (tmp_path / "users.csv").exists()


def test_the_file_has_the_most_similar_users_first(tmp_path: Path) -> None:
    output = tmp_path / "users.csv"
    result = export(tmp_path, "similar-users", "u3", "--limit", "3", "--output", str(output))
    assert result.exit_code == 0, result.output
    lines = list(csv.reader(output.read_text().splitlines()))
    users, found = similar_users(ModelFiles(tmp_path).model("shop", VERSION).users, 3, 3)
    assert lines == [
        ["user_id", "similarity"],
        *[[f"u{u}", f"{s:.6g}"] for u, s in zip(users.tolist(), found.tolist(), strict=True)],
    ]
    assert len(lines) > 1


def test_a_user_that_the_model_does_not_know_is_named(tmp_path: Path) -> None:
    result = export(tmp_path, "similar-users", "ghost", "--output", str(tmp_path / "users.csv"))
    assert result.exit_code == 1
    assert "user 'ghost' is not in model" in str(result.exception or result.output)
    assert not (tmp_path / "users.csv").exists()
