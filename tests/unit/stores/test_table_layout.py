"""Two programs create the same tables."""

import re

from infra.local.settings import REPOSITORY
from recsys.stores.hbase import admin
from recsys.stores.hbase.layout import EVENT_ID_DAYS, EVENT_IDS, REMOVAL_DAYS, SALT_BUCKETS, TABLES

SCRIPT = (REPOSITORY / "infra" / "hbase" / "create_tables.rb").read_text()


def test_the_script_for_the_shell_creates_the_same_tables() -> None:
    created = re.findall(r'^create "#\{tenant\}:(\w+)", (.*)$', SCRIPT, re.M)

    assert {table for table, _ in created} == set(TABLES)
    for table, options in created:
        assert ("SPLITS" in options) == bool(admin._SPLIT_KEYS.get(table))
        assert ("deletable" in options) == (b"NEW_VERSION_BEHAVIOR" in family(table))
        assert ("expiring" in options) == (b"TTL" in family(table))


def family(table: str) -> dict[bytes, bytes]:
    return admin._ATTRIBUTES.get(table, {})


def test_the_script_splits_and_forgets_as_we_do() -> None:
    assert f"salt_buckets = {SALT_BUCKETS}\n" in SCRIPT
    assert f"TTL => {EVENT_ID_DAYS} * 24 * 3600" in SCRIPT
    assert f"TTL => {REMOVAL_DAYS} * 24 * 3600" in SCRIPT
    assert admin._SPLIT_KEYS[EVENT_IDS] == [bytes([bucket]) for bucket in range(4, SALT_BUCKETS, 4)]
    assert "wide_boundaries = (4...salt_buckets).step(4)" in SCRIPT


def test_ids_are_known_for_longer_than_a_month() -> None:
    assert EVENT_ID_DAYS >= 30
    assert int(family(EVENT_IDS)[b"TTL"]) == EVENT_ID_DAYS * 24 * 3600
