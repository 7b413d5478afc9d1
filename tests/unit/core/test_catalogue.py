"""The columns of the live catalogue against plain rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core import catalogue
from recsys.core.catalogue import CatalogueColumns, CatalogueRow, EncodedColumn

NAMES = st.sampled_from(["colour", "watts", "new"])
VALUES = st.sampled_from(["red", "1", 1.0, 0.0, True, False])
ROWS = st.builds(
    CatalogueRow,
    title=st.none() | st.sampled_from(["A", ""]),
    price=st.none() | st.sampled_from([0.0, 19.99]),
    available=st.booleans(),
    categories=st.sampled_from([(), ("a",), ("a", "b")]),
    brand=st.none() | st.sampled_from(["x", "y"]),
    attributes=st.dictionaries(NAMES, VALUES),
    tags=st.sampled_from([(), ("sale",), ("sale", "new")]),
    publish_ms=st.none() | st.integers(1, 9),
    expire_ms=st.none() | st.integers(1, 9),
    created_ms=st.none() | st.integers(1, 9),
)
UPDATES = st.lists(st.dictionaries(st.sampled_from("abcd"), ROWS), max_size=6)


def exactly(row: CatalogueRow | None) -> str:
    """With the type of each attribute: True is not 1."""
    return repr(row and row._replace(attributes=dict(sorted(row.attributes.items()))))


@given(UPDATES)
def test_columns_hold_what_rows_did(updates: list[dict[str, CatalogueRow]]) -> None:
    columns, rows = CatalogueColumns(), dict[str, CatalogueRow]()
    for update in updates:
        columns.update(update)
        rows |= update
    assert {item_id: exactly(columns.get(item_id)) for item_id in "abcd"} == {
        item_id: exactly(rows.get(item_id)) for item_id in "abcd"
    }
    assert len(columns) == len(rows)
    arrivals = columns.arrivals()
    for item_id, row in rows.items():
        position = columns.position(item_id)
        assert position is not None
        assert arrivals[position] == max(0, *(row.publish_ms or 0, row.created_ms or 0))


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 50)), max_size=80))
def test_a_column_forgets_values_that_no_row_has(writes: list[tuple[int, int | None]]) -> None:
    spare, catalogue._SPARE_VALUES = catalogue._SPARE_VALUES, 3
    try:
        column, expected = EncodedColumn[int](), dict[int, int | None]()
        for row, value in writes:
            column[row] = value
            expected[row] = value
            assert {row: column[row] for row in range(6)} == {
                row: expected.get(row) for row in range(6)
            }
            # What rows have, twice that and the spare ones.
            assert len(column.values) <= 2 * 6 + 3 + 2
    finally:
        catalogue._SPARE_VALUES = spare
    codes = column.codes(6)
    assert [column.values[code] for code in codes.tolist()] == [expected.get(r) for r in range(6)]
    assert codes.dtype == np.int32


@given(UPDATES)
def test_items_are_shown_between_their_times_whenever_these_became_known(
    updates: list[dict[str, CatalogueRow]],
) -> None:
    columns, rows = CatalogueColumns(), dict[str, CatalogueRow]()
    shown: dict[str, bool | None] = {}
    for now_ms, update in enumerate([*updates, *[{}] * 10]):
        columns.update(update)
        rows |= update
        changed = {*columns.turn(now_ms), *update}
        for item_id, row in rows.items():
            expected = (
                row.available
                and (row.publish_ms is None or row.publish_ms <= now_ms)
                and (row.expire_ms is None or now_ms < row.expire_ms)
            )
            assert columns.is_available(item_id) is expected
            # Whoever looks again at what has changed only misses nothing.
            assert item_id in changed or shown[item_id] is expected
            shown[item_id] = expected
