"""Contract of UserStore, real and in memory."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.core.domain import User
from recsys.core.ports import UserStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.users import HBaseUserStore
from recsys.stores.memory.users import MemoryUserStore

TENANT = "shop"
NOW_MS = 1_800_000_000_000


@pytest.fixture(params=["memory", pytest.param("hbase", marks=pytest.mark.hbase)])
def store(request: pytest.FixtureRequest) -> UserStore:
    if request.param == "memory":
        return MemoryUserStore()
    pool: HBasePool = request.getfixturevalue("hbase_pool")
    return HBaseUserStore(pool)


@pytest.fixture
def user(request: pytest.FixtureRequest) -> User:
    """One whom no other test knows."""
    attributes = {"tier": "Größe ☕", "orders": 12.5, "newsletter": True}
    return User(f"user/ü of {request.node.name}", attributes)


def test_a_user_comes_back_whole(store: UserStore, user: User) -> None:
    assert store.get(TENANT, user.user_id) is None
    assert store.replace(TENANT, None, user)
    assert store.get(TENANT, user.user_id) == user
    assert store.get("othershop", user.user_id) is None


def test_a_user_may_have_no_attributes(store: UserStore, user: User) -> None:
    bare = User(user.user_id)
    assert store.replace(TENANT, None, bare)
    assert store.get(TENANT, user.user_id) == bare


def test_only_what_was_expected_is_replaced(store: UserStore, user: User) -> None:
    other = User(user.user_id, {"tier": "silver"})
    assert not store.replace(TENANT, other, user)
    assert store.replace(TENANT, None, user)
    assert not store.replace(TENANT, None, other)
    assert not store.replace(TENANT, other, other)
    assert store.replace(TENANT, user, other)
    assert store.get(TENANT, user.user_id) == other


def test_of_writers_that_meet_one_succeeds(store: UserStore, user: User) -> None:
    wanted = [User(user.user_id, {"number": float(number)}) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda each: store.replace(TENANT, None, each), wanted))
    assert sum(done) == 1
    assert store.get(TENANT, user.user_id) == wanted[done.index(True)]


def test_a_removed_user_is_gone_and_may_come_back_at_once(store: UserStore, user: User) -> None:
    store.remove(TENANT, user.user_id, NOW_MS)
    for _ in range(3):
        assert store.replace(TENANT, None, user)
        store.remove(TENANT, user.user_id, NOW_MS)
        assert store.get(TENANT, user.user_id) is None
