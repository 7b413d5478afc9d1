"""Values that files write in more than one way, and that once became others without a word."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.domain import Item
from recsys.core.errors import ConfigurationError
from recsys.importing.item_rows import ItemOptions
from recsys.importing.plan import Reading, plan_items
from recsys.importing.presets import Preset
from recsys.importing.read_options import ReadOptions
from recsys.importing.times import TimeOptions
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from tests.unit.importing.shop import TENANT, Events, run, take_in, without_create_times, write

HEADER = "user_id,item_id,event_type,timestamp\n"


def moments(found: Events) -> list[str]:
    return [
        datetime.fromtimestamp(event.timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        for event in found.events
    ]


def items_of(path: Path, preset: Preset | None = None, **options: Any) -> list[Item]:
    store = MemoryItemStore()
    reading = Reading(path, items=ItemOptions(**options), preset=preset)
    run(plan_items(reading, TENANT, store, MemoryLiveCatalogue()))
    return without_create_times(store.scan(TENANT))


@pytest.mark.parametrize("quantity", ["(1)", "(1.00)", "\u22121", "\u20131", "1-", "-1", "1.00 -"])
def test_what_was_given_back_is_not_bought(tmp_path: Path, quantity: str) -> None:
    path = write(tmp_path, f"{HEADER[:-1]},quantity\nu,i,purchase,2020-01-01,{quantity}\n")

    found = take_in(path)

    assert not found.events
    assert found.reasons() == {"quantity: must be between 0 and 1e+12": 1}


@pytest.mark.parametrize("price", ["($12.50)", "\u221212,50 €", "12.50- EUR", "1.5k", "2 M"])
def test_a_price_that_is_no_plain_number_is_left_out(tmp_path: Path, price: str) -> None:
    path = write(tmp_path, f'{HEADER[:-1]},price\nu,i,purchase,2020-01-01,"{price}"\n')

    found = take_in(path)

    assert [event.price for event in found.events] == [None]
    assert found.tally.dropped.total() == 1


@pytest.mark.parametrize(
    ("written", "others"),
    [
        ("2019-10-27 02:30:00 UTC", "2019-02-30 10:00:00 UTC"),
        ("2019-10-27 02:30:00 GMT", "2019-10-27 02:30:00"),
        ("Sun 27 Oct 2019 02:30:00 GMT", "x"),
        ("Oct 27 2019 02:30:00 UTC", "x"),
        ("27.10.2019 02:30 UTC", "x"),
    ],
)
def test_a_time_that_names_utc_is_none_of_the_files_zone(
    tmp_path: Path, written: str, others: str
) -> None:
    path = write(tmp_path, f"{HEADER}u,i,view,{written}\nv,i,view,{others}\n")

    found = take_in(path, times=TimeOptions(zone="America/New_York"))

    assert "2019-10-27 02:30" in moments(found)


def test_a_zone_in_a_pattern_is_utc_or_refused(tmp_path: Path) -> None:
    rows = "a,i,view,2019-10-27 02:30 GMT\nb,i,view,2019-10-27 02:30 EST\n"
    times = TimeOptions(pattern="%Y-%m-%d %H:%M %Z", zone="America/New_York")

    found = take_in(write(tmp_path, HEADER + rows), times=times)

    assert moments(found) == ["2019-10-27 02:30"]
    assert found.tally.rejected.total() == 1


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        (("1631", "905", "0"), ["00:00", "09:05", "16:31"]),
        (("16", "9", "0"), ["00:00", "09:00", "16:00"]),
        (("163100", "90500", "31"), ["00:00", "09:05", "16:31"]),
        (("000905", "001631", "000000"), ["00:00", "00:09", "00:16"]),
    ],
)
def test_a_time_of_the_day_in_digits_is_told_by_the_others(
    tmp_path: Path, clocks: tuple[str, ...], expected: list[str]
) -> None:
    rows = "".join(f"u{n},i,view,20191020,{clock}\n" for n, clock in enumerate(clocks))
    path = write(tmp_path, f"user_id,item_id,event_type,date,time\n{rows}")

    assert [moment[-5:] for moment in moments(take_in(path))] == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("19-10-20", "19-10-31"), ["2019-10-20", "2019-10-31"]),
        (("20-10-19", "31-10-19"), ["2019-10-20", "2019-10-31"]),
        (("10/20/19", "10/31/19"), ["2019-10-20", "2019-10-31"]),
        (("19-10-20", "19-10-21"), []),
    ],
)
def test_a_year_of_two_digits_is_first_or_last_as_the_column_tells(
    tmp_path: Path, days: tuple[str, ...], expected: list[str]
) -> None:
    rows = "".join(f"u{n},i,view,{day}\n" for n, day in enumerate(days))

    found = take_in(write(tmp_path, HEADER + rows))

    assert [moment[:10] for moment in moments(found)] == expected
    assert found.tally.rejected.total() == len(days) - len(expected)


def test_the_zero_day_of_mysql_is_no_day_that_an_option_could_tell(tmp_path: Path) -> None:
    found = take_in(write(tmp_path, f"{HEADER}u,i,view,0000-00-00 00:00:00\n"))

    assert [reason.partition(":")[2][:25] for reason in found.reasons()] == [
        " is no time that can be t"
    ]


def test_ids_in_bytes_are_not_mixed_up(tmp_path: Path) -> None:
    ids = [bytes([0xFF, number] * 8) for number in (1, 2)]
    columns = {"item_id": ["i", "i"], "event_type": ["view"] * 2, "timestamp": ["2020-01-01"] * 2}
    for kind in (pa.binary(), pa.binary(16)):
        path = tmp_path / "events.parquet"
        pq.write_table(pa.table({"user_id": pa.array(ids, kind), **columns}), path)
        found = take_in(path)
        assert not found.events
        assert "must be text, not bytes" in "".join(found.reasons())

    rejects = write(
        tmp_path, (tmp_path / "events.parquet.events.rejects.jsonl").read_bytes(), "r.jsonl"
    )
    mended = rejects.rename(tmp_path / "events.rejects.jsonl")
    again = take_in(mended, mapping=("user_id.hex=user_id",))
    assert [event.user_id for event in again.events] == [each.hex() for each in ids]


def test_a_uuid_of_parquet_is_its_text(tmp_path: Path) -> None:
    user = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
    table = pa.table(
        {
            "user_id": pa.ExtensionArray.from_storage(
                pa.uuid(), pa.array([user.bytes], pa.binary(16))
            ),
            "item_id": ["i"],
            "event_type": ["view"],
            "timestamp": ["2020-01-01"],
        }
    )
    pq.write_table(table, tmp_path / "events.parquet")

    assert take_in(tmp_path / "events.parquet").pairs() == [(str(user), "i")]


def test_excel_s_way_to_keep_zeros_is_no_part_of_an_id(tmp_path: Path) -> None:
    path = write(tmp_path, f'{HEADER}"=""00042""",="007",view,2020-01-01\n')

    assert take_in(path).pairs() == [("00042", "007")]


def test_excel_s_line_about_the_delimiter_is_no_header(tmp_path: Path) -> None:
    text = "\ufeffsep=;\nuser_id;item_id;event_type;timestamp;a,b,c,d,e\nu;i;view;2020-01-01;\nv\n"
    found = take_in(write(tmp_path, text))

    assert found.pairs() == [("u", "i")]
    assert '"line": 4' in (tmp_path / "events.csv.events.rejects.jsonl").read_text()


def test_a_column_may_be_left_out(tmp_path: Path) -> None:
    rows = "1,u,i,view,2020-01-01\n1,v,i,view,2020-01-01\n"
    path = write(tmp_path, f"event_id,{HEADER}{rows}")

    assert len(take_in(path).events) == 1
    assert len(take_in(path, mapping=("event_id=",)).events) == 2


def test_what_a_shop_s_export_joins_is_taken_apart(tmp_path: Path) -> None:
    woo = 'SKU,Name,Categories,Tags\nh,Hoodie,"Clothing > Hoodies, Sale","red, blue"\n'
    magento = 'sku,name,categories,is_in_stock\nb,Bag,"Default/Gear,Default/Gear/Bags",1\n'

    assert items_of(
        write(tmp_path, woo.replace("SKU", "Regular price,SKU").replace("h,H", ",h,H"), "w.csv"),
        Preset.WOOCOMMERCE,
    ) == [Item("h", "Hoodie", ("Clothing", "Hoodies", "Sale"), tags=("red", "blue"))]
    assert items_of(write(tmp_path, magento, "m.csv"), Preset.MAGENTO) == [
        Item("b", "Bag", ("Default", "Gear", "Bags"))
    ]
    assert items_of(write(tmp_path, "id,category\n1,A/B;C\n", "o.csv"), separators="/;") == [
        Item("1", categories=("A", "B", "C"))
    ]


@pytest.mark.parametrize(("status", "available"), [("active", True), ("draft", False)])
def test_a_draft_of_shopify_is_not_for_sale(tmp_path: Path, status: str, available: bool) -> None:
    text = f"Handle,Title,Vendor,Type,Variant Price,Status\nhat,Hat,A,W,5,{status}\nhat,,,,6,\n"

    found = items_of(write(tmp_path, text), Preset.SHOPIFY)

    assert found == [Item("hat", "Hat", ("W",), "A", 6.0, available=available)]


_WOO = "ID,Type,SKU,Name,Published,Visibility in catalog,In stock?,Stock,Regular price\n"


@pytest.mark.parametrize(
    ("row", "available"),
    [
        ("simple,h,Hat,1,visible,1,5,9", True),
        ("simple,h,Hat,1,catalog,1,,9", True),
        ("simple,h,Hat,,,1,,9", True),
        ("simple,h,Hat,1.0,visible,1,,9", True),
        # Private, or a draft, one that waits for review, or for its day.
        ("simple,h,Hat,0,visible,1,5,9", False),
        ("variable,h,Hat,-1,visible,1,,", False),
        ("external,h,Hat,1,hidden,1,,9", False),
        ("grouped,h,Hat,1,search,1,,", False),
        ("simple,h,Hat,1,visible,0,0,9", False),
        # On sale without stock.
        ("simple,h,Hat,1,visible,backorder,-3,9", True),
        ("variation,h,Hat,1,visible,1,parent,9", True),
        ("variation,h,Hat,0,visible,1,parent,9", False),
    ],
)
def test_only_what_woocommerce_shows_is_shown(tmp_path: Path, row: str, available: bool) -> None:
    [item] = items_of(write(tmp_path, f"{_WOO}9,{row}\n", "w.csv"), Preset.WOOCOMMERCE)

    assert (item.item_id, item.title, item.can_be_bought) == ("h", "Hat", available)


def test_a_column_that_is_left_out_by_hand_brings_back_no_other_one(tmp_path: Path) -> None:
    path = write(tmp_path, f"{_WOO}9,variation,h,Hat,1,visible,1,parent,9\n", "w.csv")

    [item] = items_of(path, Preset.WOOCOMMERCE, mapping=("Regular price=price", "Name="))

    assert (item.item_id, item.price, item.can_be_bought) == ("h", 9.0, True)


@pytest.mark.parametrize(
    ("preset", "text", "available"),
    [
        # In the shop's system it is shown; that another source had it sold out stands.
        (Preset.WOOCOMMERCE, "SKU,Published,Regular price\nh,1,\n", False),
        (Preset.WOOCOMMERCE, "SKU,Published,In stock?,Regular price\nh,1,,\n", False),
        (Preset.WOOCOMMERCE, "SKU,Visibility in catalog,Regular price\nh,visible,\n", False),
        (Preset.WOOCOMMERCE, "SKU,Published,In stock?,Regular price\nh,1,1,\n", True),
        (Preset.MAGENTO, "sku,product_online,is_in_stock\nh,1,\n", False),
        (Preset.MAGENTO, 'sku,visibility,is_in_stock\nh,"Catalog, Search",\n', False),
        (Preset.MAGENTO, "sku,product_online,is_in_stock\nh,1,1\n", True),
        (Preset.SHOPIFY, "Handle,Status,Vendor,Type,Variant Price\nh,active,,,\n", False),
    ],
)
def test_an_update_makes_nothing_available_by_what_says_nothing_of_its_stock(
    tmp_path: Path, preset: Preset, text: str, available: bool
) -> None:
    [item] = _updated(tmp_path, Item("h", "Hat", available=False), preset, text)

    assert item.available == available


@pytest.mark.parametrize(
    ("preset", "text"),
    [
        (Preset.WOOCOMMERCE, "SKU,Published,Regular price\nh,0,\n"),
        (Preset.MAGENTO, "sku,product_online,is_in_stock\nh,2,\n"),
        (Preset.MAGENTO, "sku,visibility,is_in_stock\nh,Not Visible Individually,1\n"),
        (Preset.SHOPIFY, "Handle,Status,Vendor,Type,Variant Price\nh,archived,,,\n"),
    ],
)
def test_an_update_takes_away_what_is_shown_no_more(
    tmp_path: Path, preset: Preset, text: str
) -> None:
    [item] = _updated(tmp_path, Item("h", "Hat"), preset, text)

    assert not item.available


def test_a_column_left_out_by_hand_hides_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "SKU,Published,Regular price\nh,0,9\n", "w.csv")
    mapping = ("Regular price=price", "Published=")

    assert [item.available for item in items_of(path, Preset.WOOCOMMERCE, mapping=mapping)] == [
        True
    ]


def _updated(tmp_path: Path, stored: Item, preset: Preset, text: str) -> list[Item]:
    store = MemoryItemStore()
    store.put(TENANT, [stored])
    reading = Reading(
        write(tmp_path, text, "products.csv"), items=ItemOptions(update=True), preset=preset
    )
    run(plan_items(reading, TENANT, store, MemoryLiveCatalogue()))
    return list(store.scan(TENANT))


@pytest.mark.parametrize(
    ("visibility", "available"),
    [
        ('"Catalog, Search"', True),
        ("Catalog", True),
        ("4", True),
        ('"Katalog, Suche"', True),
        ("", True),
        ("Search", False),
        ("Not Visible Individually", False),
        ("1", False),
    ],
)
def test_what_magento_shows_nowhere_or_in_search_alone_is_not_shown(
    tmp_path: Path, visibility: str, available: bool
) -> None:
    path = write(tmp_path, f"sku,name,is_in_stock,visibility\nb,Bag,1,{visibility}\n", "m.csv")

    assert [item.available for item in items_of(path, Preset.MAGENTO)] == [available]


@pytest.mark.parametrize(("online", "available"), [("1", True), ("2", False), ("", True)])
def test_what_is_disabled_in_magento_is_not_shown(
    tmp_path: Path, online: str, available: bool
) -> None:
    path = write(tmp_path, f"sku,name,is_in_stock,product_online\nb,Bag,1,{online}\n", "m.csv")

    assert [item.available for item in items_of(path, Preset.MAGENTO)] == [available]


@pytest.mark.parametrize(
    ("preset", "header", "rows", "available"),
    [
        # Disabled; the row of a store's own name has stock alone.
        (Preset.MAGENTO, "sku,name,is_in_stock,product_online", ["b,Bag,1,2", "b,,1,"], False),
        (Preset.MAGENTO, "sku,name,is_in_stock,product_online", ["b,Bag,1,2", "b,,1,1"], True),
        (Preset.MAGENTO, "sku,name,is_in_stock,product_online", ["b,,1,", "b,Bag,1,2"], False),
        (Preset.MAGENTO, "sku,name,is_in_stock,product_online", ["a,Hat,1,2", "b,Bag,1,"], True),
        (
            Preset.MAGENTO,
            "sku,name,is_in_stock,product_online,visibility",
            ["b,Bag,1,1,1", "b,,1,1,"],
            False,
        ),
        (
            Preset.WOOCOMMERCE,
            "SKU,Name,Regular price,In stock?,Published",
            ["b,Bag,9,1,0", "b,,9,1,"],
            False,
        ),
    ],
)
def test_what_a_row_hides_no_stock_of_a_later_row_shows(
    tmp_path: Path, preset: Preset, header: str, rows: list[str], available: bool
) -> None:
    path = write(tmp_path, "\n".join([header, *rows, ""]), "p.csv")

    assert items_of(path, preset)[-1].available == available


@pytest.mark.parametrize(("stock", "available"), [("-1", False), ("+1", True), ("-0", False)])
def test_a_number_of_pieces_keeps_its_sign(tmp_path: Path, stock: str, available: bool) -> None:
    path = write(tmp_path, f"sku,in_stock\nh,{stock}\n", "i.csv")

    assert [item.available for item in items_of(path)] == [available]


def _orders_in_lines(path: Path) -> Path:
    return write(path, '{\n"user_id": "u",\n"item_id": "i"\n}\n', "events.json")


def _literals_of_python(path: Path) -> Path:
    return write(path, "{'user_id': 'u'}\n" * 3, "events.json")


def _utf_16(path: Path) -> Path:
    return write(path, HEADER.encode("utf-16-le"))


def _workbook(path: Path) -> Path:
    return write(path, b"PK", "orders.xlsx")


def _tar(path: Path) -> Path:
    return write(path, b"x", "orders.csv.tar.gz")


@pytest.mark.parametrize(
    ("make", "what_to_do"),
    [
        (_orders_in_lines, "jq -c"),
        (_literals_of_python, "is not valid JSON"),
        (_utf_16, "--encoding utf-16-le"),
        (_workbook, "save it as CSV UTF-8"),
        (_tar, "unpack it"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    tmp_path: Path, make: Callable[[Path], Path], what_to_do: str
) -> None:
    with pytest.raises(ConfigurationError, match=what_to_do):
        take_in(make(tmp_path), ReadOptions())


def test_a_list_within_a_field_is_no_id(tmp_path: Path) -> None:
    lists = ['"[{""sku"": ""a""}]"', '"[""a""]"', "['a']", '"{""sku"": 1}"']
    rows = "".join(f"u,{each},purchase,2020-01-01\n" for each in (*lists, "[E-COM07]"))

    found = take_in(write(tmp_path, HEADER + rows))

    assert found.pairs() == [("u", "[E-COM07]")]
    assert "no id: in JSON and Parquet --explode" in "".join(found.reasons())


@pytest.mark.parametrize(
    "written", ["2026-01-31 12:00:00", "2026-01-31T12:00:00Z", "31.01.2026 12:00", "1769860800"]
)
def test_times_of_items_are_read_as_those_of_events(tmp_path: Path, written: str) -> None:
    text = f"id,publish_time,expire_time\n1,{written},4070908800\n"

    (item,) = items_of(write(tmp_path, text))

    assert (item.publish_ms, item.expire_ms) == (1_769_860_800_000, 4_070_908_800_000)


def test_seconds_of_json_are_none_of_1970(tmp_path: Path) -> None:
    text = '{"id": 1, "expire_time": 4070908800, "publish_time": "soon"}\n'

    (item,) = items_of(write(tmp_path, text, "items.jsonl"))

    assert (item.publish_ms, item.expire_ms) == (None, 4_070_908_800_000)


def test_an_attribute_that_can_be_none_costs_no_other(tmp_path: Path) -> None:
    text = '{"id": 1, "attributes": {"sizes": ["S"], "colour": "red", "watts": 5}}\n'

    (item,) = items_of(write(tmp_path, text, "items.jsonl"))

    assert item.attributes == {"colour": "red", "watts": 5.0}


def test_categories_may_be_lists_of_paths(tmp_path: Path) -> None:
    text = '{"id": 1, "categories": [["Home", "Light"], ["Home", "Sale"]]}\n'

    (item,) = items_of(write(tmp_path, text, "items.jsonl"))

    assert item.categories == ("Home", "Light", "Sale")
