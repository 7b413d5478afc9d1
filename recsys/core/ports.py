"""Ports: what the core needs from the outside, in its own words.

Each port has one real adapter and one in-memory twin, and one contract suite runs on both.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from recsys.core.behaviour import Impression, RecentEvents, StoredUser
from recsys.core.catalogue import CatalogueChanges, CatalogueRow
from recsys.core.domain import Event, Item, ReceivedEvent, User
from recsys.core.experiment_report import ExperimentReport
from recsys.core.purchases import Purchase
from recsys.core.user_batch import UserBatch


@dataclass(frozen=True, slots=True)
class AppendResult:
    """Outcome of storing an event.

    Attributes:
        stored: the first event of its id, which is the one that counts, and when it was received.
        is_new: False when it was stored before; whatever came now changed nothing then.
    """

    stored: ReceivedEvent
    is_new: bool


class InteractionStore(Protocol):
    """The durable record of behaviour: the truth everything else is rebuilt from."""

    def append(
        self,
        tenant: str,
        events: Sequence[Event],
        received_ms: int,
        made_ids: Collection[str] = (),
    ) -> list[AppendResult]:
        """Store events durably, each event id once, and say of each what became of it.

        The first event of an id counts; another one of that id changes nothing, whatever its user,
        time or content, and is answered with the first. Ids are known for at least 90 days. When
        this returns, every event survives a crash of any process.

        Args:
            received_ms: when the events came in, just before the call. What was received before a
                moment can be read from a fixed time after it on, see `spark_jobs.nightly.cutoff`.
            made_ids: ids that were made for this call and cannot have been sent before.

        Raises:
            Unavailable: nothing may be assumed stored; sending the same events again is safe.
        """

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int:
        """Store events that no service received, patiently; return how many were new.

        Args:
            ids_given: the ids came with the events, each counts once as for `append`. Otherwise
                they follow from user, time and content: events of one id are equal, are stored once
                and all count as new.

        Raises:
            Unavailable: nothing may be assumed stored; sending the same events again is safe.
        """

    def reassign(
        self, tenant: str, events: Sequence[Event], user_id: str, received_ms: int
    ) -> None:
        """Store events of one user as another's, received now; their ids then stand for these.

        The other user has them durably when this returns. The first may have them too until they
        are removed. Doing it again changes nothing.

        Raises:
            Unavailable: some may be stored; doing it again is safe.
        """

    def remove(self, tenant: str, events: Sequence[Event], removed_ms: int) -> None:
        """Remove events of a user that were reassigned; one that is not there is no error.

        Args:
            removed_ms: when, by the clock by which events are received.

        Raises:
            Unavailable: some may be removed; doing it again is safe.
        """

    def erase(self, tenant: str, events: Sequence[Event], removed_ms: int) -> None:
        """Remove events of a user and all that is known of their ids; see `remove`."""

    def remove_imported(self, tenant: str, events: Sequence[Event], removed_ms: int) -> int:
        """Remove those of these events that were imported, and what is known of their ids.

        What a service received stays. Of several imports of an event none is left.

        Returns:
            How many there were.

        Raises:
            Unavailable: some may be removed; doing it again is safe.
        """

    def history(
        self,
        tenant: str,
        user_id: str,
        *,
        start_ms: int = 0,
        end_ms: int | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """A user's events with start_ms <= timestamp_ms < end_ms, newest first."""


class ItemStore(Protocol):
    """The durable catalogue."""

    def put(self, tenant: str, items: Iterable[Item]) -> int:
        """Store items whole, replacing those of the same id; return how many. Durable on return."""

    def get(self, tenant: str, item_id: str) -> Item | None: ...

    def replace(self, tenant: str, item_id: str, expected: Item | None, item: Item | None) -> bool:
        """Put an item in the place of the expected one, unless another has come there meanwhile.

        Of several calls that expect the same, one succeeds. Durable when it returns True.

        Args:
            expected: as it was read; None where there was none.
            item: None removes it.

        Returns:
            False when something else is stored than expected; nothing has changed then. Where the
            connection broke and the call was repeated, what is found may be its own write.
        """

    def find(self, tenant: str, item_ids: Sequence[str]) -> dict[str, Item]:
        """Those of these items that there are, by id."""

    def first(self, tenant: str, count: int) -> list[Item]:
        """The first items in the order of `scan`."""

    def scan(self, tenant: str) -> Iterator[Item]:
        """All items, ordered by the bytes of their id."""


class UserStore(Protocol):
    """What a shop says of its users, durably."""

    def get(self, tenant: str, user_id: str) -> User | None: ...

    def replace(self, tenant: str, expected: User | None, user: User) -> bool:
        """Put a user in the place of the expected one, unless another has come there meanwhile.

        Of several calls that expect the same, one succeeds. Durable when it returns True.

        Args:
            expected: as it was read; None where there was none.

        Returns:
            False when something else is stored than expected; nothing has changed then.
        """

    def remove(self, tenant: str, user_id: str, removed_ms: int) -> None:
        """Remove a user; one that is not there is no error. Durable on return.

        Args:
            removed_ms: the time now, in UTC milliseconds.
        """


class RecentBehaviour(Protocol):
    """Recent events of users, since the last training, close to serving.

    Of a user the newest MAX_RECENT_EVENTS stay, and apart from these the newest
    MAX_RECENT_EXCLUSIONS that exclude their items: looking around never makes a purchase forgotten.
    Events that are no more than impressions stand apart, too, and of them MAX_IMPRESSIONS stay.
    A shop with more users, or more bytes of them, than its quotas allow forgets those who were seen
    longest ago; no other shop loses anything by it.
    """

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        """Remember events that are already durable; the same event again changes nothing.

        Other events without an effect, see `has_effect`, are to be left out: each would take a
        place.

        Raises:
            Unavailable: the events do not count in answers yet.
        """

    def excluded(self, tenant: str, user_id: str) -> set[str]:
        """Items that the remembered events of a user exclude. May raise Unavailable."""

    def forget(self, tenant: str, user_id: str) -> None:
        """Forget all events of a user. May raise Unavailable."""


class RestorableBehaviour(RecentBehaviour, Protocol):
    """The same for whoever fills it again after it was lost."""

    def restore(self, tenant: str, events: Sequence[ReceivedEvent]) -> None:
        """Remember again what was forgotten; what is remembered stays as it is."""


class LiveCatalogue(Protocol):
    """The catalogue beside the models: what items are now, whatever a model was trained with.

    Of an item that it does not have, a model's word counts. So an item that is removed stays in it,
    as gone, for as long as a model might recommend it. Every call may raise Unavailable.
    """

    def write(self, tenant: str, items: Mapping[str, Item | None]) -> list[str]:
        """Say what items are now, None for gone; return the ids of those that were not like that.

        Whoever follows the catalogue is told of these, and only of these.
        """

    def known(self, tenant: str, item_ids: Sequence[str]) -> set[str]:
        """Those of these items that it has, those that are gone included."""

    def ids(self, tenant: str) -> Iterator[str]:
        """All items that it has, those that are gone included, in any order."""

    def forget_gone(self, tenant: str, item_ids: Collection[str]) -> None:
        """Drop those of these items that are gone. Nobody is told: no model knows them."""

    def size(self, tenant: str) -> int:
        """Bytes that it takes, about."""


class EarlyPopularity(Protocol):
    """Popularity in a shop without a model, counted as behaviour arrives.

    Every call may raise Unavailable.
    """

    def count(self, tenant: str, strengths: Mapping[str, float]) -> None:
        """Add to the popularity of items; a negative strength takes away."""

    def most_popular(self, tenant: str, count: int) -> list[str]:
        """The items of positive popularity, most popular first."""


class PurchaseLog(Protocol):
    """Purchases as they come, for the windows of popularity. Every call may raise Unavailable."""

    def append(self, tenant: str, purchases: Sequence[Purchase]) -> None:
        """Add purchases; those of some days ago, and the first of too many, are forgotten."""


class Reports(Protocol):
    """The last report of experiments of each shop. Every call may raise Unavailable."""

    def publish(self, tenant: str, report: ExperimentReport) -> None:
        """Put a report in the place of the one before."""

    def latest(self, tenant: str) -> ExperimentReport | None:
        """The one that was published last.

        Raises:
            NotFound: there is one that this release cannot read.
        """


class PublishedModels(Protocol):
    """Model versions where serving reads them; one pointer says which is the current one."""

    def current(self, tenant: str) -> str | None:
        """The version the pointer names, or None before the first."""

    def write_items(self, tenant: str, version: str, manifest: bytes, items: bytes) -> None: ...

    def write_users(self, tenant: str, version: str, batch: UserBatch) -> None:
        """Write the records of a batch of users; writing them again changes nothing.

        Raises:
            Unavailable: any part of the batch may have been written, or none.
        """

    def count_users(self, tenant: str, version: str, user_ids: Sequence[str]) -> int:
        """Count the users among these that have a record of this version."""

    def erase_user(self, tenant: str, user_id: str, version: str | None = None) -> None:
        """Remove a user's record of a version. May raise Unavailable.

        Args:
            version: None for the one that serves.
        """

    def erased_users(self, tenant: str, version: str) -> int:
        """Count the records of a version that `erase_user` has removed since it was complete."""

    def items_size(self, tenant: str, version: str) -> int:
        """Bytes of a version's item model; 0 where it or its manifest is not there."""

    def activate(self, tenant: str, version: str, guard: "PointerGuard | None" = None) -> None:
        """Move the pointer: from now on answers come from this version.

        Args:
            guard: checked in the same step in which the pointer moves.

        Raises:
            LockLost: the guard no longer holds; the pointer has not moved.
        """

    def mark_complete(self, tenant: str, version: str) -> None:
        """Note that all records of a version are there, so that it can serve again at once."""

    def reactivate(self, tenant: str, version: str) -> bool:
        """Move the pointer to a version that is complete; False, and no move, when it is not."""

    def retire(self, tenant: str, keep: Collection[str]) -> int:
        """Remove all versions but these and the one that serves; return how many keys went."""


@dataclass(frozen=True, slots=True)
class PointerGuard:
    """Conditions under which a run may move the pointer.

    Attributes:
        lock_token: of the lock that the run holds.
        replaces: the version that it was compared with; None when none served.
    """

    lock_token: str
    replaces: str | None


@dataclass(frozen=True, slots=True)
class UserLookup:
    """A user to be read.

    Attributes:
        with_record: whether the record of this version is wanted too.
        with_impressions: whether impressions are wanted too.
    """

    tenant: str
    version: str
    user_id: str
    with_record: bool = True
    with_impressions: bool = False


@dataclass(frozen=True, slots=True)
class ReadUser:
    """A user as read.

    Attributes:
        stored: None when there is no record, or none was wanted.
        problem: what is wrong with the record, if anything is.
        impressions: in any order; none where none are wanted.
    """

    stored: StoredUser | None
    recent: RecentEvents
    problem: str | None = None
    impressions: Sequence[Impression] = ()


class ServingStore(Protocol):
    """Reads of the recommender, none of which blocks its event loop.

    Every call may raise Unavailable.
    """

    async def current(self, tenant: str) -> str | None: ...

    async def item_model(self, tenant: str, version: str) -> tuple[bytes, bytes]:
        """The manifest and the item model of a published version.

        Raises:
            InvalidModel: when a part is missing.
        """

    async def catalogue_position(self, tenant: str) -> str | None:
        """The end of the log of changes of the live catalogue; None where there never was one."""

    def catalogue(self, tenant: str) -> AsyncIterator[Mapping[str, CatalogueRow]]:
        """The whole live catalogue, in pieces; what changes meanwhile is in the log."""

    async def catalogue_changes(self, tenant: str, after: str | None) -> CatalogueChanges | None:
        """The next changes after a position in the log, none at its end; costs little to ask.

        Returns:
            None when the log has lost that position: only the whole catalogue tells then.
        """

    async def purchases(self, tenant: str, after: int | str) -> tuple[str, list[Purchase]]:
        """The next purchases of a tenant's log, none at its end.

        Args:
            after: a position, or for the first time UTC ms since 1970 of the first ones wanted.

        Returns:
            The position behind them, and the purchases.
        """

    async def users(self, wanted: Sequence[UserLookup]) -> list[ReadUser]:
        """Read users, of any tenants, in one round trip."""
