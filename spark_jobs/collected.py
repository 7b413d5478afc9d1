"""The result of a Spark query in this process, whatever its size.

`DataFrame.toArrow` brings all of it through the JVM: Spark refuses more than a gigabyte
(`spark.driver.maxResultSize`), as the pairs of 20 million are, and its heap would have to hold it.
"""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql.types import StringType


def collected(rows: DataFrame, beside: Path) -> pa.Table:
    """Read the rows of a query by way of files; texts are dictionary-encoded.

    Args:
        beside: a file, in whose folder those of the query are as long as this takes. The driver and
            every executor see it.
    """
    folder = beside.with_name("query.parquet")
    texts = [field.name for field in rows.schema if isinstance(field.dataType, StringType)]
    try:
        # What a killed run has left is overwritten.
        rows.write.mode("overwrite").parquet(str(folder))
        return pq.read_table(folder, read_dictionary=texts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
