"""Spark MLlib's implicit-feedback ALS as a baseline."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession

from recsys.core.scoring import Scores
from recsys.evaluation import ScoreFunction
from recsys.training.interactions import InteractionMatrix

# That of implicit's default; MLlib's own of 10 would be no match. All else is MLlib's default.
RANK = 100
SEED = 1


def mllib_als(spark: SparkSession) -> Callable[[InteractionMatrix], ScoreFunction]:
    """A baseline that trains on this session and ranks in this process."""
    # Takes a second, which every command would pay, `models serve` in an emergency among them.
    from pyspark.ml.recommendation import ALS

    def fit(pairs: InteractionMatrix) -> ScoreFunction:
        als = ALS(
            userCol="user", itemCol="item", ratingCol="strength",
            implicitPrefs=True, rank=RANK, seed=SEED,
        )  # fmt: skip
        model = als.fit(_table(spark, pairs))
        user_factors = _factors(model.userFactors, len(pairs.users))
        item_factors = _factors(model.itemFactors, len(pairs.items))

        def scores(users: NDArray[np.int64]) -> Scores:
            return user_factors[users] @ item_factors.T

        return scores

    return fit


def _table(spark: SparkSession, pairs: InteractionMatrix) -> DataFrame:
    matrix = pairs.matrix().tocoo()
    columns = {
        "user": matrix.row.astype(np.int32),
        "item": matrix.col.astype(np.int32),
        "strength": matrix.data,
    }
    return spark.createDataFrame(pa.table(columns))


def _factors(found: DataFrame, rows: int) -> NDArray[np.float32]:
    """(rows, k), zeros where a row has no behaviour."""
    table = found.toArrow()
    factors = np.zeros((rows, RANK), np.float32)
    flat = table["features"].combine_chunks().flatten().to_numpy()
    factors[table["id"].to_numpy()] = flat.reshape(-1, RANK)
    return factors
