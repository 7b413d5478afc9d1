"""Faults of files that once lost or misread rows without a word, by import and evaluation alike."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.errors import ConfigurationError, DamagedFile, InvalidInput
from recsys.core.event_types import EventType
from recsys.importing.bulk_writer import Tally
from recsys.importing.event_columns import EventOptions
from recsys.importing.importer import Importer
from recsys.importing.plan import Reading, plan_events
from recsys.importing.presets import Preset
from recsys.importing.read_options import Quoting, ReadOptions
from recsys.importing.times import TimeOptions, TimeUnit
from recsys.stores.memory.interactions import MemoryInteractionStore
from tests.unit.importing.shop import NOW_MS, TENANT, Ledger, evaluated, run, take_in, write

HEADER = "user_id,item_id,event_type,timestamp\n"
AT = 1_600_000_000


def rows(count: int, start: int = 0) -> str:
    return "".join(f"u{n},i{n},view,{AT + n}\n" for n in range(start, start + count))


def test_a_quote_that_is_never_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    lines = [f"u{n}\ti{n}\t{AT + n}\tTitle {n}" for n in range(2000)]
    lines[509] = f'u2\ti2\t{AT}\t"Weird Al'
    lines[1200] = f'u3\ti3\t{AT}\tInch 5"'
    path = write(tmp_path, "user_id\titem_id\ttimestamp\ttitle\n" + "\n".join(lines), "a.tsv")

    found = take_in(path, event_type="view")

    assert (found.tally.read, found.tally.stored) == (2000, 1999)
    [reject] = map(json.loads, found.outcome.reject_path.read_text().splitlines())
    assert (reject["line"], reject["row"]) == (511, lines[509])
    assert "--quoting none" in reject["reason"]
    with pytest.raises(InvalidInput, match=r'line 511: has a " that is not closed'):
        evaluated(path)
    assert len(evaluated(path, max_rejected=0.01).log) == 1999
    assert take_in(path, ReadOptions(quoting=Quoting.NONE), event_type="view").tally.stored == 2000


def test_quoted_fields_over_lines_and_blocks_stay_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.importing.text_lines.BLOCK_BYTES", 200)
    text = "".join(
        f'u{n},i{n},view,{AT + n},"Soft, warm\nand ""blue""\n\nfor {n}, all"\n' for n in range(50)
    )
    found = take_in(write(tmp_path, HEADER.replace("\n", ",note\n") + text))

    assert (found.tally.stored, found.reasons()) == (50, {})


def test_an_order_number_in_a_column_id_is_no_event_id(tmp_path: Path) -> None:
    text = f"id,user_id,sku,type,date\n1001,ann,a,purchase,{AT}\n1001,ann,b,purchase,{AT}\n"
    found = take_in(write(tmp_path, text + f"1001,ann,c,purchase,{AT}\n"))

    assert found.tally.stored == 3
    assert [item for _, item in found.pairs()] == ["a", "b", "c"]


def test_equal_rows_count_as_duplicates_and_not_as_stored(tmp_path: Path) -> None:
    found = take_in(write(tmp_path, HEADER + rows(12_000) + rows(3) + rows(2)))

    assert (found.tally.stored, found.tally.duplicate) == (12_000, 5)
    assert len(found.events) == 12_000


def test_keys_that_appear_late_in_json_lines_count(tmp_path: Path) -> None:
    first = {"user_id": "u", "item_id": "i", "event_type": "view"}
    lines = [json.dumps(first | {"timestamp": AT + n}) for n in range(150)]
    lines.append(json.dumps(first | {"timestamp": AT + 999, "quantity": 3, "order_id": "o"}))

    last = take_in(write(tmp_path, "\n".join(lines), "a.jsonl")).events[-1]

    assert (last.quantity, last.order_id) == (3, "o")


def test_after_a_change_of_the_shop_s_types_a_file_is_imported_again(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + rows(3) + f"u,i,tasting,{AT}\n")
    ledger, store = Ledger(), MemoryInteractionStore()

    def imported(types: dict[str, EventType]) -> Any:
        return run(plan_events(Reading(path), TENANT, store, types, NOW_MS), ledger)

    before = imported({"view": EventType(0.2)})
    after = imported({"view": EventType(0.2), "tasting": EventType(1.0)})

    assert before.tally.rejected.total() == 1
    assert (after.earlier, after.tally.read, after.tally.rejected.total()) == (None, 4, 0)
    assert store.history(TENANT, "u")
    assert imported({"view": EventType(0.5), "tasting": EventType(1.0)}).earlier


def test_a_file_with_events_of_tomorrow_is_not_done_today(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + rows(3) + f"u,i,view,{NOW_MS + 10 * 86_400_000}\n")
    ledger, store, types = Ledger(), MemoryInteractionStore(), {"view": EventType(0.2)}

    run(plan_events(Reading(path), TENANT, store, types, NOW_MS), ledger)
    later = run(plan_events(Reading(path), TENANT, store, types, NOW_MS * 2), ledger)

    assert later.tally.rejected.total() == 0


def test_reject_files_of_files_with_one_name_are_kept(tmp_path: Path) -> None:
    store, types, ledger = MemoryInteractionStore(), {"view": EventType(0.2)}, Ledger()
    paths = [
        write(tmp_path / folder, HEADER + rows(2) + f"{folder},i,view,soon\n") for folder in "ab"
    ]

    def rejects(path: Path) -> Path:
        plan = plan_events(Reading(path), TENANT, store, types, NOW_MS)
        return (
            Importer(TENANT, ledger, tmp_path, again=True)
            .run(plan, Tally(), lambda _: None)
            .reject_path
        )

    first, second = map(rejects, paths)

    assert first != second
    assert [json.loads(each.read_text())["row"]["user_id"] for each in (first, second)] == [
        "a",
        "b",
    ]
    assert rejects(paths[0]) == first


@pytest.mark.parametrize(
    "header",
    [
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
    ],
)
def test_both_editions_of_online_retail_are_read_and_an_odd_date_costs_its_row(
    tmp_path: Path, header: str
) -> None:
    lines = (
        "536365,85123A,HEART,6,12/1/2010 8:26,2.55,17850.0,United Kingdom\n"
        "536366,85123A,HEART,6,2010-12-02 08:26:00,2.55,17850,United Kingdom\n"
        "536367,85123A,HEART,6,some day,2.55,17850,United Kingdom\n"
    )
    found = take_in(write(tmp_path, f"{header}\n{lines}"), preset=Preset.ONLINE_RETAIL)

    assert found.pairs() == [("17850", "85123A")] * 2
    assert found.events[0].timestamp_ms == 1_291_191_960_000
    assert [reason.partition(":")[0] for reason in found.reasons()] == ["timestamp"]


@pytest.mark.parametrize("read", [take_in, evaluated])
def test_a_file_without_header_is_refused_with_what_to_do(tmp_path: Path, read: Any) -> None:
    path = write(tmp_path, f"u1,i1,{AT}\nu2,i2,{AT}\n")

    with pytest.raises(ConfigurationError, match=r"line 1 looks like data.*--no-header --columns"):
        read(path, event_type="view")

    how = ReadOptions(columns=("user_id", "item_id", "timestamp"))
    found = read(path, how, event_type="view")
    assert len(found.events if read is take_in else found.log) == 2


@pytest.mark.parametrize("read", [take_in, evaluated])
def test_two_columns_of_one_name_are_refused(tmp_path: Path, read: Any) -> None:
    text = f"user_id,item_id,item_id,event_type,timestamp\nu,a,b,view,{AT}\n"
    with pytest.raises(ConfigurationError, match="line 1 names two columns 'item_id'"):
        read(write(tmp_path, text))
    twice = f'{{"user_id": "u", "user_id": "v", "item_id": "a", "type": "view", "ts": {AT}}}'
    with pytest.raises(ConfigurationError, match="the key 'user_id' is there twice"):
        read(write(tmp_path, twice, "a.jsonl"))
    alike = f"user_id,User ID,item_id,event_type,timestamp\nu,v,a,view,{AT}\n"
    with pytest.raises(ConfigurationError, match="user_id and User ID may both be the user_id"):
        read(write(tmp_path, alike))


MISSING = ["NaN", "nan", "null", "NULL", "None", "\\N", "NA", "N/A", "(not set)", " ", ""]


def test_words_for_no_value_are_no_shopper(tmp_path: Path) -> None:
    text = "".join(f"{word},i,view,{AT + n}\n" for n, word in enumerate(MISSING))
    path = write(tmp_path, HEADER + text + f"Null Ltd,i,view,{AT}\n")

    found = take_in(path)

    assert found.pairs() == [("Null Ltd", "i")]
    assert found.reasons() == {"user_id: is missing": len(MISSING)}
    assert evaluated(path).left_out == len(MISSING)
    assert evaluated(path).log.user_ids == ["Null Ltd"]


def test_one_shopper_is_one_however_a_table_writes_the_number(tmp_path: Path) -> None:
    ids = ["17850", "17850.0", " 17850 ", "17850.00"]
    text = "".join(f"{each},i,view,{AT + n}\n" for n, each in enumerate(ids))
    path = write(tmp_path, HEADER + text + f"5.4E+07,i,view,{AT}\n007,i,view,{AT}\n")

    found = take_in(path)

    assert {user for user, _ in found.pairs()} == {"17850", "007"}
    assert found.reasons() == {"user_id: is a rounded number, no id: export the column as text": 1}
    assert sorted(evaluated(path, max_rejected=0.5).log.user_ids) == ["007", "17850"]


def test_numbers_of_parquet_are_the_ids_they_were(tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_id": [17850.0, 54_000_000.0, 2.0**60, None],
            "item_id": pa.array(["a", "b", "c", "d"]).cast(pa.binary()),
            "event_type": pa.array(["view"] * 4).dictionary_encode(),
            "timestamp": [AT] * 4,
            "price": pa.array([1.25, None, 2.5, 1]).cast(pa.decimal128(10, 2)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")

    found = take_in(tmp_path / "a.parquet")

    assert found.pairs() == [("17850", "a"), ("54000000", "b")]
    assert found.events[0].price == 1.25
    assert set(found.reasons()) == {
        "user_id: is too large a number to be exact", "user_id: is missing"
    }  # fmt: skip


OCTOBER_20 = 1_571_529_600_000


@pytest.mark.parametrize(
    ("column", "time_ms"),
    [
        (pa.array([20191020]), OCTOBER_20),
        (pa.array(["20191020"]), OCTOBER_20),
        (pa.array(["20191020123000"]), OCTOBER_20 + 45_000_000),
        (pa.array([43758.5]), OCTOBER_20 + 43_200_000),
        (pa.array(["43758"]), OCTOBER_20),
        (pa.array([1_571_529_600]), OCTOBER_20),
        (pa.array([1_571_529_600_000]), OCTOBER_20),
        (pa.array([1_571_529_600_000_000]), OCTOBER_20),
        (pa.array(["1571529600000000000"]), OCTOBER_20),
        (pa.array(["10/20/2019"]), OCTOBER_20),
        (pa.array(["20.10.2019 00:00"]), OCTOBER_20),
        (pa.array(["Oct 20, 2019"]), OCTOBER_20),
    ],
)
def test_the_unit_of_a_time_shows_by_its_size(
    tmp_path: Path, column: pa.Array, time_ms: int
) -> None:
    table = {"user_id": ["u"], "item_id": ["i"], "event_type": ["view"], "timestamp": column}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")

    assert take_in(tmp_path / "a.parquet").events[0].timestamp_ms == time_ms
    assert evaluated(tmp_path / "a.parquet").log.times_ms().tolist() == [time_ms]


@pytest.mark.parametrize("value", ["10202019", "42", "0", "-5", "1.5", "1/2/2019", "tomorrow"])
def test_a_time_that_cannot_be_told_is_refused_and_nothing_is_of_1970(
    tmp_path: Path, value: str
) -> None:
    path = write(tmp_path, f"{HEADER}u,i,view,{value}\n")

    found = take_in(path)

    assert found.events == []
    assert next(iter(found.reasons())).startswith("timestamp: ")
    with pytest.raises(InvalidInput, match="line 2: timestamp: "):
        evaluated(path)


def test_a_number_that_is_no_time_like_the_others_is_refused(tmp_path: Path) -> None:
    found = take_in(write(tmp_path, HEADER + rows(3) + "u,i,view,43758\n"))

    assert found.reasons() == {"timestamp: is a day of Excel where others are a time since 1970": 1}


@pytest.mark.parametrize(
    ("value", "times", "time_ms"),
    [
        ("10202019", TimeOptions(pattern="%m%d%Y"), OCTOBER_20),
        ("42", TimeOptions(unit=TimeUnit.SECONDS), 42_000),
        ("2019-10-20 02:00", TimeOptions(zone="Europe/Berlin"), OCTOBER_20),
        ("20/10/2019 02:00", TimeOptions("%d/%m/%Y %H:%M", zone="Europe/Berlin"), OCTOBER_20),
        ("2019-10-20T00:00:00Z", TimeOptions(zone="Europe/Berlin"), OCTOBER_20),
    ],
)
def test_pattern_unit_and_zone_may_be_given(
    tmp_path: Path, value: str, times: TimeOptions, time_ms: int
) -> None:
    path = write(tmp_path, f"{HEADER}u,i,view,{value}\n")

    assert take_in(path, times=times).events[0].timestamp_ms == time_ms
    assert evaluated(path, times=times).log.times_ms().tolist() == [time_ms]


@pytest.mark.parametrize("clock", ["12:30", "12:30:00", "12:30 pm", "123000", "0.52083333333333"])
def test_day_and_clock_may_be_two_columns(tmp_path: Path, clock: str) -> None:
    path = write(tmp_path, f"user_id,item_id,type,date,time\nu,i,view,2019-10-20,{clock}\n")

    assert take_in(path).events[0].timestamp_ms == OCTOBER_20 + 45_000_000


@pytest.mark.parametrize("mapping", [(), ("kind=event_type",)])
def test_a_type_given_by_hand_goes_before_a_guessed_column(
    tmp_path: Path, mapping: tuple[str, ...]
) -> None:
    path = write(tmp_path, f"user_id,item_id,type,kind,date\nu,i,gift,view,{AT}\n")

    found = take_in(path, event_type="purchase", mapping=mapping)

    assert [event.event_type for event in found.events] == ["view" if mapping else "purchase"]


@pytest.mark.parametrize("kept", [0.5, 0.9999])
def test_a_damaged_gz_is_named_and_what_came_before_is_stored(tmp_path: Path, kept: float) -> None:
    whole = gzip.compress((HEADER + rows(60_000)).encode())
    path = write(tmp_path, whole[: int(len(whole) * kept)], "a.csv.gz")

    found = take_in(path)

    assert isinstance(found.outcome.ended, DamagedFile)
    assert "a.csv.gz: is damaged or not whole" in str(found.outcome.ended)
    assert 0 < found.tally.stored == len(found.events) < 60_000
    assert not found.outcome.is_finished
    with pytest.raises(DamagedFile):
        evaluated(path)


def test_what_is_called_gz_and_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"is not a \.gz file"):
        take_in(write(tmp_path, HEADER + rows(1), "a.csv.gz"))


def test_more_rejected_rows_than_may_be_are_told_and_the_file_is_not_done(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + rows(2) + "u,i,view,soon\n" * 3)

    assert take_in(path).outcome.has_too_many_rejected
    assert not take_in(path).outcome.is_finished


def test_reading_stops_when_nearly_all_first_rows_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.importing.text_lines.BLOCK_BYTES", 50_000)
    found = take_in(write(tmp_path, HEADER + "u,i,view,soon\n" * 50_000 + rows(9)))

    assert found.outcome.has_too_many_rejected
    assert 1000 <= found.tally.read < 10_000
    assert "were rejected: the rest was left" in str(found.outcome.ended)


def test_an_optional_value_that_cannot_be_read_is_dropped_and_counted(tmp_path: Path) -> None:
    header = "user_id,item_id,type,date,price,quantity,order_id\n"
    text = f"u,i,view,{AT},free,2,o\nu,j,view,{AT},1.5,-1,o\nu,k,view,{AT},2,1,{'o' * 300}\n"
    found = take_in(write(tmp_path, header + text))

    assert [(e.item_id, e.price, e.order_id) for e in found.events] == [
        ("i", None, "o"), ("k", 2, None)
    ]  # fmt: skip
    assert sum(found.tally.dropped.values()) == 2
    # Without its quantity a return would be a purchase.
    assert list(found.reasons()) == ["quantity: must be between 0 and 1e+12"]


def test_names_of_event_types_are_understood_in_any_case(tmp_path: Path) -> None:
    names = ["PV", "Cart", "buy", "fav", "View", "Product Added", "order_completed", "Wishlist-X"]
    text = "".join(f"u{n},i,{name},{AT + n}\n" for n, name in enumerate(names))
    path = write(tmp_path, HEADER + text)

    found = take_in(path, event_types="wishlist-x=like")

    assert [event.event_type for event in found.events] == [
        "view", "add_to_cart", "purchase", "like", "view", "add_to_cart", "purchase", "like"
    ]  # fmt: skip
    assert len(evaluated(path, event_types="wishlist-x=like").log) == len(names)
    with pytest.raises(ConfigurationError, match="--event-types x=nothing: expected NAME=TYPE"):
        take_in(path, event_types="x=nothing")


def test_what_is_known_of_an_import_includes_its_options(tmp_path: Path) -> None:
    path, ledger = write(tmp_path, f"{HEADER}u,i,view,2019-10-20\n"), Ledger()
    types, store = {"view": EventType(0.2)}, MemoryInteractionStore()
    for zone in ("UTC", "Europe/Berlin"):
        options = EventOptions(times=TimeOptions(zone=zone))
        plan = plan_events(Reading(path, events=options), TENANT, store, types, NOW_MS)
        assert run(plan, ledger).earlier is None


def test_rejected_rows_can_be_imported_once_what_was_wrong_is_mended(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + rows(3) + f"u,i,tasting,{AT}\nu,i,view,soon\nshort\n")
    first = take_in(path).outcome.reject_path

    again = take_in(first, event_types="tasting=view")

    assert (again.tally.read, again.pairs()) == (3, [("u", "i")])
    assert set(again.reasons()) == {
        "was not readable as a row",
        "timestamp: is no time that can be told: say --timestamp-format, or --time-unit of a"
        " number",
    }
    assert first.exists()
    assert again.outcome.reject_path != first
