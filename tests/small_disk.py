"""A disk that is full at once, for commands that write to it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# In namespaces of its own, so that neither root nor a free mount point is needed.
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
_SCRIPT = """
disk=$1 options=$2 prepare=$3; shift 3
mount -t tmpfs -o size=64k tmpfs "$disk" || exit 99
eval "$prepare"
mount -o "remount,$options" "$disk" || exit 99
"$@"
code=$?
echo "left: $(ls -A "$disk" | tr '\\n' ' ')"
exit $code
"""
_CANNOT_MOUNT = 99


@dataclass(frozen=True)
class SmallDisk:
    """Of 64 KiB, at `path`; it is there only while a command runs.

    Attributes:
        options: of mount, e.g. "ro".
    """

    path: Path
    options: str = "rw"

    def run(self, *command: str, prepare: str = "true") -> "subprocess.CompletedProcess[str]":
        """Run a command; the last line of its output begins "left: " and names the disk's files.

        Args:
            prepare: what a shell is to do on the disk before, "$disk".
        """
        done = subprocess.run(
            [*_UNSHARE, _SCRIPT, "sh", str(self.path), self.options, prepare, *command],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode == _CANNOT_MOUNT:
            pytest.skip(f"no file system can be mounted here: {done.stderr}")
        return done


def recsys(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("recsys")), *arguments]
