"""Keys that follow their file: add the new key, move the callers over, revoke the old one."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from recsys.auth.api_keys import ApiKey, KeyRing
from recsys.auth.key_file import load_keys
from recsys.core.errors import ConfigurationError

CHECK_EVERY_SECONDS = 1.0

_log = structlog.get_logger()
_Stamp = tuple[int, int, int]


class WatchedKeyRing:
    """A key ring that reads its file again when it changed.

    A file that became unreadable is reported and the keys read before stay valid.

    Raises:
        ConfigurationError: when the first reading fails.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._stamp = _stamp_of(path)
        self._ring = KeyRing(load_keys(path))
        self._checked_at = clock()

    def authenticate(self, text: str) -> ApiKey | None:
        """The key this text stands for, or None."""
        if self._clock() - self._checked_at >= CHECK_EVERY_SECONDS:
            self._checked_at = self._clock()
            self._follow()
        return self._ring.authenticate(text)

    def _follow(self) -> None:
        stamp = _stamp_of(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._ring = KeyRing(load_keys(self._path))
        except ConfigurationError as error:
            _log.error("api_keys_unreadable", reason=str(error))
        else:
            _log.info("api_keys_reloaded")


def _stamp_of(path: Path) -> _Stamp | None:
    """Identify the file's version: changes whenever it is replaced; None when it is missing."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
