"""Attributes of users."""

from collections.abc import Mapping

import pytest

from recsys.core.domain import Attribute, User
from recsys.core.errors import InvalidInput, NotFound, Unavailable
from recsys.stores.memory.users import MemoryUserStore
from services.ingest.users import Users


@pytest.fixture
def store() -> MemoryUserStore:
    return MemoryUserStore()


@pytest.fixture
def users(store: MemoryUserStore) -> Users:
    return Users(store, lambda: 5)


def attributes(users: Users, user_id: str) -> Mapping[str, Attribute]:
    return users.get("shop", user_id).attributes


def test_a_put_says_this_and_nothing_else(users: Users) -> None:
    users.put("shop", User("ann", {"tier": "gold", "orders": 3.0}))
    users.put("shop", User("ann", {"tier": "silver"}))

    assert attributes(users, "ann") == {"tier": "silver"}


def test_a_patch_changes_what_it_names_and_none_removes(users: Users) -> None:
    assert users.patch("shop", "ann", {"tier": "gold", "orders": 3.0}).attributes == {
        "tier": "gold",
        "orders": 3.0,
    }
    users.patch("shop", "ann", {"tier": None, "newsletter": True, "never there": None})

    assert attributes(users, "ann") == {"orders": 3.0, "newsletter": True}


def test_patches_that_meet_both_take_effect(users: Users, store: MemoryUserStore) -> None:
    replace, calls = store.replace, list[User]()

    def late(tenant: str, expected: User | None, user: User) -> bool:
        if not calls:
            calls.append(user)
            users.patch("shop", "ann", {"orders": 3.0})
        return replace(tenant, expected, user)

    store.replace = late  # type: ignore[method-assign]
    users.patch("shop", "ann", {"tier": "gold"})

    assert attributes(users, "ann") == {"tier": "gold", "orders": 3.0}


def test_who_never_gets_through_is_told_to_come_again(users: Users, store: MemoryUserStore) -> None:
    store.replace = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        users.put("shop", User("ann"))


def test_of_two_users_the_known_one_s_values_win_and_the_other_has_none_left(users: Users) -> None:
    users.put("shop", User("visitor", {"tier": "new", "language": "de"}))
    users.put("shop", User("customer", {"tier": "gold"}))

    users.merge("shop", "visitor", "customer")
    users.merge("shop", "visitor", "customer")

    assert attributes(users, "customer") == {"tier": "gold", "language": "de"}
    with pytest.raises(NotFound):
        users.get("shop", "visitor")


def test_a_merge_takes_no_more_attributes_than_a_user_may_have(users: Users) -> None:
    users.put("shop", User("visitor", {f"v{n}": True for n in range(60)}))
    users.put("shop", User("customer", {f"c{n}": True for n in range(90)}))

    users.merge("shop", "visitor", "customer")

    found = attributes(users, "customer")
    assert len(found) == 100
    assert sum(name.startswith("c") for name in found) == 90


@pytest.mark.parametrize(
    ("user_id", "changes", "field"),
    [
        ("", {"tier": "gold"}, "user_id"),
        ("ann ", {"tier": "gold"}, "user_id"),
        ("ann", {}, "attributes"),
        ("ann", {"tier": "x" * 1001}, "attributes.tier"),
        ("ann", {"a\0": True}, "attributes.a\0"),
        ("ann", {f"a{n}": True for n in range(101)}, "attributes"),
    ],
)
def test_what_breaks_a_rule_is_named_and_changes_nothing(
    users: Users, user_id: str, changes: dict[str, Attribute | None], field: str
) -> None:
    users.put("shop", User("ann", {"tier": "gold"}))
    with pytest.raises(InvalidInput) as caught:
        users.patch("shop", user_id, changes)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert attributes(users, "ann") == {"tier": "gold"}
