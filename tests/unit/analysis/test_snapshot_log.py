"""Some of the users of a run's events."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.analysis.snapshot_log import snapshot_sample
from recsys.config.shop import load_shop
from recsys.core.errors import NotFound

SHOP = load_shop()


def events_of(folder: Path, users: int, each: int) -> Path:
    """A view of every user at each of the times 0 to `each`."""
    rows = [
        {"user_id": f"u{user}", "item_id": "a", "event_type": "view", "timestamp_ms": time}
        for time in range(each)
        for user in range(users)
    ]
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-0.parquet")
    return folder


def test_all_events_of_about_so_many_users_are_read(tmp_path: Path) -> None:
    events = events_of(tmp_path / "events", users=400, each=5)
    log, share = snapshot_sample(events, SHOP, most=500)
    assert share == 0.25
    assert 60 < len(log.user_ids) < 140
    assert len(log) == 5 * len(log.user_ids)


def test_what_is_left_out_by_time_does_not_count(tmp_path: Path) -> None:
    events = events_of(tmp_path / "events", users=100, each=5)
    log, share = snapshot_sample(events, SHOP, most=200, before_ms=2)
    assert share == 1
    assert len(log) == 200


def test_the_same_users_are_read_each_time(tmp_path: Path) -> None:
    events = events_of(tmp_path / "events", users=100, each=2)
    (once, _), (again, _) = (snapshot_sample(events, SHOP, most=100) for _ in range(2))
    assert once.user_ids == again.user_ids


def test_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="recsys nightly read"):
        snapshot_sample(tmp_path / "none", SHOP, most=10)
