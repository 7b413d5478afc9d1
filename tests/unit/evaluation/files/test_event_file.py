import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.config.shop import Shop, load_shop
from recsys.core.errors import ConfigurationError, InvalidInput, NoData
from recsys.evaluation.files.event_file import FileOptions, LoadedEvents, read_event_files
from recsys.training.event_log import EventLog

SHOP = load_shop()
# 2024-01-31T12:30:15Z.
NOW_MS = 1_706_704_215_000


def read(
    tmp_path: Path, text: str | bytes, name: str = "events.csv", shop: Shop = SHOP
) -> LoadedEvents:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_event_files([path], shop, NOW_MS)


def shop_that_counts(event_type: str, **details: Any) -> Shop:
    """The shop, with details of one type of event that count."""
    kind = replace(SHOP.event_types[event_type], **details)
    return replace(SHOP, event_types={**SHOP.event_types, event_type: kind})


def read_table(tmp_path: Path, columns: dict[str, Any]) -> EventLog:
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table(columns), path)
    return read_event_files([path], SHOP, NOW_MS).log


def pairs(log: EventLog) -> list[tuple[str, str]]:
    codes = zip(log.users.tolist(), log.items.tolist(), strict=True)
    return [(log.user_ids[user], log.item_ids[item]) for user, item in codes]


def test_two_columns_are_enough(tmp_path: Path) -> None:
    log = read(tmp_path, "user_id,item_id\na,x\nb,x\na,y\n").log
    assert pairs(log) == [("a", "x"), ("b", "x"), ("a", "y")]
    assert log.weights().tolist() == [1, 1, 1]
    assert log.target_types == (True,)
    assert log.timestamps_ms is None


def test_several_files_are_one_log_whatever_the_order_of_their_columns(tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.jsonl"
    first.write_text("user_id,item_id,timestamp,shelf\na,x,1700000000,1\n,y,1700000000,2\n")
    second.write_text('{"timestamp": 1700000001, "item_id": "x", "user_id": "b", "hue": "red"}\n')
    told: list[int] = []

    found = read_event_files([first, second], SHOP, NOW_MS, on_rows=told.append)

    assert pairs(found.log) == [("a", "x"), ("b", "x")]
    assert found.log.times_ms().tolist() == [1_700_000_000_000, 1_700_000_001_000]
    assert (found.left_out, found.unused, told) == (1, ("shelf", "hue"), [2, 3])


@pytest.mark.parametrize("order", [1, -1])
def test_files_of_which_one_has_no_times_are_refused(tmp_path: Path, order: int) -> None:
    timed, untimed = tmp_path / "timed.csv", tmp_path / "untimed.csv"
    timed.write_text("user_id,item_id,timestamp\na,x,1700000000\n")
    untimed.write_text("user_id,item_id\na,x\n")
    with pytest.raises(InvalidInput, match=r"timed.csv and 1 more: some rows have no timestamp"):
        read_event_files([timed, untimed][::order], SHOP, NOW_MS)


def test_a_file_that_is_mostly_bad_is_refused_whatever_others_hold(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("user_id,item_id,timestamp\n" + "a,x,1700000000\n" * 100)
    bad.write_text("user_id,item_id,timestamp\na,x,1700000000\na,x,never\na,x,never\n")
    with pytest.raises(InvalidInput, match=r"bad.csv: 2 of 3 rows broke rules"):
        read_event_files([good, bad], SHOP, NOW_MS, FileOptions(max_rejected=0.1))


def test_columns_come_in_any_order_with_others_between_them(tmp_path: Path) -> None:
    log = read(tmp_path, "colour,value,item_id,user_id\nred,2,x,a\n").log
    assert pairs(log) == [("a", "x")]
    assert log.values.tolist() == [2]


def test_types_weigh_as_the_shop_says_and_values_multiply(tmp_path: Path) -> None:
    log = read(
        tmp_path, "user_id,item_id,event_type,value\na,x,view,3\na,y,purchase,\na,z,return,2\n"
    ).log
    assert log.weights() == pytest.approx([0.6, 1, -2])
    assert log.excludes().tolist() == [False, True, True]
    assert [goal for code in log.types for goal in [log.target_types[code]]] == [False, True, False]


def test_quantities_and_prices_count_where_the_shop_says_so(tmp_path: Path) -> None:
    text = (
        "user_id,item_id,event_type,quantity,price\n"
        "a,x,purchase,4,\na,y,purchase,,40\na,z,view,9,90\n"
    )
    counting = shop_that_counts(
        "purchase", quantity_exponent=0.5, price_exponent=1.0, typical_price=10.0
    )
    assert read(tmp_path, text, shop=counting).log.weights() == pytest.approx([2, 4, 0.2])
    assert read(tmp_path, text).log.weights() == pytest.approx([1, 1, 0.2])


def test_ratings_count_where_the_shop_says_so(tmp_path: Path) -> None:
    text = "user_id,item_id,event_type,stars\na,x,rating,5\na,y,rating,1\na,z,rating,\n"
    counting = shop_that_counts("rating", rating_scale=(1.0, 5.0), rating_counts=True)
    assert read(tmp_path, text, shop=counting).log.weights() == pytest.approx([0.5, -0.5, 0.5])
    assert read(tmp_path, text).log.weights() == pytest.approx([0.5, 0.5, 0.5])


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_a_return_is_no_purchase_whether_quantities_count_or_not(
    tmp_path: Path, exponent: float
) -> None:
    text = "user_id,item_id,event_type,quantity\na,x,purchase,2\na,y,purchase,-1\n"
    shop = shop_that_counts("purchase", quantity_exponent=exponent)
    with pytest.raises(InvalidInput, match="line 3: quantity: must be between 0 and"):
        read(tmp_path, text, shop=shop)
    path = tmp_path / "events.csv"
    found = read_event_files([path], shop, NOW_MS, FileOptions(max_rejected=0.5))
    assert found.log.item_ids == ["x"]


def test_an_object_of_which_an_entry_is_used_is_not_named_as_unused(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"user": {"id": 1, "age": 30}, "item": {"id": "x"}, "page": {"url": "/"}}\n')
    found = read_event_files([path], SHOP, NOW_MS)
    assert found.unused == ("page", "user.age", "page.url")


def test_columns_that_are_no_fields_are_named(tmp_path: Path) -> None:
    text = "user_id,item_id,rating,price,timestamp\na,x,1,2,2024-01-30\n"
    assert read(tmp_path, text).unused == ("rating", "price")


def test_a_value_may_come_late_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.importing.text_lines.BLOCK_BYTES", 4096)
    rows = [{"user_id": "a", "item_id": f"i{n}"} for n in range(5000)]
    text = "\n".join(json.dumps(row) for row in [*rows, {**rows[0], "value": 3}])
    assert read(tmp_path, text, "events.jsonl").log.values.tolist() == [1.0] * 5000 + [3.0]


@pytest.mark.parametrize("name", ["events.csv", "events.tsv", "events.csv.gz"])
def test_delimiter_and_compression_are_found(tmp_path: Path, name: str) -> None:
    text = "user_id\titem_id\na\tx\n"
    content = gzip.compress(text.encode()) if name.endswith("gz") else text
    assert pairs(read(tmp_path, content, name).log) == [("a", "x")]


def test_space_around_ids_and_names_does_not_count(tmp_path: Path) -> None:
    log = read(tmp_path, "user_id , item_id\na, x\n a,x\n").log
    assert pairs(log) == [("a", "x")] * 2
    assert log.user_ids == ["a"]


def test_ids_stay_the_text_they_are(tmp_path: Path) -> None:
    log = read(tmp_path, "user_id,item_id\n007,1e5\nNil,7.5\n").log
    assert pairs(log) == [("007", "1e5"), ("Nil", "7.5")]


def test_rows_without_user_or_item_are_counted_and_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "user_id,item_id,value\na,x,1\n,y,2\nb,,3\n ,z,4\nc,y,5\n")
    assert pairs(found.log) == [("a", "x"), ("c", "y")]
    assert found.log.values.tolist() == [1, 5]
    assert found.left_out == 3


def test_parquet_may_hold_numbers(tmp_path: Path) -> None:
    columns = {"user_id": [1, 2], "item_id": [10.0, None], "value": [2, 3]}
    assert pairs(read_table(tmp_path, columns)) == [("1", "10")]


def test_what_tables_put_for_no_value_is_no_id(tmp_path: Path) -> None:
    columns = {"user_id": ["a", "b"], "item_id": pa.array([float("nan"), 7.0], from_pandas=False)}
    assert pairs(read_table(tmp_path, columns)) == [("b", "7")]


def test_the_same_ids_meet_across_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.importing.text_lines.BLOCK_BYTES", 64)
    rows = [(f"u{n % 7}", f"i{n % 11}") for n in range(200)]
    text = "user_id,item_id\n" + "".join(f"{user},{item}\n" for user, item in rows)
    log = read(tmp_path, text).log
    assert pairs(log) == rows
    assert (len(log.user_ids), len(log.item_ids)) == (7, 11)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1 is empty"),
        ("who,item_id\na,x\n", "no column for user_id of the events. The file has: who, item_id"),
        ("user_id\na\n", "no column for item_id"),
        ("user_id,item_id,item_id\na,x,y\n", "line 1 names two columns 'item_id'"),
        (
            "user_id,item_id\na,x,1\n",
            "line 2: has 3 fields, the header has 2; the row is ['a'",
        ),
        (
            "user_id,item_id,value\na,x,1\na,y,much\n",
            "line 3: value: must be a number; the row is",
        ),
        ("user_id,item_id,value\na,x,1\na,y,-2\n", "line 3: value: must be between 0 and"),
        ("user_id,item_id,value\na,x,1\na,x,-inf\n", "line 3: value: must be a number"),
        (
            "user_id,item_id,timestamp\na,x,yesterday\n",
            "timestamp: is no time that can be told",
        ),
        ("user_id,item_id,timestamp\na,x,2024-01-31\nb,x,\n", "line 3: timestamp: is missing"),
        (
            "user_id,item_id,timestamp\na,x,2024-01-31\n,x,5\nb,x,2099-01-01\n",
            "line 4: timestamp: is more than 24 hours in the future; the row is {",
        ),
        (
            "user_id,item_id,timestamp\na,x,1706704215\nb,x,42\n",
            "line 3: timestamp: is no time from 1995 on in any unit: say --time-unit",
        ),
        ("user_id,item_id\na,x\nb,x\ty\n", "line 3: item_id: has the control character U+0009"),
        (f"user_id,item_id\n{'u' * 257},x\n", "line 2: user_id: has 257 characters, at most 256"),
        (
            "user_id,item_id,event_type\na,x,shrug\n",
            "line 2: event_type: 'shrug' is not one of",
        ),
        ("user_id,item_id,event_type\na,x,\n", "line 2: event_type: is missing"),
        (b"user_id,item_id\n\xff,x\n", "line 2: is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises((InvalidInput, ConfigurationError)) as refused:
        read(tmp_path, text)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "text", ["user_id,item_id\n", "user_id,item_id\n,x\n", "user_id,item_id,timestamp\n,x,5\n"]
)
def test_a_file_without_events_is_no_data(tmp_path: Path, text: str) -> None:
    with pytest.raises(NoData, match=r"events\.csv"):
        read(tmp_path, text)


def test_what_is_called_parquet_and_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a Parquet file"):
        read(tmp_path, "user_id,item_id\na,x\n", "events.parquet")


def test_a_nested_column_is_no_id(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="line 1: user_id: must be text"):
        read_table(tmp_path, {"user_id": [True], "item_id": ["x"]})


def test_reading_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.importing.text_lines.BLOCK_BYTES", 32)
    (tmp_path / "e.csv").write_text("user_id,item_id\n" + "a,x\n" * 30)
    told: list[int] = []
    read_event_files([tmp_path / "e.csv"], SHOP, NOW_MS, on_rows=told.append)
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == 30
