"""The TypeScript client: generated, checked, tested and packed by the locked tools."""

import json
import shutil
from pathlib import Path

import pytest

from clients import generate
from clients.node import FOLDER, NodeError, install, node, npm, run_script

# What npm says where there is no network.
_AWAY = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")
_USE = """
import { ApiError, Client, Tracker, type PlacementRecommendations } from "recsys-client";
const client = new Client("https://recommendations.example", { apiKey: "k" });
export function show(): Promise<PlacementRecommendations> {
  // @ts-expect-error: the API has no such field
  void client.recommend("home", { limits: 3 });
  return client.recommend("home", { limit: 3 });
}
if (!ApiError || !Tracker) throw new Error("the package is not whole");
"""


@pytest.fixture(autouse=True, scope="module")
def _packages() -> None:
    try:
        install()
    except NodeError as error:
        if any(sign in str(error) for sign in _AWAY):
            pytest.skip("the npm registry cannot be reached, and its packages are not here yet")
        raise


def test_types_and_tracker_are_what_the_sources_make(tmp_path: Path) -> None:
    types, tracker = tmp_path / "schema.ts", tmp_path / "tracker.js"
    generate.write_types(generate.client_schemas(), types)
    generate.write_tracker(tracker)
    assert generate.TYPES.read_text() == types.read_text(), "run `make clients` and commit it"
    assert generate.TRACKER.read_text() == tracker.read_text(), "run `make clients` and commit it"


def test_it_has_no_type_errors_and_passes_its_own_tests() -> None:
    run_script("check")
    said = run_script("test")
    assert "fail 0" in said, said


def test_the_package_is_used_from_another_one(tmp_path: Path) -> None:
    [packed] = json.loads(npm("pack", "--silent", "--json", "--pack-destination", tmp_path))
    shutil.unpack_archive(tmp_path / packed["filename"], tmp_path, "gztar")
    package = json.loads((tmp_path / "package/package.json").read_text())
    assert "dependencies" not in package
    shutil.move(tmp_path / "package", tmp_path / "node_modules/recsys-client")
    (tmp_path / "use.ts").write_text(_USE)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = ("--strict", "--module", "nodenext", "--lib", "es2022,dom")
    compiler = FOLDER / "node_modules/typescript/bin/tsc"
    node(compiler, *options, tmp_path / "use.ts")
    node(tmp_path / "use.js")
