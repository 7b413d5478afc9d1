"""The demo shop says what it lacks when it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_KEYS = 'tenant = "demo"\napi_key = "rk_1_a"\npublic_key = "rk_2_b"\n'


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"RECSYS_URL": None}, "RECSYS_URL: is required"),
        ({"RECSYS_URL": "ftp://x"}, "RECSYS_URL"),
        ({"RECSYS_STOREFRONT_KEYS": "/nowhere"}, "cannot read the shop's keys"),
        ({}, "session_secret"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(
    tmp_path: Path, changes: dict[str, str | None], fault: str
) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text(_KEYS)
    variables = {
        "RECSYS_LISTEN": "127.0.0.1:1",
        "RECSYS_URL": "http://127.0.0.1:1",
        "RECSYS_STOREFRONT_KEYS": str(keys),
        **changes,
    }
    given = {name: value for name, value in variables.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-m", "services.storefront"],
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("storefront: ")
    assert fault in done.stderr
    assert "rk_1_a" not in done.stderr
