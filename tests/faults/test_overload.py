"""Five times what can be answered: as many good answers as without, and a quick no to the others.

On a small machine the load would take from the services what it is to overload. So what can be
answered is made small, and known: a Redis that needs five milliseconds for every shopper, one after
the other. The gateway may have as many questions under way as make 80 ms of that.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.load import load, questions
from tests.e2e.load_driver import Answered, Request
from tests.e2e.shop import Shop
from tests.faults.own_services import OwnServices
from tests.faults.table import LoadResult, Table, is_bad
from tests.integration.slow_proxy import SlowProxy

_SECONDS_PER_SHOPPER = 0.005
_CAPACITY = 1 / _SECONDS_PER_SHOPPER
_MAX_PENDING = 16
_TIMES = 5
_SECONDS = 8
# A no waits for nothing: so it takes about what a request takes that needs nobody's answer, in the
# same seconds on the same machine, which may be a slow one; and far less than those taken wait.
_ASIDE_PER_SECOND = 50
_NO_TIMES, _NO_MORE_MS = 2, 5
_WAIT_MS = 1000 * _MAX_PENDING / _CAPACITY


def is_good(one: Answered) -> bool:
    return not is_bad(one)


def goodput(outcome: LoadResult, begin: float, end: float) -> float:
    """Good answers a second that were finished between these times."""
    done = [one for one in outcome.answered if begin <= one.due + one.seconds < end]
    return sum(map(is_good, done)) / (end - begin)


def test_overload_is_shed_quickly_and_takes_nothing_from_the_rest(
    shop: Shop, asking: Sequence[Request], table: Table, tmp_path: Path
) -> None:
    about_users = [request for request in asking if "/users/" in request.path]
    limits = {"RECSYS_MAX_PENDING": str(_MAX_PENDING)}
    with (
        SlowProxy(shop.stack.settings.redis_url) as proxy,
        OwnServices(shop.stack, tmp_path, REDIS_URL=proxy.url, **limits) as own,
    ):
        proxy.seconds_per_shopper = _SECONDS_PER_SHOPPER
        with load(shop, about_users, _CAPACITY, own.url) as at_capacity:
            at_capacity.await_more(int(3 * _CAPACITY))
        with (
            load(shop, questions(["/livez"]), _ASIDE_PER_SECOND, own.url) as aside,
            load(shop, about_users, _TIMES * _CAPACITY, own.url) as overloaded,
        ):
            overloaded.await_more(int(_SECONDS * _TIMES * _CAPACITY))
        over_at = time.monotonic()
        with load(shop, about_users, _CAPACITY / 2, own.url) as afterwards:
            afterwards.await_more(int(5 * _CAPACITY / 2))

    capacity = goodput(*_window(LoadResult(at_capacity.answered)))
    during = LoadResult(overloaded.answered)
    good = goodput(*_window(during))
    shed = LoadResult([one for one in during.answered if one.status == 503])
    aside_ms = LoadResult(aside.answered).ms(0.99)
    recovery_seconds = LoadResult(afterwards.answered).last(is_bad, over_at)
    table.add(
        f"{_TIMES} times {capacity:.0f}/s",
        during,
        recovery_seconds,
        f"goodput {good:.0f}/s, said no within {shed.ms(0.99):.1f} ms, /livez in {aside_ms:.1f}",
    )
    assert {one.status for one in during.answered} <= {200, 503}
    assert all(one.response.headers[b"retry-after"] for one in shed.answered)
    assert good >= 0.9 * capacity
    assert shed.ms(0.99) <= min(_NO_TIMES * aside_ms + _NO_MORE_MS, _WAIT_MS)
    assert recovery_seconds <= 10


def _window(outcome: LoadResult) -> tuple[LoadResult, float, float]:
    """From a second after its begin to its last due request."""
    due = [one.due for one in outcome.answered]
    return outcome, min(due) + 1.0, max(due)
