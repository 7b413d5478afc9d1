"""Changes of the file of API keys by several processes at once."""

import fcntl
import multiprocessing
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from recsys.auth import key_file as api_key_file
from recsys.auth.api_keys import KeyRing, Scope
from recsys.auth.key_file import create_key, ensure_key, load_keys, revoke_key
from recsys.core.errors import AlreadyRunning, ConfigurationError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def all_at_once(changes: Sequence[Callable[[], object]]) -> None:
    """Make each change in a process of its own, side by side."""
    # Processes forked from one that has imported the code begin within milliseconds.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([api_key_file.__name__])
    processes = [context.Process(target=change) for change in changes]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)


def key_id(text: str) -> str:
    return text.split("_")[1]


def test_of_fifty_changes_at_once_none_is_lost(file: Path) -> None:
    old = [create_key(file, "demo", Scope) for _ in range(25)]
    pairs = [
        (partial(revoke_key, file, key_id(text)), partial(create_key, file, "demo", [Scope.READ]))
        for text in old
    ]

    all_at_once([change for pair in pairs for change in pair])

    assert not any(map(KeyRing(load_keys(file)).authenticate, old))
    assert [key.scopes for key in load_keys(file)] == [{Scope.READ}] * 25


def test_a_stack_started_twice_at_once_makes_one_key(file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "demo_key"
    all_at_once([partial(ensure_key, file, plain, "demo", Scope)] * 4)
    [key] = load_keys(file)
    assert key_id(plain.read_text()) == key.key_id


def test_a_change_that_does_not_end_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_key_file, "_LOCK_SECONDS", 0.1)
    text = create_key(file, "demo", Scope)
    held = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(AlreadyRunning, match="nothing was changed"):
            revoke_key(file, key_id(text))
    finally:
        os.close(held)
    revoke_key(file, key_id(text))
    assert load_keys(file) == []


def test_where_there_is_no_file_revoking_makes_none(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="recsys keys create --file"):
        revoke_key(file.parent / "typo" / file.name, "00")
    assert list(file.parent.iterdir()) == []
