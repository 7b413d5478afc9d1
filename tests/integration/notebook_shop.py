"""A tenth of the demo's shop, as a nightly run leaves it, with versions in its model store."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.analysis.shop_data import ShopData, read_last_run
from recsys.analysis.versions import Version, trained_version
from recsys.config.shop import load_shop
from recsys.core.domain import Event, Item
from recsys.core.times import MAX_TIMESTAMP_MS, MS_PER_DAY
from recsys.importing.online_retail import OnlineRetailItems, OnlineRetailReader
from recsys.importing.parquet_source import ParquetSource
from recsys.stores.manifest import params_entry
from recsys.stores.model_files import ModelFiles
from recsys.stores.run_files import run_folder
from recsys.training.als import AlsSettings
from recsys.training.settings import ModelSettings
from spark_jobs.nightly.run_folder import RunFolder
from tests.builders import a_manifest, an_evaluation

TENANT = "gifts"
FEW_FACTORS, MORE_FACTORS = "20111011T000000Z-few", "20111011T000000Z-more"
ALL_SEEN = "20111210T000000Z-all"
UNSEEN_DAYS = 60
_INVOICES = Path(__file__).parents[2] / "infra/local/data/online_retail_ii.parquet"


def make_shop(model_store: Path, scratch: Path) -> None:
    """The files of a run, two versions that have not seen the last days, and one that has."""
    lines = scratch / "lines.parquet"
    pq.write_table(_some_lines(), lines)
    folder = RunFolder(run_folder(model_store, TENANT))
    folder.begin()
    pq.write_table(_table(_events(lines)), folder.events)
    folder.save_catalogue(_Catalogue(lines), TENANT)  # type: ignore[arg-type]
    data = read_last_run(model_store, TENANT, load_shop())
    _store(model_store, _train(data, FEW_FACTORS, 4, UNSEEN_DAYS))
    _store(model_store, _train(data, MORE_FACTORS, 16, UNSEEN_DAYS))
    _store(model_store, _train(data, ALL_SEEN, 16, -1))


def _some_lines() -> pa.Table:
    lines = pq.read_table(_INVOICES)
    digit = pc.utf8_slice_codeunits(pc.cast(lines["CustomerID"], pa.string()), 4)
    guest = pc.and_(pc.is_null(lines["CustomerID"]), pc.ends_with(lines["InvoiceNo"], "5"))
    return lines.filter(pc.or_(pc.fill_null(pc.equal(digit, "5"), False), guest))


def _events(lines: Path) -> Iterator[Event]:
    source = ParquetSource(lines)
    reader = OnlineRetailReader(source.columns(), load_shop().event_types, MAX_TIMESTAMP_MS)
    for batch in source.batches():
        yield from reader.read(batch).records


def _table(events: Iterator[Event]) -> pa.Table:
    names = ["user_id", "item_id", "event_type", "timestamp_ms"]
    return pa.Table.from_pylist([{name: getattr(e, name) for name in names} for e in events])


class _Catalogue:
    """The part of an item store that a run's read step asks."""

    def __init__(self, lines: Path) -> None:
        self._lines = lines

    def scan(self, tenant: str) -> Iterator[Item]:
        for batch in OnlineRetailItems(ParquetSource(self._lines)).batches():
            yield from (Item(**values) for _, values in batch.rows())


def _train(data: ShopData, name: str, factors: int, unseen_days: int) -> Version:
    before_ms = int(data.log.times_ms().max() - unseen_days * MS_PER_DAY)
    settings = ModelSettings(AlsSettings(factors=factors, iterations=5))
    return trained_version(name, data, load_shop(), settings, before_ms)


def _store(model_store: Path, version: Version) -> None:
    manifest = a_manifest(
        version.name,
        tenant=TENANT,
        recipe=params_entry(version.model.params),
        evaluation=an_evaluation(ndcg=0.1),
    )
    ModelFiles(model_store).save(manifest, version.model.items, version.model.users)
