"""Spark data source `hbase_interactions`: behaviour from HBase as Arrow batches, read in parallel.

    spark.dataSource.register(HBaseInteractionsDataSource)
    spark.read.format("hbase_interactions").options(
        address="127.0.0.1:9090", tenant="demo", start_ms=0, end_ms=1300000000000
    ).load()

Options:
    address: "HOST:PORT" of the HBase Thrift server.
    tenant: whose behaviour to read.
    start_ms, end_ms: only events with start_ms <= timestamp_ms < end_ms; both may be left out.
    details: "true" adds the columns quantity, price, order_id, rating and query, at the cost of a
        second cell.
    context: "true" adds the column context, a map that is empty for events without one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from recsys.core.errors import ConfigurationError
from recsys.stores.hbase.interaction_scan import InteractionColumns, InteractionScan, TimeWindow
from recsys.stores.hbase.pool import TASK_POOL, HBasePool
from recsys.stores.hbase.table import KeyRange
from spark_jobs.event_arrays import DETAILS, event_arrays

_SCHEMA = "user_id string, item_id string, event_type string, timestamp_ms bigint"
_DETAILS_SCHEMA = ", quantity double, price double, order_id string, rating double, query string"
_CONTEXT_SCHEMA = ", context map<string, string>"


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The options of one read, checked."""

    address: str
    tenant: str
    window: TimeWindow
    with_details: bool
    with_contexts: bool

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> "SourceOptions":
        """
        Raises:
            ConfigurationError: naming the option that is missing or makes no sense.
        """
        window = TimeWindow(
            start_ms=_milliseconds(options, "start_ms") or 0,
            end_ms=_milliseconds(options, "end_ms"),
        )
        return cls(
            address=_required(options, "address"),
            tenant=_required(options, "tenant"),
            window=window,
            with_details=_is_true(options, "details"),
            with_contexts=_is_true(options, "context"),
        )

    def scan(self) -> InteractionScan:
        return InteractionScan(HBasePool(self.address, TASK_POOL), self.tenant)


def _is_true(options: Mapping[str, str], name: str) -> bool:
    return options.get(name, "false").lower() == "true"


def _required(options: Mapping[str, str], name: str) -> str:
    if not (value := options.get(name)):
        raise ConfigurationError(f"the data source hbase_interactions needs the option {name!r}")
    return value


def _milliseconds(options: Mapping[str, str], name: str) -> int | None:
    # Spark hands over an option that was set to None as an empty or absent one.
    if not (value := options.get(name)):
        return None
    try:
        return int(value)
    except ValueError as error:
        raise ConfigurationError(f"option {name!r} must be milliseconds, not {value!r}") from error


@dataclass(frozen=True)
class _RangePartition(InputPartition):
    """Part of a table that one task reads."""

    value: KeyRange


class _Reader(DataSourceReader):
    """Travels to the workers by pickle, so it holds options and no connection."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options

    def partitions(self) -> list[InputPartition]:
        return [_RangePartition(one) for one in self._options.scan().ranges()]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        options = self._options
        columns = options.scan().read(
            partition.value,
            options.window,
            with_details=options.with_details,
            with_contexts=options.with_contexts,
        )
        for batch in columns:
            yield _record_batch(batch)


class HBaseInteractionsDataSource(DataSource):
    """Reads a tenant's behaviour, a task for each region of the table."""

    @classmethod
    def name(cls) -> str:
        return "hbase_interactions"

    def schema(self) -> str:
        options = SourceOptions.parse(self.options)
        details = _DETAILS_SCHEMA if options.with_details else ""
        return _SCHEMA + details + (_CONTEXT_SCHEMA if options.with_contexts else "")

    def reader(self, schema: StructType) -> DataSourceReader:  # noqa: ARG002 - Spark's signature
        return _Reader(SourceOptions.parse(self.options))


def _record_batch(columns: InteractionColumns) -> pa.RecordBatch:
    arrays = event_arrays(columns, () if columns.details is None else DETAILS)
    if columns.contexts is not None:
        entries = [list(context.items()) for context in columns.contexts]
        arrays["context"] = pa.array(entries, pa.map_(pa.string(), pa.string()))
    return pa.RecordBatch.from_pydict(arrays)


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
