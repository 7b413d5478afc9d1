"""`recsys models serve`: what Redis has of a version is counted, and a failure leaves no note."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from recsys.core.errors import Unavailable
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ITEMS, WITHDRAWN, ModelFiles
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.published import RedisPublishedModels
from spark_jobs.nightly import run
from spark_jobs.nightly.publish_recommendations import publish_shard
from spark_jobs.settings import BatchSettings
from tests.builders import a_history, a_manifest, a_user_model, an_item_model
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis
OLD, NEW = "20260101T000000Z-aaaaaaaa", "20260102T000000Z-bbbbbbbb"


class Shop:
    """Two versions that are whole in Redis, of which the newer one serves.

    Attributes:
        published_again: versions that were written to Redis a second time.
    """

    def __init__(self, redis: Redis, url: str, store: Path) -> None:
        self.redis, self.files = redis, ModelFiles(store)
        self.published = RedisPublishedModels(redis)
        self.settings = BatchSettings(
            tenant="shop", hbase_thrift="127.0.0.1:1", redis_url=url, model_store=store
        )
        self.published_again: list[str] = []
        self.said: list[str] = []
        for version in (OLD, NEW):
            data = a_manifest().data.model_copy(update={"fingerprint": f"of-{version}"})
            users = a_user_model([a_history([1]), a_history([2])])
            manifest = self.files.save(a_manifest(version, data=data), an_item_model(), users)
            self.write(manifest)
            self.files.mark_serving("shop", version)
            self.published.activate("shop", version)

    def write(self, manifest: Manifest) -> None:
        version = manifest.version
        model = self.files.model("shop", version)
        publish_shard(self.published, "shop", version, model, range(len(model.users.ids)))
        items = self.files.item_bytes("shop", version)
        self.published.write_items("shop", version, manifest.to_json(), items)
        self.published.mark_complete("shop", version)

    def publish(self, manifest: Manifest, replaces: str | None) -> None:
        assert replaces == self.published.current("shop")
        self.published_again.append(manifest.version)
        self.write(manifest)
        self.published.activate("shop", manifest.version)

    def serve(self, version: str) -> None:
        run.serve_stored(self.settings, "shop", version, self.said.append)

    def notes(self) -> tuple[list[str], set[str]]:
        noted = self.settings.model_store / "shop" / WITHDRAWN
        withdrawn = noted.read_text().split() if noted.exists() else []
        return self.files.last_two("shop"), set(withdrawn)


@pytest.fixture
def shop(server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with connect(server.url) as redis:
        shop = Shop(redis, server.url, tmp_path)

        @contextmanager
        def without_spark(*_: object) -> Iterator[Shop]:
            yield shop

        monkeypatch.setattr(run, "_publisher", without_spark)
        yield shop


def test_a_version_that_redis_has_whole_serves_by_a_move_of_the_pointer(shop: Shop) -> None:
    shop.serve(OLD)

    assert shop.published.current("shop") == OLD
    assert not shop.published_again
    assert shop.notes() == ([OLD, NEW], {f"of-{NEW}"})


@pytest.mark.parametrize(
    "removed",
    [keys.user("shop", OLD, "u1"), keys.items_chunk("shop", OLD, 0), keys.manifest("shop", OLD)],
    ids=["user", "items", "manifest"],
)
def test_a_version_of_which_redis_has_removed_something_is_published_again(
    shop: Shop, removed: str
) -> None:
    assert shop.redis.delete(removed)

    shop.serve(OLD)

    assert shop.published_again == [OLD]
    assert shop.published.current("shop") == OLD
    assert shop.published.count_users("shop", OLD, ["u0", "u1"]) == 2


def test_the_version_that_serves_is_made_whole_as_well(shop: Shop) -> None:
    shop.redis.delete(keys.user("shop", NEW, "u0"))

    shop.serve(NEW)

    assert shop.published_again == [NEW]
    assert f"Redis has 1 of 2 user records of {NEW}" in shop.said
    assert shop.notes() == ([NEW, OLD], set())


def test_a_user_who_was_forgotten_is_not_missed(shop: Shop) -> None:
    shop.published.erase_user("shop", "u0")
    shop.serve(OLD)

    shop.serve(NEW)

    assert not shop.published_again
    assert shop.published.count_users("shop", NEW, ["u0", "u1"]) == 1


def test_a_version_whose_files_are_damaged_still_serves_again_and_that_is_said(shop: Shop) -> None:
    (shop.settings.model_store / "shop" / OLD / ITEMS).write_bytes(np.zeros(9).tobytes())

    shop.serve(OLD)

    assert shop.published.current("shop") == OLD
    assert any(f"whether Redis has all of {OLD} is not known" in line for line in shop.said)


def test_a_version_whose_folder_cannot_be_removed_can_still_serve(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(ModelFiles, "remove", refuse)
    with pytest.raises(OSError, match="Read-only"):
        run.remove_stored(shop.settings, "shop", OLD, shop.said.append)

    shop.serve(OLD)

    assert not shop.published_again


def test_a_full_redis_leaves_no_note_of_a_withdrawal(shop: Shop) -> None:
    before = shop.notes()
    shop.redis.config_set("maxmemory-policy", "noeviction")
    shop.redis.config_set("maxmemory", 1)

    with pytest.raises(Unavailable, match="it is full"):
        shop.serve(OLD)

    assert shop.published.current("shop") == NEW
    assert shop.notes() == before


def test_a_publication_that_fails_leaves_no_note_of_a_withdrawal(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.notes()
    shop.redis.delete(keys.complete("shop", OLD))

    def fail(*_: object, **__: object) -> None:
        raise Unavailable("redis", "it is full")

    monkeypatch.setattr(shop, "publish", fail)
    with pytest.raises(Unavailable, match="it is full"):
        shop.serve(OLD)

    assert shop.notes() == before


def test_a_withdrawn_version_that_could_not_be_served_stays_withdrawn(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.serve(OLD)
    before = shop.notes()
    shop.redis.config_set("maxmemory-policy", "noeviction")
    shop.redis.config_set("maxmemory", 1)

    with pytest.raises(Unavailable):
        shop.serve(NEW)

    assert shop.notes() == before == ([OLD, NEW], {f"of-{NEW}"})
