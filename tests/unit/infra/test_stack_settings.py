import os
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.errors import PreflightError, StackError
from infra.local.processes.preflight import make_folders
from infra.local.servers.environment import for_services
from infra.local.settings import Settings


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", "1a", "a" * 21])
def test_a_name_that_would_make_a_bad_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="is not a stack name"):
        Settings.load(name, {}, tmp_path)


def test_sockets_lie_in_the_stacks_folder_where_the_path_is_short_enough() -> None:
    settings = Settings.load("main", {}, Path("/home/someone/shop"))
    assert settings.run_dir == settings.home / "run"


@pytest.mark.parametrize("length", [60, 80, 200])
def test_a_long_checkout_path_still_gives_usable_sockets(length: int) -> None:
    settings = Settings.load("main", {}, Path("/" + "x" * length))
    socket = os.fsencode(settings.run_dir / "supervisor.sock")
    assert len(socket) + len(".4194304") <= 107


def test_two_long_checkouts_have_different_socket_folders() -> None:
    folders = {Settings.load("main", {}, Path("/" + c * 200)).run_dir for c in "ab"}
    assert len(folders) == 2


def test_a_socket_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    settings = replace(Settings.load("main", {}, tmp_path), run_dir=tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    settings.run_dir.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PreflightError, match="belongs to somebody else"):
        make_folders(settings)


def test_own_servers_are_taken_from_the_environment(tmp_path: Path) -> None:
    environ = {"REDIS_URL": "redis://shop:6379/1", "HBASE_THRIFT": "hbase:9090"}
    settings = Settings.load("main", environ, tmp_path)
    assert (settings.external_redis, settings.external_hbase) == tuple(environ.values())
    assert for_services(settings).items() >= environ.items()


def test_an_admin_server_belongs_to_an_own_hbase(tmp_path: Path) -> None:
    environ = {"HBASE_THRIFT_ADMIN": "hbase:9091"}
    assert Settings.load("main", environ, tmp_path).external_hbase_admin is None
    environ["HBASE_THRIFT"] = "hbase:9090"
    assert Settings.load("main", environ, tmp_path).external_hbase_admin == "hbase:9091"


def test_a_shell_that_took_the_stacks_variables_does_not_name_own_servers(tmp_path: Path) -> None:
    exported = for_services(Settings.load("main", {}, tmp_path)) | {"RECSYS_STACK": "main"}
    for name in ("main", "other"):
        settings = Settings.load(name, exported, tmp_path)
        assert (settings.external_redis, settings.external_hbase) == (None, None)


def test_the_cache_is_the_users_unless_there_is_no_writable_home(tmp_path: Path) -> None:
    def cache(**environ: str) -> Path:
        return Settings.load("main", environ, tmp_path / "repo").jar_cache

    home = tmp_path / "home"
    assert cache(HOME=str(home)) == home / ".cache/recsys/jars"
    caches = tmp_path / "caches"
    assert cache(HOME=str(home), XDG_CACHE_HOME=str(caches)) == caches / "recsys/jars"
    assert cache(HOME=str(home), RECSYS_CACHE="/big") == Path("/big/jars")
    assert cache() == tmp_path / "repo/.local/cache/jars"
    (tmp_path / "file").touch()
    assert cache(HOME=str(tmp_path / "file")) == tmp_path / "repo/.local/cache/jars"
    assert not home.exists()
