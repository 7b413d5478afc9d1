"""Keys that follow their file: add the new key, move the callers over, revoke the old one."""

import time
from collections.abc import Callable
from pathlib import Path

from recsys.auth.api_keys import ApiKey, KeyRing
from recsys.auth.key_file import load_keys
from recsys.config.followed_file import FollowedFile, Interval


class WatchedKeyRing:
    """A key ring that reads its file again when it changed.

    A file that became unreadable is reported and the keys read before stay valid.

    Args:
        on_refused: called for every change that was not taken.
        clock: monotonic seconds.

    Raises:
        ConfigurationError: when the first reading fails.
    """

    def __init__(
        self,
        path: Path,
        on_refused: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = FollowedFile(path, _read, on_refused, clock=clock)
        self._interval = Interval(clock)

    def authenticate(self, text: str) -> ApiKey | None:
        """The key this text stands for, or None."""
        self.follow()
        return self._file.content.authenticate(text)

    def follow(self) -> None:
        """Read the file again if it is another than before, once in CHECK_EVERY_SECONDS."""
        if self._interval.is_due():
            self._file.follow()

    def tenants(self) -> set[str]:
        """Tenants that have a key."""
        return self._file.content.tenants()


def _read(path: Path) -> KeyRing:
    return KeyRing(load_keys(path))
