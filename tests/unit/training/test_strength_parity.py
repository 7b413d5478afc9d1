"""One formula: what evaluation trains on is what serving would remember of the same events."""

from hypothesis import given
from hypothesis import strategies as st

from recsys.core.current_history import current_history
from recsys.core.model import History
from recsys.training.event_log import pairs_of
from tests.builders import EVENT_TYPES, an_item_model, scoring_params
from tests.mixed_behaviour import (
    HALF_LIFE_DAYS,
    ITEMS,
    POPULARITY_HALF_LIFE_DAYS,
    USERS,
    mixed_behaviour,
)
from tests.same_pairs import by_item, pairs_by_item


@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_an_event_log_and_a_live_answer_count_events_alike(count: int, seed: int) -> None:
    behaviour = mixed_behaviour(count, seed)
    pairs = pairs_of(behaviour.log(), HALF_LIFE_DAYS, POPULARITY_HALF_LIFE_DAYS)
    clock = behaviour.shop_time()
    params = scoring_params(
        half_life_days=HALF_LIFE_DAYS,
        event_types=EVENT_TYPES,
        as_of_ms=clock.as_of_ms,
        pauses=clock.pauses,
        read_at_ms=0,
    )
    items = an_item_model(ITEMS)
    for user in range(USERS):
        recent = behaviour.recent(f"u{user}")
        live = by_item(
            items.ids, current_history(items.ids.index_of, params, History.empty(), recent)
        )
        assert live == pairs_by_item(pairs, f"u{user}")
