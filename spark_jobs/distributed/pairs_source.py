"""Pairs of a distributed training on files, so that no process ever holds all of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from scipy.sparse import coo_matrix, csr_matrix

from recsys.core.errors import FieldProblem, InvalidInput

_ROWS_PER_GROUP = 1 << 20


@dataclass(frozen=True)
class PairsSource:
    """A Parquet file, or folder of such, with user_index int, item_index int, strength float.

    Each pair is there once. The driver and every executor see the path.
    """

    parquet: Path
    users: int
    items: int

    def matrix(self) -> csr_matrix:
        """All pairs in this process, (u, n) float32."""
        table = pq.read_table(self.parquet)
        user, item, strength = (
            table[name].to_numpy() for name in ("user_index", "item_index", "strength")
        )
        matrix = coo_matrix((strength, (user, item)), (self.users, self.items)).tocsr()
        matrix.sort_indices()
        return matrix


def write_pairs(strengths: csr_matrix, parquet: Path) -> PairsSource:
    """Make a source of a matrix, a run of rows at a time."""
    users, items = strengths.shape
    schema = pa.schema(
        {"user_index": pa.int32(), "item_index": pa.int32(), "strength": pa.float32()}
    )
    with pq.ParquetWriter(parquet, schema) as writer:
        for start in range(0, strengths.nnz, _ROWS_PER_GROUP):
            entries = np.arange(start, min(start + _ROWS_PER_GROUP, strengths.nnz))
            user = np.searchsorted(strengths.indptr, entries, side="right") - 1
            columns = [user, strengths.indices[entries], strengths.data[entries]]
            arrays = [pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema))
    return PairsSource(parquet, users, items)


def count_pairs(spark: SparkSession, pairs: PairsSource) -> int:
    """Count the pairs.

    Raises:
        InvalidInput: when a strength is not a positive number, or there is none.
    """
    strength = F.col("strength")
    # Spark holds that not-a-number is larger than any number.
    right = (strength > 0) & ~F.isnan(strength) & (strength < float("inf"))
    found = spark.read.parquet(str(pairs.parquet)).agg(
        F.count("*").alias("pairs"), F.count_if(right).alias("right")
    )
    (counts,) = found.collect()
    if not counts.pairs:
        raise InvalidInput([FieldProblem("strengths", "must not be empty")])
    if counts.right < counts.pairs:
        raise InvalidInput([FieldProblem("strengths", "must be finite and above zero")])
    return int(counts.pairs)
