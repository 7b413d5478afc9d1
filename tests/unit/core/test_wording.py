"""Numbers of things in messages."""

from recsys.core.wording import pluralize


def test_one_thing_has_no_plural() -> None:
    assert [pluralize(n, "user") for n in (0, 1, 2000)] == ["0 users", "1 user", "2,000 users"]


def test_another_plural_is_given() -> None:
    told = [pluralize(n, "row was", "rows were") for n in (1, 3)]

    assert told == ["1 row was", "3 rows were"]
