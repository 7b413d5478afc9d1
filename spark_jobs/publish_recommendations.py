"""Lists for all users, made and written to Redis by Spark: users in shards, items everywhere."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel
from recsys.core.model import ItemSide, UserSide
from recsys.core.ports import PublishedModels
from recsys.core.ranking import top_n_rows
from recsys.core.recommend import StoredUser
from recsys.core.scoring import score_users
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels

LIST_LENGTH = 100
USERS_A_BLOCK = 512
USERS_A_SHARD = 20_000


def publish_users(
    spark: SparkSession, model_store: Path, redis_url: str, manifest: Manifest
) -> None:
    """Write the records of all users of a version.

    The model store must be a folder that every executor sees.

    Raises:
        InvalidModel: when Redis afterwards lacks a record.
    """
    tenant, version, users = manifest.tenant, manifest.version, manifest.data.users
    shards = [
        (start, min(start + USERS_A_SHARD, users)) for start in range(0, users, USERS_A_SHARD)
    ]

    def publish(shard: tuple[int, int]) -> int:
        files = ModelFiles(model_store)
        target = RedisPublishedModels(connect(redis_url))
        sides = files.items(tenant, version), files.users(tenant, version)
        return publish_shard(target, tenant, version, *sides, *shard)

    found = spark.sparkContext.parallelize(shards, len(shards)).map(publish).sum()
    if found != users:
        raise InvalidModel(f"Redis holds {found} of {users} user records of {version}")


def publish_shard(
    target: PublishedModels,
    tenant: str,
    version: str,
    items: ItemSide,
    users: UserSide,
    start: int,
    stop: int,
) -> int:
    """Write the users of rows start..stop-1; return how many of them the target then holds."""
    found = 0
    for first in range(start, stop, USERS_A_BLOCK):
        rows = range(first, min(first + USERS_A_BLOCK, stop))
        records = list(
            zip(map(users.ids.id_of, rows), stored_users(items, users, rows), strict=True)
        )
        target.write_users(tenant, version, records)
        found += target.count_users(tenant, version, [user_id for user_id, _ in records])
    return found


def stored_users(items: ItemSide, users: UserSide, rows: range) -> Iterator[StoredUser]:
    """The records of some users; a list stays empty where nothing counts, so popularity answers."""
    histories = [users.history(row) for row in rows]
    factors = users.factors[rows.start : rows.stop]
    scores = score_users(factors, items, histories, mask_history=False)
    for row, history, best in zip(scores, histories, top_n_rows(scores, LIST_LENGTH), strict=True):
        personal = best if (history.strengths > 0).any() else np.empty(0, np.int32)
        yield StoredUser(personal, row[personal], history)
