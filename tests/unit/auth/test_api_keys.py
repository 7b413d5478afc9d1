import hmac
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsys.auth.api_keys import ApiKey, KeyRing, Scope, new_key
from recsys.auth.key_file import create_key, ensure_key, load_keys, revoke_key
from recsys.auth.key_reload import WatchedKeyRing
from recsys.core.errors import ConfigurationError, InvalidInput, NotFound

MADE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conf" / "keys.toml"


def authenticate(file: Path, text: str) -> ApiKey | None:
    return KeyRing(load_keys(file)).authenticate(text)


def test_a_key_says_for_whom_and_for_what(file: Path) -> None:
    text = create_key(file, "demo", [Scope.READ])
    key = authenticate(file, text)
    assert key
    assert (key.tenant, key.scopes) == ("demo", {Scope.READ})
    assert text == f"rk_{key.key_id}_{text.rpartition('_')[2]}"


def test_any_other_text_is_no_key(file: Path) -> None:
    text = create_key(file, "demo", Scope)
    _, key_id, secret = text.split("_")
    other = create_key(file, "demo", Scope).rpartition("_")[2]
    for wrong in (
        "",
        "rk__",
        secret,
        text[:-1],
        text + "0",
        text.upper(),
        f"xx_{key_id}_{secret}",
        f"rk_{key_id}_{other}",
        f"rk_00_{secret}",
        f"rk_{key_id}_\ud800",
    ):
        assert authenticate(file, wrong) is None


def test_the_secret_is_not_in_the_file_nor_shown(file: Path) -> None:
    text = create_key(file, "demo", Scope)
    secret = text.rpartition("_")[2]
    assert secret not in file.read_text()
    assert secret not in repr(load_keys(file))


def test_a_secret_is_compared_in_constant_time_also_where_there_is_no_such_key(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = create_key(file, "demo", Scope)
    compared = list[tuple[int, int]]()
    compare = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    assert authenticate(file, text)
    for wrong in (text[:-1] + "0", f"rk_00_{text.rpartition('_')[2]}", "", "xx_1_2"):
        authenticate(file, wrong)
    assert compared == [(32, 32)] * 5


def test_the_file_is_its_owners_only(file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "demo.key"
    ensure_key(file, plain, "demo", Scope)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, plain)] == [0o600, 0o600]
    # Beside it is what changes of several processes wait for, and no draft.
    assert {path.name for path in file.parent.iterdir()} == {file.name, f".{file.name}.lock"}


def test_keys_live_beside_each_other_until_revoked(file: Path) -> None:
    old, new = create_key(file, "demo", Scope), create_key(file, "demo", Scope)
    assert authenticate(file, old)
    revoke_key(file, old.split("_")[1])
    assert authenticate(file, old) is None
    assert authenticate(file, new)


def test_revoking_what_is_not_there_is_told(file: Path) -> None:
    create_key(file, "demo", Scope)
    with pytest.raises(NotFound, match="no key 00"):
        revoke_key(file, "00")


@pytest.mark.parametrize("tenant", ["", "Demo", "1shop", "a:b", "a-b", "x" * 33, "hbase"])
def test_a_tenant_has_a_plain_name(tenant: str) -> None:
    with pytest.raises(InvalidInput, match="tenant"):
        new_key(tenant, Scope, MADE)


def test_a_key_allows_something() -> None:
    with pytest.raises(InvalidInput, match="scopes"):
        new_key("demo", [], MADE)


def test_ensuring_a_key_twice_gives_the_same(file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "demo.key"
    text = ensure_key(file, plain, "demo", Scope)
    assert ensure_key(file, plain, "demo", Scope) == text == plain.read_text().strip()
    assert len(load_keys(file)) == 1


@pytest.mark.parametrize("lost", ["file", "plain"])
def test_a_lost_half_is_made_anew(file: Path, tmp_path: Path, lost: str) -> None:
    plain = tmp_path / "demo.key"
    text = ensure_key(file, plain, "demo", Scope)
    (file if lost == "file" else plain).unlink()
    again = ensure_key(file, plain, "demo", Scope)
    assert again != text
    assert authenticate(file, again)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[key]", "not valid TOML"),
        ("[[key]]\nid = 'ab'", "key.0.tenant: is required"),
        ("[[keys]]\n", "keys: is not a known setting"),
        ("[[key]]\nid='ab'\ntenant='t'\nsha256='x'\nscopes=['read']", "key.0.sha256"),
    ],
)
def test_a_damaged_file_is_named_with_the_place(file: Path, text: str, message: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_keys(file)
    assert str(file) in str(caught.value)


def test_a_missing_file_is_named(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="recsys keys create --file"):
        WatchedKeyRing(file, lambda: None)


def test_a_running_gateway_follows_the_file(file: Path) -> None:
    now = 0.0
    old = create_key(file, "demo", Scope)
    ring = WatchedKeyRing(file, lambda: None, clock=lambda: now)
    new = create_key(file, "demo", Scope)
    assert ring.authenticate(new) is None
    now += 1
    assert ring.authenticate(new)
    revoke_key(file, old.split("_")[1])
    now += 1
    assert ring.authenticate(old) is None


@pytest.mark.parametrize("text", ["[[key]", "", None])
def test_a_file_that_got_damaged_leaves_the_keys_as_they_were(file: Path, text: str | None) -> None:
    now = 0.0
    key = create_key(file, "demo", Scope)
    ring = WatchedKeyRing(file, lambda: None, clock=lambda: now)
    file.unlink() if text is None else file.write_text(text)
    now += 1
    assert ring.authenticate(key)


def test_revoking_the_last_key_is_not_taken_for_a_file_that_was_emptied(file: Path) -> None:
    now = 0.0
    key = create_key(file, "demo", Scope)
    ring = WatchedKeyRing(file, lambda: None, clock=lambda: now)
    revoke_key(file, key.split("_")[1])
    now += 1
    assert ring.authenticate(key) is None
    assert load_keys(file) == []


def test_a_key_of_an_earlier_release_may_do_what_it_could(file: Path) -> None:
    text = create_key(file, "demo", Scope)
    names = '["admin", "catalogue:write", "events:write", "read"]'
    assert names in file.read_text()
    file.write_text(file.read_text().replace(names, '["ingest"]'))
    key = authenticate(file, text)
    assert key
    assert key.scopes == {Scope.EVENTS_WRITE, Scope.CATALOGUE_WRITE}


def test_an_unknown_scope_in_a_file_is_told_with_those_there_are(file: Path) -> None:
    create_key(file, "demo", [Scope.READ])
    file.write_text(file.read_text().replace('"read"', '"everything"'))
    with pytest.raises(ConfigurationError, match="is not one of: events:write, catalogue:write"):
        load_keys(file)


def test_a_key_is_worthless_from_the_moment_it_expires(file: Path) -> None:
    expires = datetime(2100, 1, 1, tzinfo=UTC)
    text = create_key(file, "demo", [Scope.READ], expires)
    now = expires.timestamp() - 1
    ring = KeyRing(load_keys(file), clock=lambda: now)
    assert ring.authenticate(text)
    now += 1
    assert ring.authenticate(text) is None


def test_a_key_that_has_expired_already_is_not_made(file: Path) -> None:
    with pytest.raises(InvalidInput, match="expires: must be in the future"):
        create_key(file, "demo", [Scope.READ], MADE)
    assert not file.exists()
