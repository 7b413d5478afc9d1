"""When a new version may replace the one that serves."""

import numpy as np
import pytest

from recsys.config.shop import GateLimits
from recsys.core.model import ItemModel
from recsys.core.vocabulary import Vocabulary
from recsys.stores.manifest import Manifest, Reach
from spark_jobs.nightly.gate import lost_catalogue, popular_kept, refusals, verdict
from tests.builders import a_manifest, an_evaluation, an_item_model

LIMITS = GateLimits()
REACH = Reach(listed_users=1000, recommendable_items=500, counted_pairs=20_000)
CURRENT = a_manifest("current", evaluation=an_evaluation(0.10), reach=REACH)
UNJUDGED = an_evaluation(0.0, users=LIMITS.min_judged_users - 1)


def a_candidate(ndcg: float = 0.11, **reach: int) -> Manifest:
    return a_manifest("new", evaluation=an_evaluation(ndcg), reach=REACH.model_copy(update=reach))


def refused(new: Manifest, current: Manifest | None = CURRENT, kept: float | None = 1.0) -> str:
    return "; ".join(refusals(new, current, kept, LIMITS))


@pytest.mark.parametrize("ndcg", [0.11, 0.091])
def test_a_better_or_slightly_worse_model_passes(ndcg: float) -> None:
    assert not refused(a_candidate(ndcg))


def test_a_much_worse_model_is_refused() -> None:
    assert "more than 10% below the 0.1000 of the serving version" in refused(a_candidate(0.089))


def test_a_model_that_does_not_beat_popularity_is_refused_even_as_the_first() -> None:
    new = a_manifest(evaluation=an_evaluation(0.04, popularity=0.04))
    assert "is not above popularity's" in refused(new, None)


def test_a_model_that_was_never_judged_is_refused() -> None:
    assert "recsys nightly evaluate" in refused(a_manifest(), None)


def test_what_cannot_be_judged_does_not_replace_what_was() -> None:
    assert "it cannot be evaluated, but the serving version was: only 99 users" in refused(
        a_manifest(evaluation=UNJUDGED, reach=REACH)
    )


@pytest.mark.parametrize("current", [None, a_manifest(evaluation=UNJUDGED), a_manifest()])
def test_where_nothing_judged_serves_what_cannot_be_judged_may_begin(
    current: Manifest | None,
) -> None:
    new = a_manifest(evaluation=UNJUDGED, reach=REACH)

    assert not refused(new, current)
    assert "not evaluated" in verdict(new, current, LIMITS)


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        ({"listed_users": 799}, "users with a personal list fall from 1,000 to 799, by 20%"),
        ({"recommendable_items": 249}, "recommendable items fall from 500 to 249"),
        ({"counted_pairs": 1}, "user-item pairs that count fall from 20,000 to 1, by 100%"),
    ],
)
def test_a_collapse_is_refused_whatever_the_metrics_say(reach: dict[str, int], words: str) -> None:
    assert words in refused(a_candidate(0.5, **reach))


@pytest.mark.parametrize(
    "reach", [{"listed_users": 800}, {"recommendable_items": 250}, {"counted_pairs": 16_000}]
)
def test_what_a_shop_loses_by_itself_is_no_collapse(reach: dict[str, int]) -> None:
    assert not refused(a_candidate(**reach))


def test_a_collapse_is_seen_where_nothing_can_be_judged() -> None:
    new = a_manifest(evaluation=UNJUDGED, reach=REACH.model_copy(update={"listed_users": 1}))
    current = a_manifest(evaluation=UNJUDGED, reach=REACH)

    assert "users with a personal list" in refused(new, current)


def test_a_model_that_could_recommend_nothing_is_refused_even_as_the_first() -> None:
    new = a_manifest(evaluation=UNJUDGED, reach=REACH.model_copy(update={"recommendable_items": 0}))
    assert "does the catalogue have them (recsys import items)" in refused(new, None)


def test_an_order_that_has_nothing_to_do_with_what_sold_is_refused() -> None:
    assert "only 29% of the serving version's most popular items" in refused(
        a_candidate(), kept=0.29
    )


def test_all_reasons_are_told() -> None:
    found = refusals(a_candidate(0.01, listed_users=1, counted_pairs=1), CURRENT, 0.0, LIMITS)

    assert len(found) == 5


def test_limits_come_from_the_shop() -> None:
    generous = GateLimits(max_ndcg_drop=0.9, max_users_drop=1.0)

    assert not refusals(a_candidate(0.05, listed_users=0), CURRENT, 1.0, generous)


def test_models_that_were_judged_by_other_days_are_not_compared_and_that_is_said() -> None:
    longer = an_evaluation(0.20).model_copy(update={"holdout_days": 100.0})
    current = a_manifest("current", evaluation=longer, reach=REACH)

    assert not refused(a_candidate(0.11), current)
    assert "not compared with current, which was evaluated on other days" in verdict(
        a_candidate(0.11), current, LIMITS
    )


def items_by_popularity(ids: list[str], **changes: object) -> ItemModel:
    n = len(ids)
    return an_item_model(n, ids=Vocabulary(ids), popular=np.arange(n, dtype=np.int32), **changes)


IDS = [f"i{n}" for n in range(1000)]


def test_the_share_of_popular_items_that_stay_popular() -> None:
    old = items_by_popularity(IDS)

    assert popular_kept(old, old) == 1
    assert popular_kept(old, items_by_popularity([*IDS[50:], *IDS[:50]])) == 0.5
    assert popular_kept(old, items_by_popularity(IDS[::-1])) == 0


def test_what_is_sold_no_more_does_not_count_as_lost() -> None:
    gone = np.arange(1000) >= 50
    new = items_by_popularity(IDS, eligible=gone)

    assert popular_kept(items_by_popularity(IDS), new) == 1
    assert popular_kept(items_by_popularity(IDS), items_by_popularity(IDS[50:])) == 1


def test_too_few_items_compare_nothing() -> None:
    assert popular_kept(items_by_popularity(IDS[:19]), items_by_popularity(IDS[:19])) is None


def test_a_catalogue_that_was_emptied_is_refused() -> None:
    untitled = an_item_model(titles=("",) * 6)
    sold_out = an_item_model(titles=("",) * 6, eligible=np.arange(6) > 0)

    for old in (an_item_model(), sold_out):
        [reason] = lost_catalogue(old, untitled)
        assert "recsys import items brings it back" in reason
        assert not list(lost_catalogue(untitled, old))
    assert not list(lost_catalogue(untitled, untitled))
    assert not list(lost_catalogue(an_item_model(), an_item_model()))
