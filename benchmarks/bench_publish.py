"""CPU that publishing a user to Redis costs: `python -m benchmarks.bench_publish --help`.

Writes made-up records as a tenant `bench` to the Redis of REDIS_URL, or to one of its own on
loopback that keeps nothing on disk. Each round writes the same users in every way, one way after
the other; every figure is the median over the rounds. CPU is that of the whole process, with what
the system does for it: the client's from the operating system, the server's from its `INFO cpu`.
"""

import argparse
import os
import platform
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from statistics import median

import numpy as np

from benchmarks.own_redis import own_redis
from recsys.core.behaviour import StoredUser
from recsys.core.model import History
from recsys.core.user_batch import UserBatch
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.published import KEYS_PER_COMMAND, RedisPublishedModels
from recsys.stores.redis.user_record import MAX_HISTORY

TENANT, VERSION = "bench", "20260101T000000Z-aaaaaaaa"
ITEMS = 50_000
LIST_LENGTH = 100
USERS_PER_BLOCK = 4096
MAX_USERS = 1_000_000

Blocks = Sequence[UserBatch]


def make_block(first: int, users: int, random: np.random.Generator) -> UserBatch:
    """Lists of 100 and histories whose lengths follow a power law with a mean of about 50."""
    lengths = np.minimum(4 + 23 * random.pareto(1.5, users), MAX_HISTORY).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    pairs, shape = int(indptr[-1]), (users, LIST_LENGTH)
    return UserBatch(
        user_ids=[f"user-{row}" for row in range(first, first + users)],
        items=random.integers(0, ITEMS, shape, np.int32),
        scores=-np.sort(-random.random(shape, np.float32), axis=1),
        lengths=np.full(users, LIST_LENGTH),
        indptr=indptr,
        histories=History(
            random.integers(0, ITEMS, pairs, np.int32),
            random.random(pairs, np.float32),
            random.random(pairs) < 0.3,
            random.integers(0, 100, pairs, np.int32),
        ),
    )


def pack_user(user: StoredUser) -> bytes:
    """One record by itself, as it was done before."""
    return b"".join(
        (
            struct.pack("<HH", len(user.items), len(user.history.items)),
            user.items.astype("<i4").tobytes(),
            user.scores.astype("<f2").tobytes(),
            user.history.items.astype("<i4").tobytes(),
            user.history.strengths.astype("<f4").tobytes(),
            user.history.excluded.astype("u1").tobytes(),
        )
    )


def records(block: UserBatch) -> Iterator[tuple[str, bytes]]:
    for row, user_id in enumerate(block.user_ids):
        yield keys.user(TENANT, VERSION, user_id), pack_user(block.user(row))


def set_one_by_one(client: Redis, blocks: Blocks) -> None:
    for block in blocks:
        for key, record in records(block):
            client.set(key, record)


def pipeline_of_sets(client: Redis, blocks: Blocks) -> None:
    for some in commands(blocks):
        with client.pipeline(transaction=False) as pipeline:
            for key, record in some.items():
                pipeline.set(key, record)
            pipeline.execute()


def mset_by_redis_py(client: Redis, blocks: Blocks) -> None:
    for some in commands(blocks):
        client.mset(some)


def commands(blocks: Blocks) -> Iterator[dict[str, bytes]]:
    for block in blocks:
        every = list(records(block))
        for start in range(0, len(every), KEYS_PER_COMMAND):
            yield dict(every[start : start + KEYS_PER_COMMAND])


def write_blocks(client: Redis, blocks: Blocks) -> None:
    published = RedisPublishedModels(client)
    for block in blocks:
        published.write_users(TENANT, VERSION, block)


def write_and_count(client: Redis, blocks: Blocks) -> None:
    """All that the nightly job does with a shard once it is scored."""
    write_blocks(client, blocks)
    user_ids = [user_id for block in blocks for user_id in block.user_ids]
    found = RedisPublishedModels(client).count_users(TENANT, VERSION, user_ids)
    if found != len(user_ids):
        raise SystemExit(f"Redis holds {found} of {len(user_ids)} records")


WAYS: dict[str, Callable[[Redis, Blocks], None]] = {
    "SET one by one": set_one_by_one,
    f"pipeline of {KEYS_PER_COMMAND} SETs": pipeline_of_sets,
    f"MSET of {KEYS_PER_COMMAND} by redis-py": mset_by_redis_py,
    "blocks (write_users)": write_blocks,
    "blocks, written and counted": write_and_count,
}


def measure(client: Redis, blocks: Blocks, rounds: int) -> dict[str, tuple[float, float]]:
    """Median CPU seconds of client and server for each way."""
    spent: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        for what, way in WAYS.items():
            server, own = server_cpu_seconds(client), time.process_time()
            way(client, blocks)
            own = time.process_time() - own
            spent[what].append((own, server_cpu_seconds(client) - server))
    return {
        what: (median(own for own, _ in both), median(server for _, server in both))
        for what, both in spent.items()
    }


def server_cpu_seconds(client: Redis) -> float:
    cpu = client.info("cpu")
    return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


def bench(url: str, blocks: Blocks, rounds: int) -> None:
    users = sum(len(block.user_ids) for block in blocks)
    pairs = sum(len(block.histories.items) for block in blocks)
    with connect(url) as client:
        disk = client.config_get("appendonly")["appendonly"]
        print(
            f"{users:,} users, lists of {LIST_LENGTH}, histories of {pairs / users:.0f} on average,"
            f" {rounds} rounds, appendonly {disk}, {machine()}"
        )
        print(f"{'CPU microseconds a user':<27} {'client':>8} {'server':>8} {'users/s a core':>15}")
        try:
            for what, (own, server) in measure(client, blocks, rounds).items():
                say(what, 1e6 * own / users, 1e6 * server / users, users / own)
        finally:
            RedisPublishedModels(client).retire(TENANT, keep=[])


def say(what: str, client_us: float, server_us: float, rate: float) -> None:
    print(f"{what:<27} {client_us:>8.2f} {server_us:>8.2f} {rate:>15,.0f}", flush=True)


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_480, help="a round (default: 20480)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--redis", default=os.environ.get("REDIS_URL"), help="address of a Redis")
    arguments = parser.parse_args()
    if not 0 < arguments.users <= MAX_USERS:
        parser.error(f"--users must be between 1 and {MAX_USERS:,}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    random = np.random.default_rng(7)
    blocks = [
        make_block(first, min(USERS_PER_BLOCK, arguments.users - first), random)
        for first in range(0, arguments.users, USERS_PER_BLOCK)
    ]
    with nullcontext(arguments.redis) if arguments.redis else own_redis() as url:
        bench(url, blocks, arguments.rounds)


if __name__ == "__main__":
    main()
