"""Lists for all users, made and written to Redis by Spark: users in shards, items everywhere."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel
from recsys.core.model import TrainedModel
from recsys.core.ports import PublishedModels
from recsys.core.ranking import Indices, top_n_rows
from recsys.core.scoring import Scores, score_users
from recsys.core.user_block import NO_ITEM, UserBlock
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from spark_jobs.task_errors import errors_of_tasks

LIST_LENGTH = 100
# Scores of all items are held for this many users; of the others only their lists.
USERS_SCORED_AT_ONCE = 512
USERS_A_BLOCK = 4096
USERS_A_SHARD = 5 * USERS_A_BLOCK


def publish_users(
    spark: SparkSession, model_store: Path, redis_url: str, manifest: Manifest
) -> None:
    """Write the records of all users of a version.

    The model store must be a folder that every executor sees.

    Raises:
        InvalidModel: when Redis afterwards lacks a record.
        Unavailable: when Redis cannot take them.
    """
    tenant, version, users = manifest.tenant, manifest.version, manifest.data.users
    shards = [
        range(start, min(start + USERS_A_SHARD, users)) for start in range(0, users, USERS_A_SHARD)
    ]

    def publish(some: Iterable[range]) -> Iterator[int]:
        model = ModelFiles(model_store).model(tenant, version)
        with connect(redis_url) as client:
            target = RedisPublishedModels(client)
            for shard in some:
                yield publish_shard(target, tenant, version, model, shard)

    context = spark.sparkContext
    # Each partition reads the model, so there are no more of them than run at once.
    partitions = min(len(shards), context.defaultParallelism)
    with errors_of_tasks():
        found = context.parallelize(shards, partitions).mapPartitions(publish).sum()
    if found != users:
        raise InvalidModel(f"Redis holds {found} of {users} user records of {version}")


def publish_shard(
    target: PublishedModels, tenant: str, version: str, model: TrainedModel, shard: range
) -> int:
    """Write the users of these rows; return how many of them the target then holds."""
    user_ids: list[str] = []
    for first in range(0, len(shard), USERS_A_BLOCK):
        block = user_block(model, shard[first : first + USERS_A_BLOCK])
        target.write_users(tenant, version, block)
        user_ids += block.user_ids
    return target.count_users(tenant, version, user_ids)


def user_block(model: TrainedModel, rows: range) -> UserBlock:
    """What is published of the users of these rows.

    A list stays empty where nothing in the history counts, so that popularity answers.
    """
    items, scores, lengths = best_items(model, rows)
    indptr, histories = model.users.histories_of(rows)
    counted_before = np.concatenate([[0], np.cumsum(histories.strengths > 0)])[indptr]
    return UserBlock(
        user_ids=[model.users.ids.id_of(row) for row in rows],
        items=items,
        scores=scores,
        lengths=np.where(np.diff(counted_before) > 0, lengths, 0),
        indptr=indptr,
        histories=histories,
    )


def best_items(model: TrainedModel, rows: range) -> tuple[Indices, Scores, NDArray[np.int64]]:
    """Score all items for the users of b rows and keep the best.

    Returns:
        (b, LIST_LENGTH) item rows, best first, padded with NO_ITEM; their scores, of the same
        shape; and (b,) how many each user has.
    """
    items = np.full((len(rows), LIST_LENGTH), NO_ITEM, np.int32)
    scores = np.zeros((len(rows), LIST_LENGTH), np.float32)
    lengths = np.zeros(len(rows), np.int64)
    for first in range(0, len(rows), USERS_SCORED_AT_ONCE):
        some = rows[first : first + USERS_SCORED_AT_ONCE]
        all_scores = score_users(
            model.users.factors[some.start : some.stop],
            model.items,
            [model.users.history(row) for row in some],
            model.recipe.neighbour_weight,
        )
        for offset, best in enumerate(top_n_rows(all_scores, LIST_LENGTH)):
            lengths[first + offset] = len(best)
            items[first + offset, : len(best)] = best
            scores[first + offset, : len(best)] = all_scores[offset, best]
    return items, scores, lengths
