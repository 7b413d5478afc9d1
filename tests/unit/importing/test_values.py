"""Reading values the way different files write them."""

from typing import Any

import pytest

from recsys.importing.values import is_missing, read_flag, read_number, read_text


@pytest.mark.parametrize(
    ("value", "text"), [(" a b ", "a b"), (12, "12"), (12.0, "12"), (1.5, "1.5"), ("007", "007")]
)
def test_ids_may_be_numbers(value: Any, text: str) -> None:
    assert read_text(value) == text


@pytest.mark.parametrize("value", [True, [], {}, b"x"])
def test_what_is_no_text_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be text"):
        read_text(value)


@pytest.mark.parametrize("value", ["x", "1.2.3,4,5", "", True, [], 10**400])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a number"):
        read_number(value)


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
def test_missing_is_not_zero(value: Any) -> None:
    assert is_missing(value)
    assert not is_missing(0)


def test_yes_and_no_may_be_written_in_many_ways() -> None:
    assert [read_flag(v) for v in (True, "TRUE", 1, "yes", False, "0", "No")] == [True] * 4 + [
        False
    ] * 3
    with pytest.raises(ValueError, match="must say yes or no"):
        read_flag("maybe")
