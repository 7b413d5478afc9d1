"""Scripts without the rights of root, whom no mode of a file keeps out."""

import subprocess
import sys

import pytest


def printed(script: str, *arguments: str) -> str:
    """What a script prints; skips the test where root cannot give up its rights."""
    done = subprocess.run(
        ["unshare", "--user", sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare" in done.stderr:
        pytest.skip(f"root's rights cannot be given up here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return done.stdout
