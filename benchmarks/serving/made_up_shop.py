"""A made-up shop in Redis, as the nightly job would leave it: no Spark, no training."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.made_up_model import item_model
from recsys.clock import utc_now_ms
from recsys.core.domain import Event, Item
from recsys.core.event_types import EventType
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.user_batch import UserBatch
from recsys.stores.manifest import Data, Manifest, Training, params_entry
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.training.settings import ModelSettings

LIST_LENGTH = 100
_MAX_HISTORY = 1000
_USERS_PER_BLOCK = 4096
_VIEWS_PER_USER = 3
# Coprime to the sizes of shops, so that a list of every 7919th item holds none twice.
_STRIDE = 7919
_DAY_MS = 24 * 3600 * 1000
_EVENT_TYPES = {"view": EventType(0.2), "purchase": EventType(1.0, excludes=True)}


@dataclass(frozen=True)
class MadeUpShop:
    """The size of a shop. Items are an even number; users have histories of some 50 items."""

    users: int
    items: int
    factors: int

    def user_ids(self) -> list[str]:
        return [f"user-{row:07}" for row in range(self.users)]

    def item_ids(self) -> list[str]:
        return [f"item-{row:07}" for row in range(self.items)]


def publish(client: Redis, tenant: str, shop: MadeUpShop) -> str:
    """Publish a version of the shop as the only one, with nothing that came later.

    Returns the version's name.
    """
    version, published = write(client, tenant, shop, 7), RedisPublishedModels(client)
    published.activate(tenant, version)
    published.retire(tenant, keep=[version])
    _forget_recent(client, tenant)
    return version


def write(client: Redis, tenant: str, shop: MadeUpShop, seed: int) -> str:
    """Write a version beside those that are there; returns its name."""
    version = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(4)
    published, random = RedisPublishedModels(client), np.random.default_rng(seed)
    items = pack_items(made_up_items(shop, random))
    manifest = _manifest(tenant, version, shop, items)
    published.write_items(tenant, version, manifest.to_json(), items)
    for block in blocks(shop, random):
        published.write_users(tenant, version, block)
    return version


def stock(client: Redis, tenant: str, shop: MadeUpShop) -> None:
    """Put the items into the live catalogue."""
    RedisLiveCatalogue(client).write(tenant, {item.item_id: item for item in catalogue(shop)})


def catalogue(shop: MadeUpShop) -> Iterator[Item]:
    """Items of 100 brands and ten categories of 20 each, with prices up to 100."""
    random = np.random.default_rng(3)
    for item_id, title in zip(shop.item_ids(), titles(shop), strict=True):
        brand, category, narrower = random.integers(0, (100, 10, 20)).tolist()
        categories = f"c{category}", f"c{category}-{narrower}"
        price = float(random.integers(1, 100))
        yield Item(item_id, title, categories, f"b{brand}", price)


def titles(shop: MadeUpShop) -> tuple[str, ...]:
    return tuple(f"Made-up product number {row:07}" for row in range(shop.items))


def let_look_around(
    client: Redis, tenant: str, shop: MadeUpShop, user_ids: Sequence[str], seed: int
) -> None:
    """Views of a few items by each of these users, other ones for another seed."""
    random, now_ms = np.random.default_rng(seed), utc_now_ms()
    recent = RedisRecentBehaviour(client, lambda _: _EVENT_TYPES)
    for start in range(0, len(user_ids), _USERS_PER_BLOCK):
        some = user_ids[start : start + _USERS_PER_BLOCK]
        rows = random.integers(0, shop.items, (len(some), _VIEWS_PER_USER)).tolist()
        events = [
            Event(f"{seed}-{place}", user_id, f"item-{row:07}", "view", now_ms)
            for user_id, of_user in zip(some, rows, strict=True)
            for place, row in enumerate(of_user)
        ]
        recent.record(tenant, events, now_ms)


def _forget_recent(client: Redis, tenant: str) -> None:
    found = list(client.scan_iter(keys.recent(tenant, "*"), count=_USERS_PER_BLOCK))
    for start in range(0, len(found), _USERS_PER_BLOCK):
        client.unlink(*found[start : start + _USERS_PER_BLOCK])


def made_up_items(shop: MadeUpShop, random: np.random.Generator) -> ItemModel:
    shape = shop.items, ModelSettings().neighbours
    factors = random.normal(size=(shop.items, shop.factors)).astype(np.float32)
    neighbours = random.integers(0, shop.items, shape, np.int32)
    scores = -np.sort(-random.random(shape, np.float32), axis=1)
    side = item_model(factors / np.float32(shop.factors**0.5), neighbours, scores)
    return replace(side, titles=titles(shop))


def blocks(shop: MadeUpShop, random: np.random.Generator) -> Iterator[UserBatch]:
    user_ids = shop.user_ids()
    for start in range(0, shop.users, _USERS_PER_BLOCK):
        yield _block(user_ids[start : start + _USERS_PER_BLOCK], shop.items, random)


def _block(user_ids: Sequence[str], items: int, random: np.random.Generator) -> UserBatch:
    """Lists of items of odd rows, histories of even ones: nobody is recommended what he has.

    The lengths of histories follow a power law with a mean of about 50.
    """
    half, users = items // 2, len(user_ids)
    lengths = np.minimum(4 + 23 * random.pareto(1.5, users), _MAX_HISTORY).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    first = random.integers(0, half, (users, 1))
    pairs = int(indptr[-1])
    return UserBatch(
        user_ids=user_ids,
        items=(1 + 2 * ((first + _STRIDE * np.arange(LIST_LENGTH)) % half)).astype(np.int32),
        scores=-np.sort(-random.random((users, LIST_LENGTH), np.float32), axis=1),
        lengths=np.full(users, LIST_LENGTH),
        indptr=indptr,
        histories=History(
            (2 * random.integers(0, half, pairs)).astype(np.int32),
            1 + random.random(pairs, np.float32),
            random.random(pairs) < 0.3,
            random.integers(0, 100, pairs, np.int32),
        ),
    )


def scoring_params(trained_ms: int) -> ScoringParams:
    """Parameters of a model that knows what was received before a moment."""
    return ScoringParams(
        alpha=5.0,
        regularization=0.1,
        frequency_weight=1.0,
        neighbour_weight=1.0,
        half_life_days=180.0,
        event_types=_EVENT_TYPES,
        as_of_ms=trained_ms,
        read_at_ms=trained_ms,
        end_ms=trained_ms,
    )


def _manifest(tenant: str, version: str, shop: MadeUpShop, items: bytes) -> Manifest:
    return Manifest(
        version=version,
        tenant=tenant,
        created_at=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        recipe=params_entry(scoring_params(utc_now_ms() - _DAY_MS)),
        data=Data(events=0, users=shop.users, items=shop.items, pairs=0, fingerprint="made up"),
        training=Training(settings={}, backend="none", device="cpu", versions={}, seconds=0.0),
        sha256={ITEMS: hashlib.sha256(items).hexdigest()},
    )
