"""Checks of a request, in one place for both RPCs."""

from collections.abc import Sequence

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput

MAX_LIMIT = 100
MAX_SESSION_ITEMS = 100


def check_user(user_id: str, limit: int) -> None:
    """Raises InvalidInput naming the fields at fault, like its neighbours below."""
    _check(limit, {"user_id": user_id})


def check_item(item_id: str, limit: int) -> None:
    _check(limit, {"item_id": item_id})


def check_session(item_ids: Sequence[str], limit: int) -> None:
    if not 1 <= len(item_ids) <= MAX_SESSION_ITEMS:
        reason = f"name between 1 and {MAX_SESSION_ITEMS} items"
        raise InvalidInput([FieldProblem("item_ids", reason)])
    _check(limit, {f"item_ids[{place}]": item_id for place, item_id in enumerate(item_ids)})


def _check(limit: int, ids: dict[str, str]) -> None:
    problems = [
        FieldProblem(name, reason)
        for name, value in ids.items()
        if (reason := identifier_problem(value))
    ]
    if not 1 <= limit <= MAX_LIMIT:
        problems.append(FieldProblem("limit", f"must be between 1 and {MAX_LIMIT}"))
    if problems:
        raise InvalidInput(problems)
