"""Numbers of things in messages."""

from recsys.core.wording import counted


def test_one_thing_has_no_plural() -> None:
    assert [counted(n, "user") for n in (0, 1, 2000)] == ["0 users", "1 user", "2,000 users"]
