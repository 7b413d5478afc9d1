"""Claims are compared by their bytes, so these must stay as earlier releases wrote them."""

from dataclasses import replace

import pytest

from recsys.core.domain import Event, ReceivedEvent
from recsys.stores.hbase.event_ids import Claim

PLAIN = Event("e1", "ü", "i1", "view", 7)
PLAIN_CELL = (
    '{"claimant":"c","received_ms":9,"event":{"event_id":"e1","user_id":"ü","item_id":"i1",'
    '"event_type":"view","timestamp_ms":7}}'
)
WHOLE = replace(
    PLAIN, quantity=2.0, price=0.5, order_id="o", context={"a": "b"}, rating=0.0, query="blue"
)
WHOLE_CELL = (
    '{"claimant":"c","received_ms":9,"event":{"event_id":"e1","user_id":"ü","item_id":"i1",'
    '"event_type":"view","timestamp_ms":7,"quantity":2.0,"price":0.5,"order_id":"o"},'
    '"context":{"a":"b"},"rating":0.0,"query":"blue"}'
)


@pytest.mark.parametrize(("event", "cell"), [(PLAIN, PLAIN_CELL), (WHOLE, WHOLE_CELL)])
def test_a_claim_is_the_bytes_it_was(event: Event, cell: str) -> None:
    claim = Claim(ReceivedEvent(event, 9), "c")

    assert claim.encode() == cell.encode()
    assert Claim.decode(cell.encode()) == claim
