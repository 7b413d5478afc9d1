"""`recsys models`: what is said of versions of other releases."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from benchmarks.free_port import free_port
from cli.models import app
from recsys.stores.model_files import MANIFEST, ModelFiles
from tests.builders import a_history, a_manifest, a_user_model, an_item_model


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
