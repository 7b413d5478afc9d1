import pytest

from recsys.core.behaviour import RecentEvents
from recsys.core.serving.lists import NO_LIST, Source
from services.recommender.model.answer_cache import BoundedCache, CachedUser, Rendered, Rendering


class Entry:
    def __init__(self, size: int) -> None:
        self.size = size

    def size_bytes(self) -> int:
        return self.size


def test_what_was_least_recently_used_goes_first() -> None:
    cache = BoundedCache[Entry](30)
    for key in "abc":
        cache.put(key, Entry(10))
    cache.get("a")
    cache.put("d", Entry(10))
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]


def test_memory_stays_within_the_bound_whatever_is_put() -> None:
    cache = BoundedCache[Entry](100)
    for number in range(1000):
        cache.put(f"{number % 37}", Entry(number * 7919 % 60))
        assert cache.used_bytes <= 100
    assert cache.used_bytes == sum(
        entry.size for key in range(37) if (entry := cache.get(f"{key}"))
    )


def test_an_entry_that_has_grown_is_accounted_anew() -> None:
    cache, entry = BoundedCache[Entry](100), Entry(10)
    cache.put("a", entry)
    entry.size = 90
    cache.put("a", entry)
    cache.put("b", Entry(20))
    assert (cache.get("a"), cache.used_bytes) == (None, 20)


def test_the_recent_events_of_a_shopper_are_accounted_for() -> None:
    def size_with(events: int) -> int:
        packed = (b"m" * 70, b"s" * 20) * events
        recent = RecentEvents(packed, lambda _: [])
        return CachedUser(None, recent, NO_LIST, frozenset()).size_bytes()

    assert size_with(1000) - size_with(0) >= 100_000


@pytest.mark.parametrize("size", [1, 50])
def test_what_is_larger_than_the_bound_is_not_kept(size: int) -> None:
    cache = BoundedCache[Entry](0)
    cache.put("a", Entry(size))
    assert len(cache) == cache.used_bytes == 0


def test_what_was_rendered_is_good_for_one_state_and_limit_only() -> None:
    kept, made = Rendered(), []

    def render() -> Rendering:
        made.append(len(made))
        return Rendering(b"%d" % len(made), Source.STORED)

    now, later = 1, 2
    asked = (now, 20), (now, 20), (later, 20), (later, 20), (later, 5), (now, 20)
    found = [kept.get(state, limit, render).json for state, limit in asked]
    assert found == [b"1", b"1", b"2", b"2", b"3", b"4"]
