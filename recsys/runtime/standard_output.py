"""The end of a command's output."""

import os
import sys


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
