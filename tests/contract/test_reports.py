"""Contract of Reports, real and in memory."""

import json

import pytest

from recsys.core.errors import NotFound
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis
from recsys.stores.report_document import report_document
from tests.builders import a_report
from tests.redis_fixture import ServingSide


def test_the_last_report_of_a_shop_is_read_as_it_was_published(serving_side: ServingSide) -> None:
    reports = serving_side.reports
    assert reports.latest("shop") is None
    reports.publish("shop", a_report())
    assert reports.latest("shop") == a_report()
    later = a_report(made_ms=1_764_300_000_000, start_ms=None, outcomes_left_out=7)
    reports.publish("shop", later)
    assert reports.latest("shop") == later
    assert reports.latest("othershop") is None


@pytest.mark.redis
def test_what_a_later_release_has_added_is_left_out(redis_side: ServingSide, redis: Redis) -> None:
    document = {**report_document(a_report()), "novelty": 1}
    redis.set(keys.report("shop"), json.dumps(document))
    assert redis_side.reports.latest("shop") == a_report()


@pytest.mark.redis
def test_a_report_of_an_earlier_release_tells_of_no_mismatch(
    redis_side: ServingSide, redis: Redis
) -> None:
    document = report_document(a_report())
    del document["sample_ratio_mismatches"]
    redis.set(keys.report("shop"), json.dumps(document))
    assert redis_side.reports.latest("shop") == a_report(sample_ratio_mismatches=())


@pytest.mark.redis
@pytest.mark.parametrize("document", ["[]", "{}", "{", '{"format": 2, "made_ms": 1}'])
def test_what_cannot_be_read_is_to_be_made_anew(
    redis_side: ServingSide, redis: Redis, document: str
) -> None:
    redis.set(keys.report("shop"), document)
    with pytest.raises(NotFound, match="make it anew"):
        redis_side.reports.latest("shop")
