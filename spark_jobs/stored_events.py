"""Events of a time from HBase, as the jobs read them."""

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.hbase_source import HBaseInteractionsDataSource


def stored_events(
    spark: SparkSession,
    hbase_thrift: str,
    tenant: str,
    start_ms: int,
    end_ms: int,
    **options: bool | int | str,
) -> DataFrame:
    """The events with start_ms <= timestamp < end_ms, UTC milliseconds, and their details.

    Args:
        options: further ones of `spark_jobs.hbase_source`.
    """
    spark.dataSource.register(HBaseInteractionsDataSource)
    source = spark.read.format("hbase_interactions").options(
        address=hbase_thrift,
        tenant=tenant,
        start_ms=start_ms,
        end_ms=end_ms,
        details="true",
        **options,
    )
    return source.load()
