"""Settings of many shops: a file for each, followed while the process runs."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from recsys.config import followed_file
from recsys.config.followed_file import REFUSED_SECONDS, FollowedFile, following
from recsys.config.shop import load_shop
from recsys.config.shops import Shops, read_shop_file, shop_of
from recsys.core.errors import ConfigurationError, InvalidSettings
from tests.eventually import eventually
from tests.unprivileged import printed

BROKEN = "[event_types"


class Folder:
    """A folder of settings, and the shops that follow it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.refused = 0

    def write(self, tenant: str, *types: str, text: str | None = None) -> None:
        path = self.path / f"{tenant}.toml"
        listed = "\n".join(f"{name} = {{ weight = 1 }}" for name in types)
        rest = 'half_life_days = 30\npopularity_half_life_days = 7\ngoals = ["buy"]\n[event_types]'
        draft = path.with_suffix(".draft")
        if text is None:
            text = f"{rest}\nbuy = {{ weight = 1 }}\n{listed}\n"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)  # noqa: PTH105  # as an operator's tools do

    def shops(self) -> Shops:
        return Shops(self.path, self._count, clock=lambda: self.now)

    def _count(self) -> None:
        self.refused += 1


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_each_shop_has_the_event_types_of_its_own_file(folder: Folder) -> None:
    folder.write("books", "read")
    folder.write("shoes", "try_on")
    shops = folder.shops()
    assert set(shops.event_types_of("books")) == {"buy", "read"}
    assert set(shops.event_types_of("shoes")) == {"buy", "try_on"}
    assert {"read", "try_on", "purchase"} < set(shops.event_types())


def test_a_shop_without_a_file_has_the_shipped_settings_and_the_log_says_so_once(
    folder: Folder,
) -> None:
    shops = folder.shops()
    with capture_logs() as logs:
        assert shops.of("other") == shops.of("other") == load_shop()
    assert [(line["event"], line["tenant"]) for line in logs] == [("shop_without_file", "other")]


def test_without_a_folder_all_shops_have_the_shipped_settings_and_nothing_is_said() -> None:
    with capture_logs() as logs:
        assert Shops(None, lambda: None).of("shop") == load_shop()
    assert logs == []


def test_a_changed_file_and_a_new_one_are_taken_while_running(folder: Folder) -> None:
    folder.write("books", "read")
    shops = folder.shops()
    folder.write("books", "read", "lend")
    folder.write("shoes", "try_on")
    assert "lend" not in shops.event_types_of("books")
    folder.now += 1
    assert "lend" in shops.event_types_of("books")
    assert "try_on" in shops.event_types_of("shoes")
    assert folder.refused == 0


@pytest.mark.parametrize("text", [BROKEN, "", None])
def test_a_file_that_broke_or_is_gone_leaves_its_shop_as_it_was(
    folder: Folder, text: str | None
) -> None:
    folder.write("books", "read")
    folder.write("shoes", "try_on")
    shops = folder.shops()
    if text is None:
        (folder.path / "books.toml").unlink()
    else:
        folder.write("books", text=text)
    folder.write("shoes", "return_it")
    for _ in range(3):
        folder.now += 1
        with capture_logs() as logs:
            assert "read" in shops.event_types_of("books")
        if folder.now == 1:
            assert [line["event"] for line in logs if line["log_level"] == "error"] == [
                "settings_refused"
            ]
    assert folder.refused == 1
    # The others are followed.
    assert "return_it" in shops.event_types_of("shoes")
    folder.write("books", "lend")
    folder.now += 1
    assert "lend" in shops.event_types_of("books")


def test_a_file_that_may_be_read_at_last_is_taken_although_nobody_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "books.toml"
    path.write_text("new")
    path.chmod(0o000)

    def read(file: Path) -> str:
        # Root reads any file; a service is not root.
        if not file.stat().st_mode & 0o400:
            raise ConfigurationError("permission denied")
        return file.read_text()

    file = FollowedFile(path, read, lambda: None, start="old")
    file.follow()
    assert file.content == "old"
    path.chmod(0o600)
    file.follow()
    assert file.content == "new"


def test_what_is_refused_is_read_again_until_it_is_taken(folder: Folder) -> None:
    folder.write("books", "read")
    shops = folder.shops()
    folder.write("books", text=BROKEN)
    for refused in (1, 2, 3):
        folder.now += REFUSED_SECONDS
        shops.of("books")
        assert folder.refused == refused
    folder.write("books", "lend")
    for _ in range(2):
        folder.now += REFUSED_SECONDS
        assert "lend" in shops.event_types_of("books")
    assert folder.refused == 3


def test_a_file_that_could_not_be_read_for_a_moment_is_taken_though_it_is_the_same(
    tmp_path: Path,
) -> None:
    now, is_away = 0.0, True
    path = tmp_path / "books.toml"
    path.write_text("new")

    def read(file: Path) -> str:
        if is_away:
            raise ConfigurationError("Input/output error")
        return file.read_text()

    file = FollowedFile(path, read, lambda: None, start="old", clock=lambda: now)
    file.follow()
    is_away = False
    file.follow()
    assert file.content == "old"
    now += REFUSED_SECONDS
    file.follow()
    assert file.content == "new"


def test_a_file_may_be_empty_from_the_start(folder: Folder) -> None:
    folder.write("books", text="")
    shops = folder.shops()
    assert shops.of("books") == load_shop()
    folder.write("books", "read")
    folder.write("shoes", text="")
    folder.now += 1
    assert "read" in shops.event_types_of("books")
    assert shops.of("shoes") == load_shop()
    assert folder.refused == 0


def test_a_file_may_be_as_editors_of_windows_write_it(folder: Folder) -> None:
    text = "half_life_days = 30\r\n[gate]\r\n\tmax_ndcg_drop = 0.2\r\n"
    (folder.path / "books.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_shop_file(folder.path / "books.toml").gate.max_ndcg_drop == 0.2


def test_a_new_file_that_is_broken_leaves_the_shipped_settings(folder: Folder) -> None:
    shops = folder.shops()
    folder.write("books", text=BROKEN)
    folder.now += 1
    assert shops.of("books") == load_shop()
    assert folder.refused == 1


def test_a_process_does_not_start_on_broken_files_and_names_every_fault(folder: Folder) -> None:
    folder.write("books", text=BROKEN)
    folder.write("shoes", text="half_life_days = 0\ngoals = ['x']\n[event_types]\na = {weight=1e4}")
    with pytest.raises(ConfigurationError) as caught:
        folder.shops()
    for part in (
        "books.toml is not valid TOML",
        "shoes.toml: half_life_days: must be greater than 0",
        "event_types.a.weight: must be less than or equal to 1000",
        "goals: 'x' is not one of the event_types",
    ):
        assert part in str(caught.value)


def test_a_file_names_every_fault_with_its_setting(folder: Folder) -> None:
    folder.write("books", text="goals = []\nold = 1\n[event_types]\n'' = {weight = 'x'}")
    with pytest.raises(InvalidSettings) as caught:
        read_shop_file(folder.path / "books.toml")
    assert [problem.field for problem in caught.value.problems] == [
        "event_types.",
        "event_types..weight",
        "goals",
        "old",
    ]


@pytest.mark.parametrize("name", ["My shop", "hbase", "1st"])
def test_a_file_that_is_named_like_no_tenant_is_refused(folder: Folder, name: str) -> None:
    folder.write(name)
    with pytest.raises(ConfigurationError, match=r"is named TENANT\.toml"):
        folder.shops()


def test_drafts_and_locks_of_editors_are_no_shops(folder: Folder) -> None:
    (folder.path / ".#books.toml").write_text(BROKEN)
    (folder.path / "books.toml~").write_text(BROKEN)
    assert folder.shops().tenants() == []


def test_a_file_instead_of_a_folder_is_refused_with_what_it_must_be(folder: Folder) -> None:
    folder.write("books")
    with pytest.raises(ConfigurationError, match=r"names the folder that has TENANT\.toml"):
        Shops(folder.path / "books.toml", lambda: None)


def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(folder: Folder) -> None:
    folder.write("books")
    script = f"""
from pathlib import Path
from recsys.config.shops import Shops, shop_of

folder = Path({str(folder.path)!r})
for read in (lambda: Shops(folder, print), lambda: shop_of(folder, "books", print)):
    try:
        read()
    except Exception as error:
        print(type(error).__name__, error)
"""
    folder.path.chmod(0o000)
    told = printed(script)
    folder.path.chmod(0o700)
    denied = f"cannot read the shop settings: [Errno 13] Permission denied: '{folder.path}'"
    assert told == f"ConfigurationError {denied}\n" * 2


def test_a_folder_that_is_gone_leaves_its_shops_as_they_were(folder: Folder) -> None:
    folder.write("books", "read")
    shops = folder.shops()
    folder.path.rename(folder.path.with_name("gone"))
    folder.now += 1
    assert "read" in shops.event_types_of("books")


def test_a_job_reads_the_file_of_its_shop_alone(folder: Folder) -> None:
    folder.write("books", "read")
    folder.write("shoes", text=BROKEN)
    said: list[str] = []
    assert "read" in shop_of(folder.path, "books", said.append).event_types
    assert said == []
    assert shop_of(folder.path, "other", said.append) == load_shop()
    assert said == [f"{folder.path} has no other.toml: other has the shipped settings"]
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        shop_of(folder.path, "shoes", said.append)
    assert shop_of(None, "other", said.append) == load_shop()
    assert len(said) == 1


def test_a_file_is_followed_while_nobody_asks_for_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_file, "CHECK_EVERY_SECONDS", 0.01)
    folder.write("books", "read")
    shops = folder.shops()
    folder.write("books", text=BROKEN)
    folder.now += 1
    with following(shops.follow):
        eventually(lambda: folder.refused == 1)
