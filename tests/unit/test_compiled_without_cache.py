"""Compiled loops where what they are compiled to can be kept nowhere, as in hardened services."""

import subprocess
import sys

# All that is imported while numba finds no folder that it may write.
_IMPORT_ALL = """
import importlib
import pkgutil

import numpy as np
import recsys

for module in pkgutil.walk_packages(recsys.__path__, "recsys."):
    importlib.import_module(module.name)
from recsys.core.compiled import dot

one = np.ones(3, np.float32)
print(dot(one, one))
"""
# Of the places that numba looks for, only the one that the next variable would name.
_NOWHERE = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": ""}


def test_loops_are_compiled_where_no_folder_can_be_written() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL],
        env=_NOWHERE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "3.0\n"), done.stderr
