"""A tenant's name is checked where it becomes part of a path or a key, and where it comes in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import typer
from typer.testing import CliRunner

from cli.app import LazyCommand, app
from recsys.analysis.workplace import open_workplace
from recsys.auth.api_keys import Scope
from recsys.auth.key_file import create_key, load_keys
from recsys.config.settings import load_settings
from recsys.core.errors import ConfigurationError, InvalidInput
from recsys.rpc.v1 import ingest_pb2, recommender_pb2
from recsys.runtime.grpc.errors import status_of
from recsys.stores.hbase.layout import table_name
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis import keys
from recsys.stores.run_files import run_folder
from services.ingest.servicer import IngestServicer
from services.recommender.settings import RecommenderSettings
from spark_jobs.settings import TenantSettings
from tests.builders import a_history, a_manifest, a_user_model, an_item_model
from tests.unit.services.recommender.shop import Shop

BAD = ["../../etc", "..", "", "a:b", "a/b", "hbase", "größe", "*", "Demo", "a\n", "x" * 33]
bad_tenant = pytest.mark.parametrize("tenant", BAD)


@bad_tenant
@pytest.mark.parametrize(
    "build",
    [
        keys.current_model,
        keys.all_versions_pattern,
        keys.catalogue,
        keys.catalogue_log,
        keys.nightly_lock,
        lambda tenant: keys.recent(tenant, "u"),
        lambda tenant: keys.user(tenant, "v", "u"),
        lambda tenant: keys.manifest(tenant, "v"),
        lambda tenant: keys.items_chunk(tenant, "v", 0),
        lambda tenant: keys.complete(tenant, "v"),
        keys.early_popularity,
        lambda tenant: keys.version_of(tenant, "key"),
        lambda tenant: table_name(tenant, "items"),
        lambda tenant: run_folder(Path("store"), tenant),
    ],
)
def test_no_key_and_no_path_is_made_of_a_bad_name(
    build: Callable[[str], object], tenant: str
) -> None:
    with pytest.raises(InvalidInput, match="tenant: must be 1 to 32"):
        build(tenant)


@bad_tenant
def test_the_model_store_reads_and_writes_nothing_of_a_bad_name(
    tmp_path: Path, tenant: str
) -> None:
    files = ModelFiles(tmp_path / "store")
    manifest = a_manifest("v1").model_copy(update={"tenant": tenant})
    attempts: list[Callable[[], object]] = [
        lambda: files.versions(tenant),
        lambda: files.manifest(tenant, "v1"),
        lambda: files.items(tenant, "v1"),
        lambda: files.last_serving(tenant),
        lambda: files.mark_serving(tenant, "v1"),
        lambda: files.remove(tenant, "v1"),
        lambda: files.save(manifest, an_item_model(), a_user_model([a_history([1])])),
        lambda: files.amend(manifest),
        lambda: files.withdraw(manifest),
        lambda: files.is_withdrawn(manifest),
        lambda: files.remove_drafts(tenant, 0.0),
    ]
    for attempt in attempts:
        with pytest.raises(InvalidInput, match="tenant"):
            attempt()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["..", ".", "", "../v", "a/b", ".hidden", "a\n", "x" * 65])
def test_nor_is_a_path_made_of_a_bad_version(tmp_path: Path, version: str) -> None:
    files = ModelFiles(tmp_path)
    for attempt in (files.manifest, files.items, files.users, files.remove):
        with pytest.raises(InvalidInput, match="version"):
            attempt("demo", version)


@bad_tenant
def test_a_key_file_that_names_a_bad_tenant_is_refused(tmp_path: Path, tenant: str) -> None:
    path = tmp_path / "keys.toml"
    create_key(path, "good", [Scope.READ])
    path.write_text(path.read_text().replace('"good"', _toml(tenant)), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"key\.0\.tenant: must be 1 to 32"):
        load_keys(path)


def _toml(text: str) -> str:
    return '"' + text.replace("\n", "\\n") + '"'


# In the environment a newline at the end is no part of a value.
@pytest.mark.parametrize("tenant", [tenant for tenant in BAD if tenant.strip() == tenant])
def test_settings_name_the_variable_at_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tenant: str
) -> None:
    monkeypatch.setenv("RECSYS_TENANT", tenant)
    monkeypatch.setenv("RECSYS_TENANTS", f"good,{tenant}")
    monkeypatch.setenv("RECSYS_MODEL_STORE", str(tmp_path))
    monkeypatch.setenv("RECSYS_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1")
    loads: list[tuple[Callable[[], object], str]] = [
        (lambda: load_settings(TenantSettings), "RECSYS_TENANT: must be 1 to 32"),
        (open_workplace, "RECSYS_TENANT: must be 1 to 32"),
        (lambda: load_settings(RecommenderSettings), "RECSYS_TENANTS: must be 1 to 32"),
    ]
    for load, message in loads:
        with pytest.raises(ConfigurationError, match=message):
            load()


COMMANDS = [
    ["models", "list"],
    ["models", "show", "v1"],
    ["models", "serve", "v1"],
    ["models", "remove", "v1"],
    ["recommend", "u"],
    ["users-for-item", "i", "--output", "users.csv"],
    ["similar", "i"],
    ["similar-users", "u", "--output", "users.csv"],
    ["nightly"],
    ["rebuild"],
    ["report"],
    ["shops", "log", __file__],
    ["tune", "--output", "s.json"],
    ["evaluate", "--train", __file__, "--test", __file__],
    ["tables", "create", "--admin", "127.0.0.1:1"],
    ["import", "events", __file__],
    ["import", "items", __file__],
    ["keys", "create", "--file", "keys.toml", "--scope", "read"],
]


@pytest.mark.parametrize("tenant", ["../../etc", "", "a:b"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_bad_name_is_wrong_usage_of_every_command(command: list[str], tenant: str) -> None:
    done = CliRunner().invoke(app, [*command, "--tenant", tenant], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "--tenant" in done.output
    assert "must be 1 to 32" in done.output


def test_every_command_that_takes_a_tenant_is_among_these() -> None:
    listed = [" ".join(command) for command in COMMANDS]
    for path in _paths_with_tenant():
        assert any(command.startswith(path) for command in listed), path


def _paths_with_tenant() -> list[str]:
    found: list[str] = []

    def walk(command: Any, path: str) -> None:
        for name, child in getattr(command, "commands", {}).items():
            loaded = child.load() if isinstance(child, LazyCommand) else child
            walk(loaded, f"{path} {name}".strip())
        if any("--tenant" in parameter.opts for parameter in command.params):
            found.append(path)

    walk(typer.main.get_command(app), "")
    return found


class NotReached:
    """Stands where nothing may be asked."""

    def __getattr__(self, name: str) -> Any:
        return pytest.fail


@bad_tenant
def test_the_ingest_service_refuses_it_by_name(tenant: str) -> None:
    servicer = IngestServicer(*[NotReached()] * 7)  # type: ignore[arg-type]
    item = ingest_pb2.Item(item_id="i")
    event = ingest_pb2.Event(user_id="u", item_id="i", event_type="view")
    calls: list[Callable[[], object]] = [
        lambda: servicer.RecordEvents(
            ingest_pb2.RecordEventsRequest(tenant=tenant, events=[event]), None
        ),
        lambda: servicer.PutItem(ingest_pb2.PutItemRequest(tenant=tenant, item=item), None),
        lambda: servicer.GetItem(ingest_pb2.GetItemRequest(tenant=tenant, item_id="i"), None),
        lambda: servicer.PatchItem(ingest_pb2.PatchItemRequest(tenant=tenant, item=item), None),
        lambda: servicer.DeleteItem(ingest_pb2.DeleteItemRequest(tenant=tenant, item_id="i"), None),
        lambda: servicer.ColdStartItems(
            ingest_pb2.ColdStartItemsRequest(tenant=tenant, limit=1), None
        ),
        lambda: servicer.GetExperimentReport(
            ingest_pb2.GetExperimentReportRequest(tenant=tenant), None
        ),
    ]
    for call in calls:
        _assert_names_tenant(call)


@bad_tenant
def test_the_recommender_refuses_it_by_name(tenant: str) -> None:
    with Shop() as shop:
        _assert_names_tenant(lambda: shop.follower.serving(tenant))
        question = recommender_pb2.Question(number=1, tenant=tenant, user_id="u", limit=1)
        [answer], _ = shop.wait(shop.answers.to([question]))
    assert answer.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answer.error_details.startswith("tenant: must be 1 to 32")


def _assert_names_tenant(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput) as caught:
        call()
    assert status_of(caught.value)[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert [problem.field for problem in caught.value.problems] == ["tenant"]
