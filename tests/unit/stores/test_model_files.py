import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from recsys.core.errors import InvalidInput, InvalidModel, NotFound
from recsys.core.event_types import EventType
from recsys.core.model import UserModel
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import pack_items, pack_users, read_users, unpack_items
from recsys.stores.model_files import ITEMS, MANIFEST, SERVING, USERS, WITHDRAWN, ModelFiles
from tests.builders import a_history, a_manifest, a_user_model, an_evaluation, an_item_model

ITEM_MODEL = an_item_model()
USER_MODEL = a_user_model([a_history([1, 2]), a_history([3])])


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    return ModelFiles(tmp_path)


def saved(files: ModelFiles, version: str = "v1") -> Manifest:
    return files.save(a_manifest(version), ITEM_MODEL, USER_MODEL)


def test_a_version_reads_back_as_it_was_written(files: ModelFiles) -> None:
    manifest = saved(files)
    assert files.manifest("shop", "v1") == manifest
    assert manifest.recipe.to_params() == a_manifest().recipe.to_params()
    items, users = files.items("shop", "v1"), files.users("shop", "v1")
    assert list(items.ids) == list(ITEM_MODEL.ids)
    assert items.titles == ITEM_MODEL.titles
    for name in ("factors", "neighbours", "neighbour_scores", "trend", "popular", "eligible"):
        assert np.array_equal(getattr(items, name), getattr(ITEM_MODEL, name))
    assert list(users.ids) == list(USER_MODEL.ids)
    assert users.history(0).items.tolist() == [1, 2]


def test_versions_are_listed_oldest_first(files: ModelFiles) -> None:
    for version in ("20260102T000000Z-b", "20260101T000000Z-a"):
        saved(files, version)
    assert files.versions("shop") == ["20260101T000000Z-a", "20260102T000000Z-b"]
    assert files.versions("othershop") == []


def test_a_copy_made_by_hand_is_no_version(files: ModelFiles, tmp_path: Path) -> None:
    saved(files)
    shutil.copytree(tmp_path / "shop" / "v1", tmp_path / "shop" / "v1 (copy)")
    assert files.versions("shop") == ["v1"]


def test_a_version_whose_writing_was_interrupted_is_not_there(
    files: ModelFiles, tmp_path: Path
) -> None:
    saved(files)
    (tmp_path / "shop" / "v1" / MANIFEST).rename(tmp_path / "elsewhere")
    (tmp_path / "shop" / ".v2.part").mkdir()
    (tmp_path / "elsewhere").rename(tmp_path / "shop" / ".v2.part" / MANIFEST)
    assert files.versions("shop") == []


def test_one_flipped_bit_is_noticed(files: ModelFiles, tmp_path: Path) -> None:
    saved(files)
    path = tmp_path / "shop" / "v1" / ITEMS
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidModel, match="checksum"):
        files.items("shop", "v1")


@pytest.mark.parametrize("name", [ITEMS, USERS])
def test_a_file_that_was_cut_off_or_removed_is_noticed_without_being_read(
    files: ModelFiles, tmp_path: Path, name: str
) -> None:
    manifest = saved(files)
    files.check_files(manifest)
    path = tmp_path / "shop" / "v1" / name

    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InvalidModel, match=f"{name} of model v1 does not match its checksum"):
        files.check_files(manifest)

    path.unlink()
    with pytest.raises(NotFound, match=f"no {name} of model v1"):
        files.check_files(manifest)


def test_an_evaluation_is_added_later(files: ModelFiles) -> None:
    files.amend(saved(files), evaluation=an_evaluation(0.1))
    assert files.manifest("shop", "v1").evaluation == an_evaluation(0.1)
    assert files.items("shop", "v1")


def test_the_last_two_versions_that_served_are_kept_in_mind(files: ModelFiles) -> None:
    saved(files)
    with pytest.raises(NotFound, match="no model of shop has served"):
        files.last_serving("shop")
    for version in ("v1", "v2", "v2", "v3"):
        files.mark_serving("shop", version)

    assert files.last_serving("shop") == "v3"
    assert files.last_two("shop") == ["v3", "v2"]


def test_a_mark_of_an_earlier_release_is_read(files: ModelFiles, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / SERVING).write_text("v1")

    assert files.last_serving("shop") == "v1"


def test_a_withdrawn_version_is_known_by_its_data(files: ModelFiles) -> None:
    manifest, same = saved(files), saved(files, "v2")
    other = a_manifest(data=manifest.data.model_copy(update={"fingerprint": "other"}))
    files.withdraw(manifest)

    assert files.is_withdrawn(manifest)
    assert files.is_withdrawn(same)
    assert not files.is_withdrawn(other)

    files.readmit(manifest)

    assert not files.is_withdrawn(manifest)


def test_what_a_killed_writer_left_is_removed(files: ModelFiles, tmp_path: Path) -> None:
    saved(files)
    (tmp_path / "shop" / ".v2.part").mkdir()
    (tmp_path / "shop" / ".v2.part" / ITEMS).write_bytes(b"half")
    (tmp_path / "shop" / "v1" / f".{MANIFEST}.77.part").write_bytes(b"half")

    files.remove_drafts("shop", time.time())

    left = {path.name for path in (tmp_path / "shop").rglob("*")}
    assert left == {"v1", MANIFEST, ITEMS, USERS}


def test_what_a_removal_that_was_killed_has_left_is_removed(
    files: ModelFiles, tmp_path: Path
) -> None:
    saved(files)
    for version, content in (("v0", ITEMS), ("v2", USERS), ("notes", "read me"), ("v3", MANIFEST)):
        (tmp_path / "shop" / version).mkdir()
        (tmp_path / "shop" / version / content).write_bytes(b"half")
    (tmp_path / "shop" / "empty").mkdir()

    files.remove_drafts("shop", time.time() + 3600)
    assert len(list((tmp_path / "shop").iterdir())) == 6
    files.remove_drafts("shop", time.time() + 2 * 86_400)

    assert {path.name for path in (tmp_path / "shop").iterdir()} == {"v1", "v3", "notes"}


def test_a_removal_that_is_killed_leaves_a_draft(
    files: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(files)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            files.remove("shop", "v1")
    assert [path.name[0] for path in (tmp_path / "shop").iterdir()] == ["."]
    files.remove_drafts("shop", time.time())

    assert not list((tmp_path / "shop").iterdir())


def test_a_manifest_of_an_earlier_release_is_read() -> None:
    entries = a_manifest(evaluation=an_evaluation(0.1)).model_dump(mode="json")
    for name in ("reach", "gate"):
        del entries[name]
    del entries["recipe"]["pauses"]
    for entry in entries["recipe"]["event_types"].values():
        for name in set(entry) - {"weight", "excludes"}:
            del entry[name]
    del entries["evaluation"]["holdout_days"]

    manifest = Manifest.from_json(json.dumps(entries).encode())

    assert manifest.reach is None
    params = manifest.recipe.to_params()
    assert params.pauses == ()
    assert params.event_types["order"] == EventType(1.0, excludes=True)
    assert manifest.holdout_days() == manifest.recipe.as_of_ms / 86_400_000


def test_a_missing_version_is_answered_with_the_known_ones(files: ModelFiles) -> None:
    saved(files)
    with pytest.raises(NotFound, match="known: v1"):
        files.manifest("shop", "v2")


def test_where_there_is_none_it_is_said_what_makes_one(files: ModelFiles) -> None:
    message = (
        "shop has no model yet: run recsys nightly --tenant shop .tenants with models in .+: none"
    )
    with pytest.raises(NotFound, match=message):
        files.manifest("shop", "v1")
    with pytest.raises(NotFound, match=message):
        files.last_serving("shop")


def test_a_mistyped_tenant_is_answered_with_those_that_have_a_model(
    files: ModelFiles, tmp_path: Path
) -> None:
    saved(files)
    (tmp_path / ".runs" / "other").mkdir(parents=True)

    for ask in (files.last_serving, lambda tenant: files.manifest(tenant, "v1")):
        with pytest.raises(NotFound, match=r"tenant shpo has no model .*models in .+: shop\)$"):
            ask("shpo")


@pytest.mark.parametrize("name", [MANIFEST, ITEMS, USERS])
def test_a_folder_in_the_place_of_a_file_is_a_version_that_cannot_be_read(
    files: ModelFiles, tmp_path: Path, name: str
) -> None:
    saved(files)
    (tmp_path / "shop" / "v1" / name).unlink()
    (tmp_path / "shop" / "v1" / name).mkdir()

    with pytest.raises(InvalidModel, match=f"{name} cannot be read: Is a directory"):
        files.model("shop", "v1")


@pytest.mark.parametrize("version", ["../shop/v1", "", ".hidden", "a/b", "a\0"])
def test_a_version_cannot_lead_out_of_the_store(files: ModelFiles, version: str) -> None:
    with pytest.raises(InvalidInput):
        files.manifest("shop", version)


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"not json", a_manifest(format=99, least_reader=99).to_json()]
)
def test_a_damaged_or_foreign_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidModel):
        Manifest.from_json(text)


def read_again(path: Path, users: bytes) -> UserModel:
    path.write_bytes(users)
    return read_users(path)


def test_a_model_of_a_release_that_knew_no_order_is_read(tmp_path: Path) -> None:
    items = {k: v for k, v in load(pack_items(ITEM_MODEL)).items() if k != "order_shares"}
    assert not unpack_items(save(items)).order_shares.any()
    users = a_user_model([a_history([1, 2], steps=[1, 0])])
    tensors = {k: v for k, v in load(pack_users(users)).items() if k != "history_steps"}
    file = tmp_path / "users"
    assert read_again(file, save(tensors)).histories.steps.tolist() == [0, 0]
    assert read_again(file, pack_users(users)).histories.steps.tolist() == [1, 0]


def test_a_manifest_of_the_format_before_is_read() -> None:
    entries = json.loads(a_manifest().to_json())
    del entries["recipe"]["step_half_life"], entries["training"]["fit"]
    manifest = Manifest.from_json(json.dumps(entries | {"format": 2}).encode())
    assert manifest.recipe.to_params().step_half_life is None
    assert manifest.training.fit is None


@pytest.mark.parametrize("data", [b"", b"nonsense", pack_items(ITEM_MODEL)[:-5]])
def test_damaged_bytes_are_no_model(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidModel):
        unpack_items(data)
    with pytest.raises(InvalidModel):
        read_again(tmp_path / "users", data)


def test_one_side_is_not_the_other(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="lacks the tensor"):
        read_again(tmp_path / "users", pack_items(ITEM_MODEL))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0v1", b"../../etc"])
def test_a_damaged_note_is_one_that_is_not_there_until_the_next_one(
    files: ModelFiles, tmp_path: Path, content: bytes
) -> None:
    manifest = saved(files)
    for name in (SERVING, WITHDRAWN):
        (tmp_path / "shop" / name).write_bytes(content)

    assert files.last_two("shop") == []
    assert not files.is_withdrawn(manifest)
    with pytest.raises(NotFound, match="no model of shop has served"):
        files.last_serving("shop")

    files.mark_serving("shop", "v1")
    files.withdraw(manifest)

    assert files.last_two("shop") == ["v1"]
    assert files.is_withdrawn(manifest)


def test_a_damaged_manifest_says_whose_it_is(files: ModelFiles, tmp_path: Path) -> None:
    saved(files)
    (tmp_path / "shop" / "v1" / MANIFEST).write_bytes(b"")

    with pytest.raises(InvalidModel, match="model v1 of shop: the manifest is damaged"):
        files.manifest("shop", "v1")


def test_a_folder_that_was_copied_is_not_mistaken_for_the_version_it_is_named_after(
    files: ModelFiles, tmp_path: Path
) -> None:
    saved(files)
    shutil.copytree(tmp_path / "shop" / "v1", tmp_path / "shop" / "v2")
    shutil.copytree(tmp_path / "shop", tmp_path / "other")

    with pytest.raises(InvalidModel, match="model v2 of shop: it is of v1 of shop"):
        files.items("shop", "v2")
    with pytest.raises(InvalidModel, match="model v1 of other: it is of v1 of shop"):
        files.users("other", "v1")
