"""The streams of a command: open from its beginning on, and empty at its end."""

import io
import os
import sys
from pathlib import Path
from typing import Any

_HIGHEST_STANDARD_DESCRIPTOR = 2


def prepare_streams() -> None:
    """Let a command print whatever it has to say, however it was started.

    A stream that is closed (`>&-`) leads to nowhere: no file or connection of ours must get its
    number, or what libraries print would go there. A character that the locale's encoding lacks is
    printed by its number. Work goes on when nobody reads of its progress any more, or the disk of
    its log is full.
    """
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= _HIGHEST_STANDARD_DESCRIPTOR:
        os.set_inheritable(nowhere, True)
    os.close(nowhere)
    closed = Path(os.devnull)
    sys.stdin = sys.stdin or closed.open(encoding="utf-8")
    sys.stdout = sys.stdout or closed.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or closed.open("w", encoding="utf-8")
    if sys.__stderr__ is not None and sys.stderr is sys.__stderr__:
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(_NeverFailing(sys.stderr.fileno(), "w", closefd=False)),
            encoding=sys.stderr.encoding,
            line_buffering=True,
        )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _NeverFailing(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def output_has_left() -> bool:
    """Pass on what was printed; when that fails, Python must not find it again at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read, such as `head`, has seen enough.
        _drop_output()
        return False
    except OSError as error:
        print(f"error: cannot write the output: {error.strerror}", file=sys.stderr)
        _drop_output()
        return False
    return True


def _drop_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
