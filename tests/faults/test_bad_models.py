"""Models that come, and models that should not have come, while shoppers ask."""

import hashlib
import operator
import time
from collections.abc import Callable, Sequence

import httpx
import numpy as np
import pytest

from infra.local.replicas import Service
from infra.local.servers.services import metrics_url
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import pack_items, unpack_items
from recsys.stores.model_files import ITEMS, ModelFiles
from tests.e2e.load import load
from tests.e2e.load_driver import Request
from tests.e2e.shop import TENANT, Shop
from tests.e2e.versions import are_their_own, expected_answers, mixed, settle
from tests.eventually import eventually
from tests.faults.conftest import PER_SECOND, versions_in_redis
from tests.faults.metrics import metric
from tests.faults.table import LoadResult, Table, is_degraded

_SWAPS = 12


def test_no_answer_mixes_versions_however_often_the_model_changes(
    shop: Shop,
    api: httpx.Client,
    asking: Sequence[Request],
    paths: Sequence[str],
    two_versions: tuple[str, str],
    table: Table,
) -> None:
    expected = expected_answers(shop, api, two_versions, paths)
    with load(shop, asking, PER_SECOND) as asked:
        for swap in range(_SWAPS):
            settle(shop, api, two_versions[swap % 2])
            asked.await_more(PER_SECOND // 2)

    outcome = LoadResult(asked.answered)
    table.add(f"{_SWAPS} model swaps", outcome)
    assert outcome.errors == []
    assert not any(map(is_degraded, outcome.answered))
    assert {one.body["model_version"] for one in outcome.answered} == set(two_versions)
    assert mixed(outcome.answered, expected) == []
    assert are_their_own(outcome.answered)


def truncated(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def not_numbers(packed: bytes) -> bytes:
    side = unpack_items(packed)
    factors = side.factors.copy()
    factors[len(factors) // 2] = np.nan
    # The class itself refuses this.
    object.__setattr__(side, "factors", factors)
    return pack_items(side)


def other_shape(packed: bytes) -> bytes:
    side = unpack_items(packed)
    object.__setattr__(side, "factors", side.factors[:, 0].copy())
    return pack_items(side)


@pytest.mark.parametrize("damage", [truncated, not_numbers, other_shape])
@pytest.mark.parametrize("checksum", ["of what was meant", "of what was written"])
def test_a_damaged_model_never_answers_and_is_told_of(
    shop: Shop,
    asking: Sequence[Request],
    table: Table,
    damage: Callable[[bytes], bytes],
    checksum: str,
) -> None:
    good, bad = shop.serving(), f"bad-{damage.__name__}-{int(time.time())}"
    files = ModelFiles(shop.stack.settings.models)
    packed = damage(files.item_bytes(TENANT, good))
    manifest = files.manifest(TENANT, good).model_copy(update={"version": bad})
    if checksum == "of what was written":
        manifest = with_checksum(manifest, packed)
    published = shop.published()
    before = refused(shop)
    with load(shop, asking, PER_SECOND) as asked:
        published.write_items(TENANT, bad, manifest.to_json(), packed)
        published.activate(TENANT, bad)
        try:
            eventually(lambda: all(map(operator.gt, refused(shop), before)))
            asked.await_more(2 * PER_SECOND)
        finally:
            published.activate(TENANT, good)
            published.retire(TENANT, [v for v in versions_in_redis(shop) if v != bad])

    outcome = LoadResult(asked.answered)
    table.add(f"model: {damage.__name__}, checksum {checksum}", outcome)
    assert outcome.errors == []
    assert {one.body["model_version"] for one in outcome.answered} == {good}
    assert not any(map(is_degraded, outcome.answered))


def refused(shop: Shop) -> list[float]:
    """Count the versions that each recommender has refused."""
    settings = shop.stack.settings
    urls = [
        metrics_url(settings, Service.RECOMMENDER, name)
        for name in shop.stack.running(Service.RECOMMENDER)
    ]
    return [metric(url, "recsys_model_refused_total", tenant=TENANT) for url in urls]


def with_checksum(manifest: Manifest, packed: bytes) -> Manifest:
    sums = manifest.sha256 | {ITEMS: hashlib.sha256(packed).hexdigest()}
    return manifest.model_copy(update={"sha256": sums})
