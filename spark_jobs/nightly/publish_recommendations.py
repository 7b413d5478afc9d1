"""Lists for all users, made and written to Redis by Spark: users in shards, items everywhere."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel
from recsys.core.model import TrainedModel
from recsys.core.ports import PublishedModels
from recsys.core.user_batch import NO_ITEM, UserBatch
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from recsys.training.top_n import top_n_lists
from spark_jobs.task_errors import errors_of_tasks
from spark_jobs.worker_process import freeze_gc

LIST_LENGTH = 100
# What a task holds in memory: about a kilobyte a user, and longer histories.
USERS_PER_SHARD = 16_384


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
        range(start, min(start + USERS_PER_SHARD, users))
        for start in range(0, users, USERS_PER_SHARD)
    ]

    def publish(shard: range) -> int:
        model = _model(model_store, tenant, version)
        with connect(redis_url) as client:
            found = publish_shard(RedisPublishedModels(client), tenant, version, model, shard)
        freeze_gc()
        return found

    # A task a shard, so that it can be told how far the work is.
    tasks = spark.sparkContext.parallelize(shards, len(shards)).map(publish)
    with errors_of_tasks():
        found = tasks.sum()
    if found != users:
        raise InvalidModel(f"Redis holds {found} of {users} user records of {version}")


@lru_cache(maxsize=1)
def _model(model_store: Path, tenant: str, version: str) -> TrainedModel:
    """Read a model once for all tasks of a process."""
    return ModelFiles(model_store).model(tenant, version)


def publish_shard(
    target: PublishedModels, tenant: str, version: str, model: TrainedModel, shard: range
) -> int:
    """Write the users of these rows; return how many of them the target then holds."""
    batch = user_batch(model, shard)
    target.write_users(tenant, version, batch)
    return target.count_users(tenant, version, batch.user_ids)


def user_batch(model: TrainedModel, rows: range) -> UserBatch:
    """Build the batch to publish for the users of these rows.

    A list stays empty where nothing in the history counts, so that popularity answers.
    """
    params = model.params
    lists = top_n_lists(
        *(model.items, model.users, np.asarray(rows), params.neighbour_weight, LIST_LENGTH),
        step_half_life=params.step_half_life,
        # The other cores score other shards.
        threads=1,
    )
    indptr, histories = model.users.histories_of(rows)
    again = model.users.repurchases
    counted_before = np.concatenate([[0], np.cumsum(histories.strengths > 0)])[indptr]
    lengths = (lists.items != NO_ITEM).sum(axis=1)
    return UserBatch(
        user_ids=[model.users.ids.id_of(row) for row in rows],
        items=lists.items,
        scores=lists.scores,
        lengths=np.where(np.diff(counted_before) > 0, lengths, 0),
        indptr=indptr,
        histories=histories,
        repurchases=again and again.of_users(rows),
    )
