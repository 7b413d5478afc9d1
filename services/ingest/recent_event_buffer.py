"""Recent behaviour goes to the serving store at once, or as soon as that is back.

Events are durable before they come here. A store that does not answer is left alone until it has
answered to a try of our own: a write that times out would keep a thread from other callers.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from recsys.core.domain import Event
from recsys.core.errors import Unavailable
from recsys.core.ports import RecentBehaviour

# Kept while the store is away; some 100 MB. More than that counts only after the next training.
MAX_KEPT_EVENTS = 200_000
RETRY_SECONDS = 0.25

_log = structlog.get_logger()
_Batch = tuple[str, Sequence[Event], int]


class RecentEventBuffer:
    """`RecentBehaviour` over another one that can be away.

    Args:
        on_state: told whether the store answers whenever that changes.
    """

    def __init__(
        self, recent: RecentBehaviour, on_state: Callable[[bool], None] = lambda _: None
    ) -> None:
        self._recent = recent
        self._on_state = on_state
        self._lock = threading.Lock()
        self._kept: deque[_Batch] = deque()
        self._kept_events = 0
        # Why the store is away; None while it answers.
        self._away: Unavailable | None = None
        self._stopped = threading.Event()
        self._retrying = threading.Thread(
            target=self._retry_on, name="recent-event-buffer", daemon=True
        )

    def start(self) -> None:
        self._retrying.start()

    def stop(self) -> None:
        """Try once more, then end; what is not written by then is in HBase only."""
        self._stopped.set()
        self._retrying.join()
        self.retry()
        if self._kept_events:
            _report_dropped(self._kept_events)

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        """See `RecentBehaviour`.

        Raises:
            Unavailable: the events are kept here and count as soon as the store is back.
        """
        batch = tenant, events, received_ms
        self._keep_if_away(batch)
        try:
            self._recent.record(*batch)
        except Unavailable as error:
            self._keep_and_be_away(batch, error)
            raise

    def excluded(self, tenant: str, user_id: str) -> set[str]:
        """See `RecentBehaviour`; a store that is away is not asked."""
        self._refuse_if_away()
        return self._recent.excluded(tenant, user_id)

    def forget(self, tenant: str, user_id: str) -> None:
        """See `RecentBehaviour`; a store that is away is not asked."""
        self._refuse_if_away()
        self._recent.forget(tenant, user_id)

    def retry(self) -> None:
        """Write what was kept, as long as the store takes it."""
        while batch := self._oldest_or_back():
            try:
                self._recent.record(*batch)
            except Unavailable as error:
                self._away = error
                return
            self._forget(batch)

    def _retry_on(self) -> None:
        while not self._stopped.wait(RETRY_SECONDS):
            if self._away:
                self.retry()

    def _refuse_if_away(self) -> None:
        if away := self._away:
            # A new one: an error that is raised again and again gathers tracebacks.
            raise Unavailable(away.dependency, away.reason, away.retry_after_seconds)

    def _keep_if_away(self, batch: _Batch) -> None:
        with self._lock:
            if self._away:
                self._keep(batch)
                self._refuse_if_away()

    def _keep_and_be_away(self, batch: _Batch, error: Unavailable) -> None:
        with self._lock:
            was_away, self._away = self._away, error
            self._keep(batch)
        if not was_away:
            _log.warning("recent_behaviour_away", reason=str(error))
            self._on_state(False)

    def _keep(self, batch: _Batch) -> None:
        self._kept.append(batch)
        self._kept_events += len(batch[1])
        while self._kept_events > MAX_KEPT_EVENTS:
            dropped = len(self._kept.popleft()[1])
            self._kept_events -= dropped
            _report_dropped(dropped)

    def _oldest_or_back(self) -> _Batch | None:
        """The next one to be written; with none left the store counts as back."""
        with self._lock:
            if self._kept:
                return self._kept[0]
            was_away, self._away = self._away, None
        if was_away:
            _log.info("recent_behaviour_back")
            self._on_state(True)
        return None

    def _forget(self, batch: _Batch) -> None:
        with self._lock:
            # Others may have been dropped meanwhile, and this one with them.
            if self._kept and self._kept[0] is batch:
                self._kept.popleft()
                self._kept_events -= len(batch[1])


def _report_dropped(events: int) -> None:
    _log.error("recent_behaviour_dropped", events=events, remedy="recsys rebuild")
