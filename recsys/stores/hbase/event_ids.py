"""Claims of event ids: the first event of an id is the only one.

A claim is one cell that holds this event. It is written by compare-and-set, and before the event:
of several events with one id, at whatever moments, exactly one is the first; and whoever finds a
claim without its event, because a writer died between the two, knows what to store.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial

from recsys.core.domain import Event, ReceivedEvent
from recsys.core.errors import Unavailable
from recsys.stores.documents import encode_document
from recsys.stores.hbase.keys import event_id_key
from recsys.stores.hbase.layout import DOCUMENT
from recsys.stores.hbase.table import Cell, Table, patiently

# Fields of an event that came later.
_BESIDE = ("context", "rating", "query")
_INSIDE = tuple(field.name for field in fields(Event) if field.name not in _BESIDE)


@dataclass(frozen=True, slots=True)
class Claim:
    """An event id's first event, as received.

    Attributes:
        claimant: the call that claimed; it tells its own claim from that of an equal event.
    """

    first: ReceivedEvent
    claimant: str

    @property
    def event_id(self) -> str:
        return self.first.event.event_id

    def encode(self) -> bytes:
        event = self.first.event
        inside = {name: getattr(event, name) for name in _INSIDE}
        # Beside the event, where releases that do not know them take no notice; none of an event
        # without, so that a claim is the same bytes as it was: renewing one compares them.
        beside = {name: getattr(event, name) for name in _BESIDE}
        document = {
            "claimant": self.claimant,
            "received_ms": self.first.received_ms,
            "event": {name: value for name, value in inside.items() if value is not None},
        }
        known = {name: value for name, value in beside.items() if value not in (None, {})}
        return encode_document(document | known)

    @classmethod
    def decode(cls, cell: bytes) -> "Claim":
        document = json.loads(cell)
        beside = {name: document[name] for name in _BESIDE if name in document}
        event = Event(**document["event"], **beside)
        first = ReceivedEvent(event, document["received_ms"])
        return cls(first, document["claimant"])


class EventIds:
    """The claims of a tenant.

    Args:
        table: where they are.
        patience_seconds: how long an unavailable HBase is waited for.

    Raises:
        Unavailable, ConfigurationError: from any method, see `HBasePool.call`.
    """

    def __init__(self, table: Table, patience_seconds: float = 0.0) -> None:
        self._table = table
        self._patience_seconds = patience_seconds
        self._found_held = False

    def claim(self, wanted: Iterable[Claim]) -> list[Claim]:
        """Claim ids; the claims that hold now, in the same order, these or earlier ones."""
        claims = list(wanted)
        # Most ids are new, and a read finds none of them. But what was sent before begins with ids
        # that are held; then one read spares as many writes as there are events.
        held = self._find([claim.event_id for claim in claims]) if self._found_held else {}
        free = {c.event_id: c.encode() for c in claims if c.event_id not in held}
        written = self._put_missing(free)
        # An attempt that a broken connection repeated finds its own claim, as if it had lost.
        held |= self._find_held([event_id for event_id in free if event_id not in written])
        self._found_held = bool(held)
        return [held.get(claim.event_id, claim) for claim in claims]

    def renew(self, abandoned: Claim, wanted: Claim) -> Claim:
        """Put a claim in an abandoned one's place; the one that holds now."""
        if self._put(wanted, abandoned):
            return wanted
        return self._find_held([wanted.event_id])[wanted.event_id]

    def reassign(self, events: Sequence[Event], user_id: str) -> None:
        """Let the ids of these events stand for the same events of another user.

        An id that nobody claimed, or that stands for another event, stays as it is.
        """
        held = self._find([event.event_id for event in events])
        for event in events:
            claim = held.get(event.event_id)
            if claim is not None and _is_same_row(claim.first.event, event):
                first = replace(claim.first, event=replace(event, user_id=user_id))
                self._put(replace(claim, first=first), claim)

    def forget(self, events: Sequence[Event]) -> None:
        """Forget claims for these events; an id that stands for another event stays as it is."""
        cells = self._cells([event.event_id for event in events])
        own = {
            key: cells[key].written_ms
            for event in events
            if (key := event_id_key(event.event_id)) in cells
            and _is_same_row(Claim.decode(cells[key].value).first.event, event)
        }
        self._table.delete(
            list(own),
            [DOCUMENT],
            # And no later one, of an id that is sent again at once.
            written_until_ms=max(own.values(), default=0),
            patience_seconds=self._patience_seconds,
        )

    def _put(self, claim: Claim, instead_of: Claim | None) -> bool:
        expected = None if instead_of is None else instead_of.encode()
        attempt = partial(
            self._table.put_if, event_id_key(claim.event_id), DOCUMENT, expected, claim.encode()
        )
        return patiently(attempt, self._patience_seconds)

    def _put_missing(self, claims: Mapping[str, bytes]) -> set[str]:
        """Put claims of ids that nobody has; the ids that nobody had."""
        ids = {event_id_key(event_id): event_id for event_id in claims}
        cells = {key: claims[event_id] for key, event_id in ids.items()}
        attempt = partial(self._table.put_missing, cells, DOCUMENT)
        return {ids[key] for key in patiently(attempt, self._patience_seconds)}

    def _find(self, event_ids: Sequence[str]) -> dict[str, Claim]:
        claims = [Claim.decode(cell.value) for cell in self._cells(event_ids).values()]
        return {claim.event_id: claim for claim in claims}

    def _cells(self, event_ids: Sequence[str]) -> dict[bytes, Cell]:
        keys = [event_id_key(event_id) for event_id in event_ids]
        return self._table.cells(keys, DOCUMENT, self._patience_seconds)

    def _find_held(self, event_ids: Sequence[str]) -> dict[str, Claim]:
        """The claims of ids that were just seen to be claimed."""
        held = self._find(event_ids)
        if len(held) < len(event_ids):
            raise Unavailable("hbase", "an event id expired at this very moment")
        return held


def _is_same_row(first: Event, event: Event) -> bool:
    """Of one id, that is: what else they say may be written otherwise by another release."""
    return (first.user_id, first.timestamp_ms) == (event.user_id, event.timestamp_ms)
