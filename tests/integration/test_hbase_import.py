"""`recsys import` into a real HBase and, of items, a real Redis."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import import_files, tables
from recsys.clock import utc_now_ms
from recsys.core.domain import Event, Item
from recsys.core.errors import Unavailable
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.redis.connect import Redis
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from tests.hbase_fixture import MakeTables

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
TENANT = "imported"
INVOICES = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "489434,85048,CHRISTMAS LIGHTS,12,2009-12-01 07:45:00,6.95,13085,United Kingdom\n"
    "489434,POST,POSTAGE,1,2009-12-01 07:45:00,18.0,13085,United Kingdom\n"
    "489435,85048,CHRISTMAS LIGHTS,many,2009-12-01 07:46:00,6.95,13085,United Kingdom\n"
    "C489449,85048,CHRISTMAS LIGHTS,-1,2009-12-02 07:45:00,6.95,13085,United Kingdom\n"
    "489436,85048,CHRISTMAS LIGHTS,3,2009-12-03 07:45:00,7.95,,United Kingdom\n"
)


@pytest.fixture(scope="module", autouse=True)
def tables_of_tenant(make_tables: MakeTables) -> None:
    make_tables(TENANT)


@pytest.fixture
def recsys_import(
    hbase: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> CliRunner:
    monkeypatch.setenv("HBASE_THRIFT", hbase)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("RECSYS_MODEL_STORE", str(tmp_path))
    monkeypatch.setenv("RECSYS_TENANT", TENANT)
    monkeypatch.chdir(tmp_path)
    Path("invoices.csv").write_text(INVOICES)
    return CliRunner()


def run(runner: CliRunner, *arguments: str) -> Result:
    return runner.invoke(import_files.app, list(arguments))


def test_invoices_become_purchases_returns_and_items(
    recsys_import: CliRunner,
    hbase_interactions: HBaseInteractionStore,
    hbase_items: HBaseItemStore,
) -> None:
    preset = ("--preset", "online-retail", "invoices.csv")

    first = run(recsys_import, "events", *preset)
    items = run(recsys_import, "items", *preset)
    again = run(recsys_import, "events", *preset)

    assert (first.exit_code, items.exit_code, again.exit_code) == (0, 0, 0)
    history = hbase_interactions.history(TENANT, "13085")
    assert [(e.event_type, e.item_id, e.quantity) for e in history] == [
        ("return", "85048", 1),
        ("purchase", "85048", 12),
    ]
    assert len(hbase_interactions.history(TENANT, "guest-489436")) == 1
    item = hbase_items.get(TENANT, "85048")
    assert item is not None
    assert (item.title, item.price) == ("CHRISTMAS LIGHTS", 7.45)
    assert "many" in Path("invoices.csv.events.rejects.jsonl").read_text()
    assert "already imported" in " ".join(again.stderr.split())


def test_an_event_id_counts_once_across_files_and_the_api(
    recsys_import: CliRunner, hbase_interactions: HBaseInteractionStore
) -> None:
    header = "event_id,user_id,item_id,event_type,timestamp\n"
    first = Event("sent before", "sender", "i1", "view", 1_300_000_000_000)
    hbase_interactions.append(TENANT, [first], received_ms=1_700_000_000_000)
    Path("one.csv").write_text(
        f"{header}a,sender,i2,view,1300000001\nb,sender,i3,view,1300000002\n"
    )
    Path("two.csv").write_text(
        f"{header}a,sender,i2,view,1300000009\nsent before,other,i1,view,1300000000\n"
        "c,sender,i4,view,1300000003\n"
    )

    one, two = run(recsys_import, "events", "one.csv"), run(recsys_import, "events", "two.csv")

    assert (one.exit_code, two.exit_code) == (0, 0)
    assert "duplicate" not in one.stderr
    assert "2 duplicate" in two.stderr
    history = hbase_interactions.history(TENANT, "sender")
    assert [event.item_id for event in history] == ["i4", "i3", "i2", "i1"]
    assert hbase_interactions.history(TENANT, "other") == []


def test_an_import_is_undone_and_the_mended_file_counts(
    recsys_import: CliRunner, hbase_interactions: HBaseInteractionStore
) -> None:
    header = "event_id,user_id,item_id,event_type,timestamp\n"
    Path("undone.csv").write_text(
        f"{header}undone 1,swapped,i1,view,1300000001\nundone 2,swapped,i2,view,1300000002\n"
    )
    Path("mended.csv").write_text(
        f"{header}undone 1,right,i1,view,1300000001\nundone 2,right,i2,view,1300000002\n"
    )
    assert run(recsys_import, "events", "undone.csv").exit_code == 0
    assert len(hbase_interactions.history(TENANT, "swapped")) == 2

    undone = run(recsys_import, "events", "undone.csv", "--undo")

    assert undone.exit_code == 0, undone.stderr
    said = " ".join(undone.stderr.split())
    assert "undone.csv: 2 rows read, 2 events removed" in said
    assert "no finished import" not in said
    assert hbase_interactions.history(TENANT, "swapped") == []
    mended = run(recsys_import, "events", "mended.csv")
    assert "2 events stored" in " ".join(mended.stderr.split())
    assert [e.item_id for e in hbase_interactions.history(TENANT, "right")] == ["i2", "i1"]
    # Known neither as imported nor as undone.
    again = run(recsys_import, "events", "undone.csv")
    assert "2 duplicate" in " ".join(again.stderr.split())
    other = run(recsys_import, "events", "undone.csv", "--undo", "--time-unit", "s")
    assert other.exit_code == 1
    assert "error: nothing to undo" in " ".join(other.stderr.split())
    # Of several files, one that was undone does not hide another that was not.
    Path("never.csv").write_text(f"{header}never 1,right,i1,view,1300000009\n")
    both = run(recsys_import, "events", "never.csv", "mended.csv", "--undo")
    assert both.exit_code == 1
    assert "mended.csv: 2 rows read, 2 events removed" in " ".join(both.stderr.split())


def test_a_catalogue_file_is_imported_each_time_and_reaches_redis(
    recsys_import: CliRunner, hbase_items: HBaseItemStore, redis: Redis
) -> None:
    Path("items.jsonl").write_text('{"item_id": "lamp", "name": "Lamp", "available": false}\n')
    live = RedisLiveCatalogue(redis)

    for _ in range(2):
        result = run(recsys_import, "items", "items.jsonl")
        assert result.exit_code == 0, result.stderr
        assert "already imported" not in " ".join(result.stderr.split())
        stored = hbase_items.get(TENANT, "lamp")
        assert stored is not None
        assert (stored.title, stored.available) == ("Lamp", False)
        # Nothing changes by writing it: it is what is there.
        assert live.write(TENANT, {"lamp": stored}) == []
        # The catalogue moves on, and the same bytes bring it back.
        hbase_items.put(TENANT, [Item("lamp", title="Changed")])
        live.write(TENANT, {"lamp": Item("lamp", title="Changed")})


def test_items_are_not_imported_while_redis_is_away(
    recsys_import: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    Path("items.jsonl").write_text('{"item_id": "lamp"}\n')

    result = run(recsys_import, "items", "items.jsonl")

    assert isinstance(result.exception, Unavailable)
    assert run(recsys_import, "events", "--preset", "online-retail", "invoices.csv").exit_code == 0


def test_a_file_of_bad_rows_only_ends_with_1(recsys_import: CliRunner) -> None:
    Path("bad.jsonl").write_text("{\n[]\n")

    result = run(recsys_import, "items", "bad.jsonl", "--mapping", "id=item_id")

    assert result.exit_code == 1


def test_creating_tables_says_what_it_did(hbase: str, hbase_admin: str) -> None:
    result = CliRunner().invoke(tables.app, ["create", "--tenant", TENANT, "--admin", hbase_admin])

    assert result.exit_code == 0
    assert "has all its tables already" in result.stderr


def test_a_file_mostly_of_bad_rows_ends_with_4_and_its_good_rows_are_stored(
    recsys_import: CliRunner, hbase_interactions: HBaseInteractionStore
) -> None:
    header = "user_id,item_id,event_type,timestamp\n"
    Path("mixed.csv").write_text(
        f"{header}few,i1,view,1300000000\nfew,i2,view,soon\nfew,i3,shrug,1\n"
    )

    result = run(recsys_import, "events", "mixed.csv")

    assert result.exit_code == 4
    said = " ".join(result.stderr.split())
    assert "3 rows read" in said
    assert "1 event stored" in said
    assert "1 rejected: timestamp: is no time that can be told" in said
    assert [event.item_id for event in hbase_interactions.history(TENANT, "few")] == ["i1"]
    assert run(recsys_import, "events", "mixed.csv", "--max-rejected", "0.7").exit_code == 0
    again = run(recsys_import, "events", "mixed.csv", "--max-rejected", "0.7")
    assert "already imported" in " ".join(again.stderr.split())


def test_a_damaged_file_ends_with_1_and_says_what_is_stored(
    recsys_import: CliRunner, hbase_interactions: HBaseInteractionStore
) -> None:
    rows = "".join(f"torn,i{n},view,{1_300_000_000 + n}\n" for n in range(20_000))
    whole = gzip.compress(f"user_id,item_id,event_type,timestamp\n{rows}".encode())
    Path("torn.csv.gz").write_bytes(whole[: len(whole) // 2])

    result = run(recsys_import, "events", "torn.csv.gz")

    assert result.exit_code == 1
    stored = len(hbase_interactions.history(TENANT, "torn"))
    said = " ".join(result.stderr.split())
    assert "error: torn.csv.gz: is damaged or not whole" in said
    assert f"{stored:,} rows were read, {stored:,} stored" in said
    assert 0 < stored < 20_000


def test_rows_of_an_item_are_merged_and_an_update_leaves_the_rest(
    recsys_import: CliRunner, hbase_items: HBaseItemStore, redis: Redis
) -> None:
    Path("shirts.csv").write_text("sku,title,price,available\nshirt,Shirt,10,no\nshirt,,12,\n")
    Path("prices.csv").write_text("sku,price\nshirt,9\ntie,3\n")

    first = run(recsys_import, "items", "shirts.csv")
    assert first.exit_code == 0, first.stderr
    assert "1 merged into items of earlier rows" in first.stderr
    before = hbase_items.get(TENANT, "shirt")
    assert before == Item(
        "shirt", "Shirt", price=12.0, available=False, created_ms=before and before.created_ms
    )

    assert run(recsys_import, "items", "prices.csv", "--update").exit_code == 0
    shirt = replace(before, price=9.0)
    assert hbase_items.get(TENANT, "shirt") == shirt
    tie = hbase_items.get(TENANT, "tie")
    assert tie is not None
    assert tie.price == 3.0
    assert before.created_ms is not None
    assert tie.created_ms is not None
    assert before.created_ms < tie.created_ms <= utc_now_ms()
    # Nothing changes by writing it: it is what is there.
    assert RedisLiveCatalogue(redis).write(TENANT, {"shirt": shirt}) == []


def test_a_folder_and_a_pattern_are_their_files(
    recsys_import: CliRunner, hbase_interactions: HBaseInteractionStore
) -> None:
    for number in (1, 2):
        part = Path(f"parts/part-{number}.csv")
        part.parent.mkdir(exist_ok=True)
        part.write_text(
            f"user_id,item_id,event_type,timestamp\nparted,i{number},view,130000000{number}\n"
        )
    Path("parts/_SUCCESS").touch()

    assert run(recsys_import, "events", "parts").exit_code == 0
    assert run(recsys_import, "events", "parts/part-*.csv").stderr.count("already") == 2
    assert len(hbase_interactions.history(TENANT, "parted")) == 2
