"""Rows that hold lists, read as a row for each element."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.errors import ConfigurationError
from recsys.importing.read_options import ReadOptions
from tests.unit.importing.shop import evaluated, take_in, write
from tests.unit.importing.test_sources import read

ORDER = {
    "id": 7,
    "customer": "ann",
    "at": "2024-01-01T10:00:00Z",
    "lines": [{"sku": "a", "count": 2, "of": {"brand": "x"}}, {"sku": "b"}],
}
MAPPING = ("customer=user_id", "lines.sku=item_id", "at=timestamp")


def jsonl(folder: Path, *rows: Any, name: str = "orders.jsonl") -> Path:
    return write(folder, "".join(json.dumps(row) + "\n" for row in rows), name)


def test_each_element_is_a_row_with_what_is_beside_it(tmp_path: Path) -> None:
    rows, bad = read(jsonl(tmp_path, ORDER), explode="lines")

    assert bad == []
    outer = {key: ORDER[key] for key in ("id", "customer", "at")}
    assert [line for line, _ in rows] == [1, 1]
    assert [{key: row[key] for key in outer} for _, row in rows] == [outer, outer]
    assert [row["lines.sku"] for _, row in rows] == ["a", "b"]
    assert [row["lines.count"] for _, row in rows] == [2, None]
    assert [row["lines.of.brand"] for _, row in rows] == ["x", None]


def test_parquet_and_json_explode_alike(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([ORDER, {**ORDER, "id": 8, "lines": []}])
    pq.write_table(table, tmp_path / "orders.parquet")

    from_parquet, from_json = (
        take_in(path, ReadOptions(explode="lines"), mapping=MAPPING, event_type="purchase")
        for path in (tmp_path / "orders.parquet", jsonl(tmp_path, ORDER))
    )

    assert from_parquet.pairs() == from_json.pairs() == [("ann", "a"), ("ann", "b")]
    assert [event.event_id for event in from_parquet.events] == [
        event.event_id for event in from_json.events
    ]


def test_a_list_of_plain_values_is_a_column_by_its_own_name(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**ORDER, "lines": ["a", 5]})
    mapping = ("customer=user_id", "lines=item_id", "at=timestamp")

    found = take_in(path, ReadOptions(explode="lines"), mapping=mapping, event_type="view")

    assert found.pairs() == [("ann", "a"), ("ann", "5")]


def test_an_evaluation_reads_the_same(tmp_path: Path) -> None:
    log = evaluated(jsonl(tmp_path, ORDER), ReadOptions(explode="lines"), mapping=MAPPING).log
    assert (list(log.user_ids), list(log.item_ids), len(log)) == (["ann"], ["a", "b"], 2)


def test_an_id_that_the_elements_share_does_not_make_them_one_event(tmp_path: Path) -> None:
    path = jsonl(tmp_path, ORDER, {**ORDER, "id": 8}, {**ORDER, "id": None})

    found = take_in(
        path,
        ReadOptions(explode="lines"),
        mapping=(*MAPPING, "id=event_id"),
        event_type="purchase",
    )

    ids = [event.event_id for event in found.events]
    assert {"7:1", "7:2", "8:1", "8:2"} < set(ids)
    assert len(set(ids)) == len(ids) == 6


def test_an_id_of_each_element_is_taken_as_it_is(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**ORDER, "lines": [{"sku": "a", "id": "x"}, {"sku": "b", "id": "y"}]})

    found = take_in(
        path,
        ReadOptions(explode="lines"),
        mapping=(*MAPPING, "lines.id=event_id"),
        event_type="purchase",
    )

    assert [event.event_id for event in found.events] == ["x", "y"]


def test_what_has_no_list_is_rejected_and_an_empty_one_makes_no_row(tmp_path: Path) -> None:
    broken = {**ORDER, "lines": "a,b"}
    without = {key: ORDER[key] for key in ("id", "customer", "at")}
    path = jsonl(tmp_path, ORDER, broken, without, {**ORDER, "lines": []})

    rows, bad = read(path, explode="lines")

    assert [line for line, _ in rows] == [1, 1]
    assert bad == [(2, "lines: is no list", broken), (3, "lines: is no list", without)]


def test_rejected_elements_can_be_imported_again(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**ORDER, "lines": [{"sku": "a"}, {"sku": None}, {"sku": "c"}]})
    options: dict[str, Any] = {"mapping": MAPPING, "event_type": "purchase"}
    how = ReadOptions(explode="lines")

    first = take_in(path, how, **options)

    assert first.pairs() == [("ann", "a"), ("ann", "c")]
    rejects = first.outcome.reject_path
    mended = rejects.read_text().replace('"sku": null', '"sku": "b"')
    again = take_in(write(tmp_path, mended, rejects.name), how, **options)
    assert again.pairs() == [("ann", "b")]


@pytest.mark.parametrize(
    ("name", "content", "explode", "message"),
    [
        ("a.jsonl", '{"id": 1}\n', "lines", "there is no such column; the file has: id"),
        ("a.jsonl", '{"id": 1, "lines": "x"}\n', "lines", "is no list"),
        ("a.csv", "id,lines\n1,x\n", "lines", "for JSON and Parquet"),
        ("a.jsonl", '{"days": [{"lines": [1]}]}\n', "days.lines", r"jq -c '\.days\[\]'"),
    ],
)
def test_where_there_is_no_list_that_is_said(
    tmp_path: Path, name: str, content: str, explode: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        take_in(write(tmp_path, content, name), ReadOptions(explode=explode), event_type="view")
