"""Events of a made-up shop with all details, as HBase keeps them."""

from collections.abc import Iterator
from random import Random

from recsys.core.domain import Event

_YEAR_MS = 365 * 24 * 3600 * 1000


def made_up_events(rows: int) -> Iterator[Event]:
    """The same events every time, so that a second run writes over the first."""
    random = Random(7)
    for number in range(rows):
        yield Event(
            event_id=f"{number // 20}-{number % 20}",
            user_id=f"user-{random.randrange(rows // 20 + 1)}",
            item_id=f"item-{int(5000 * random.random() ** 2)}",
            event_type="purchase",
            timestamp_ms=1_300_000_000_000 + random.randrange(_YEAR_MS),
            quantity=float(random.randrange(1, 10)),
            price=round(random.uniform(1, 50), 2),
            order_id=str(number // 20),
        )
