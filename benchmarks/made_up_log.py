"""Files of a made-up shop as it would hand them over: its catalogue, a year of events in the
order of their times, and the day after it.

Who touches what follows `recsys.training.synthetic`: a long tail, users with tastes. Users come
back in sessions, items come into the catalogue over time, one view in eight is followed by a cart
and most carts by an order. Memory holds some 60 bytes an event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from recsys.training.synthetic import SyntheticShop

_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_YEAR_DAYS = 365
_VIEWS_PER_PAIR = 2.0  # see SyntheticShop.strengths
_CART_SHARE, _ORDER_SHARE = 0.12, 0.6
EVENTS_PER_PAIR = _VIEWS_PER_PAIR * (1 + _CART_SHARE * (1 + _ORDER_SHARE))
_PAIRS_PER_SESSION = 4
_NEW_USERS, _NEW_ITEMS = 0.5, 0.3  # come within the year
_CATEGORIES = 40
_ROWS_PER_GROUP = 500_000
_TYPES = pa.array(["view", "add_to_cart", "purchase"])


@dataclass(frozen=True)
class ShopFiles:
    """Paths of Parquet files, and how many events those of events have."""

    items: Path
    year: Path
    day: Path
    year_events: int
    day_events: int


@dataclass(frozen=True)
class _Events:
    users: NDArray[np.int32]
    items: NDArray[np.int32]
    types: NDArray[np.int8]
    sessions: NDArray[np.int16]
    times_ms: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "_Events":
        return _Events(
            *(self.users[rows], self.items[rows], self.types[rows]),
            *(self.sessions[rows], self.times_ms[rows]),
        )


def write_shop(folder: Path, users: int, items: int, events: int, end_ms: int) -> ShopFiles:
    """Write the files of a shop with about so many events, the last shortly before `end_ms`."""
    shop = SyntheticShop(users, items, int(events / EVENTS_PER_PAIR))
    made = _events(shop, end_ms, np.random.default_rng(shop.seed))
    order = np.argsort(made.times_ms, kind="stable")
    split = int(np.searchsorted(made.times_ms[order], end_ms - _DAY_MS))
    items_path, year, day = (folder / f"{name}.parquet" for name in ("items", "year", "day"))
    files = ShopFiles(items_path, year, day, split, len(order) - split)
    pq.write_table(_catalogue(items), files.items)
    _write_events(files.year, made, order[:split])
    _write_events(files.day, made, order[split:])
    return files


def _events(shop: SyntheticShop, end_ms: int, random: np.random.Generator) -> _Events:
    strengths = shop.strengths()
    span_ms = (_YEAR_DAYS + 1) * _DAY_MS
    lengths = np.diff(strengths.indptr)
    first_ms = _new_since(random.random(shop.users), _NEW_USERS) * 0.9 * span_ms
    # What would be seen before it came is seen later.
    launched_ms = _new_since(random.random(shop.items), _NEW_ITEMS) * 0.97 * span_ms

    owners = np.repeat(np.arange(shop.users, dtype=np.int32), lengths)
    home = (random.random(len(owners)) * (lengths[owners] // _PAIRS_PER_SESSION + 1)).astype(int)
    views = np.repeat(np.arange(len(owners), dtype=np.int32), strengths.data.astype(np.int64))
    users, items = owners[views], strengths.indices[views]
    # Whoever comes back to an item does so in that session, or in the next ones.
    again = np.arange(len(views)) - np.searchsorted(views, views)
    sessions = (home[views] + random.integers(0, again + 1)).astype(np.int16)
    # The moment of a session follows from its user and number.
    at = (users.astype(np.uint64) << np.uint64(16)) + sessions.astype(np.uint64)
    share = ((at * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)).astype(np.float64) / 2**53
    times = first_ms[users] + share * (span_ms - 3 * _HOUR_MS - first_ms[users])
    launch = launched_ms[items]
    early = times < launch
    times[early] = launch[early] + times[early] / span_ms * (span_ms - launch[early]) * 0.99
    times += random.random(len(times)) * _HOUR_MS
    times_ms = times.astype(np.int64) + end_ms - span_ms

    viewed = _Events(users, items, np.zeros(len(users), np.int8), sessions, times_ms)
    in_cart = viewed.take(np.flatnonzero(random.random(len(users)) < _CART_SHARE))
    ordered = in_cart.take(np.flatnonzero(random.random(len(in_cart.users)) < _ORDER_SHARE))
    parts = (
        viewed,
        _later(in_cart, 1, 60_000 * random.random(len(in_cart.users))),
        _later(ordered, 2, 60_000 * (1 + random.random(len(ordered.users)))),
    )
    names = ("users", "items", "types", "sessions", "times_ms")
    return _Events(*(np.concatenate([getattr(each, name) for each in parts]) for name in names))


def _new_since(quantiles: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """When users or items came, as a part of the year: this share of them within it."""
    return np.maximum((quantiles + share - 1) / share, 0)


def _later(events: _Events, kind: int, by_ms: NDArray[np.float64]) -> _Events:
    times_ms = events.times_ms + by_ms.astype(np.int64)
    types = np.full(len(events.users), kind, np.int8)
    return _Events(events.users, events.items, types, events.sessions, times_ms)


def _write_events(path: Path, events: _Events, order: NDArray[np.int64]) -> None:
    groups = _groups(events, order)
    first = next(groups)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for group in groups:
            writer.write_table(group)


def _groups(events: _Events, order: NDArray[np.int64]) -> Iterator[pa.Table]:
    for start in range(0, len(order), _ROWS_PER_GROUP):
        some = events.take(order[start : start + _ROWS_PER_GROUP])
        is_order = some.types == 2
        item_prices = 1 + some.items % 97
        orders = [
            f"o-{user}-{number}"
            for user, number in zip(
                some.users[is_order].tolist(), some.sessions[is_order].tolist(), strict=True
            )
        ]
        order_ids = np.full(len(is_order), None, object)
        order_ids[is_order] = orders
        yield pa.table(
            {
                "user_id": _ids("user", some.users),
                "item_id": _ids("item", some.items),
                "event_type": _TYPES.take(pa.array(some.types)),
                "timestamp": some.times_ms,
                "quantity": pa.array(1.0 + some.users % 3, mask=~is_order),
                "price": pa.array(item_prices + 0.99, mask=~is_order),
                "order_id": pa.array(order_ids, pa.string()),
            }
        )


def _ids(kind: str, numbers: NDArray[np.int32]) -> pa.Array:
    known, codes = np.unique(numbers, return_inverse=True)
    return pa.array([f"{kind}-{number:07}" for number in known.tolist()]).take(pa.array(codes))


def _catalogue(items: int) -> pa.Table:
    numbers = range(items)
    return pa.table(
        {
            "item_id": [f"item-{number:07}" for number in numbers],
            "title": [f"Item {number} of kind {number * 7919 % 613}" for number in numbers],
            "categories": [[f"Category {number % _CATEGORIES}"] for number in numbers],
            "brand": [f"Brand {number * 31 % 997}" for number in numbers],
            "price": [1.99 + number % 97 for number in numbers],
        }
    )
