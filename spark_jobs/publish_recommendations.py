"""Lists for all users, made and written to Redis by Spark: users in shards, items everywhere."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel
from recsys.core.model import TrainedModel
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
        model = ModelFiles(model_store).model(tenant, version)
        target = RedisPublishedModels(connect(redis_url))
        return publish_shard(target, tenant, version, model, range(*shard))

    found = spark.sparkContext.parallelize(shards, len(shards)).map(publish).sum()
    if found != users:
        raise InvalidModel(f"Redis holds {found} of {users} user records of {version}")


def publish_shard(
    target: PublishedModels, tenant: str, version: str, model: TrainedModel, shard: range
) -> int:
    """Write the users of these rows; return how many of them the target then holds."""
    found = 0
    for first in range(shard.start, shard.stop, USERS_A_BLOCK):
        rows = range(first, min(first + USERS_A_BLOCK, shard.stop))
        user_ids = [model.users.ids.id_of(row) for row in rows]
        records = zip(user_ids, stored_users(model, rows), strict=True)
        target.write_users(tenant, version, list(records))
        found += target.count_users(tenant, version, user_ids)
    return found


def stored_users(model: TrainedModel, rows: range) -> Iterator[StoredUser]:
    """The records of some users; a list stays empty where nothing counts, so popularity answers."""
    histories = [model.users.history(row) for row in rows]
    scores = score_users(
        model.users.factors[rows.start : rows.stop],
        model.items,
        histories,
        model.recipe.neighbour_weight,
    )
    for row, history, best in zip(scores, histories, top_n_rows(scores, LIST_LENGTH), strict=True):
        personal = best if (history.strengths > 0).any() else np.empty(0, np.int32)
        yield StoredUser(personal, row[personal], history)
