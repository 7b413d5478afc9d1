"""Settings that follow their file while a process runs: of API keys and of shops alike."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from recsys.core.errors import ConfigurationError

CHECK_EVERY_SECONDS = 1.0
# A file that was refused is read again after this long: what kept it from being read may be over,
# and while it is not, whoever watches must not take it for mended.
REFUSED_SECONDS = 300.0

_log = structlog.get_logger()
_Content = TypeVar("_Content")
_Stamp = tuple[int, int, int, int]
_SIZE = 3


class FollowedFile(Generic[_Content]):
    """A file's content, read again when the file changed.

    A new file that is broken, emptied or gone is logged and counted, and `content` stays what it
    was.

    Args:
        read: raises ConfigurationError for a file that cannot be taken.
        on_refused: called for every change that was not taken, and again while it is not.
        start: the content until the file is first followed; None to read it now.
        clock: monotonic seconds.

    Raises:
        ConfigurationError: when it is read now and cannot be taken.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], _Content],
        on_refused: Callable[[], None],
        start: _Content | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._read = read
        self._on_refused = on_refused
        self._clock = clock
        self._refused_at: float | None = None
        self._stamp = _stamp_of(path) if start is None else None
        self.content: _Content = read(path) if start is None else start
        self._had_text = _has_text(self._stamp)

    def follow(self) -> None:
        """Read the file again if it is another than before."""
        stamp = _stamp_of(self.path)
        if stamp == self._stamp and not self._is_due_again():
            return
        self._stamp = stamp
        try:
            self._refuse_emptied(stamp)
            self.content = self._read(self.path)
        except ConfigurationError as error:
            self._refused_at = self._clock()
            self._on_refused()
            _log.error("settings_refused", file=str(self.path), reason=str(error))
        else:
            self._refused_at = None
            self._had_text = _has_text(stamp)
            _log.info("settings_reloaded", file=str(self.path))

    def _is_due_again(self) -> bool:
        at = self._refused_at
        return at is not None and self._clock() - at >= REFUSED_SECONDS

    def _refuse_emptied(self, stamp: _Stamp | None) -> None:
        """A copy that failed, or has just begun, leaves an empty file, which would be valid."""
        if stamp is not None and self._had_text and not _has_text(stamp):
            raise ConfigurationError(
                f"{self.path} is empty, and was not: if nothing shall be in it, write a comment"
            )


class Interval:
    """Due once in CHECK_EVERY_SECONDS, for one of the threads that ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due_at = clock() + CHECK_EVERY_SECONDS
        self._lock = threading.Lock()

    def is_due(self) -> bool:
        """Tell whether the interval is over, and begin the next one."""
        # Without the lock for nearly all who ask.
        if self._clock() < self._due_at:
            return False
        with self._lock:
            now = self._clock()
            if now < self._due_at:
                return False
            self._due_at = now + CHECK_EVERY_SECONDS
            return True


@contextmanager
def following(*follow: Callable[[], None]) -> Iterator[None]:
    """Follow files for the block, also while no request asks for what they say.

    Else a file that is broken would be told of only when somebody needs it.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(CHECK_EVERY_SECONDS):
            for each in follow:
                each()

    thread = threading.Thread(target=run, name="followed-files", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _has_text(stamp: _Stamp | None) -> bool:
    return stamp is not None and stamp[_SIZE] > 0


def _stamp_of(path: Path) -> _Stamp | None:
    """Identify the file's version: changes whenever it is replaced; None when it is missing.

    Its owner and mode are part of it: who could not read it may do so now.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size
