"""A request for recommendations, as any client of the shop makes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import MAX_LIMIT, MAX_SESSION_ITEMS


@dataclass(frozen=True, slots=True)
class UserTarget:
    """A user, of whom the shop may know a lot or nothing."""

    user_id: str

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Items that are not to be recommended, as in its neighbours below."""
        return ()

    def ids(self) -> Mapping[str, str]:
        """Each id by the name of its field, as in its neighbours below."""
        return {"user_id": self.user_id}


@dataclass(frozen=True, slots=True)
class ItemTarget:
    """An item, to which others are alike."""

    item_id: str

    @property
    def item_ids(self) -> tuple[str, ...]:
        return (self.item_id,)

    def ids(self) -> Mapping[str, str]:
        return {"item_id": self.item_id}


@dataclass(frozen=True, slots=True)
class SessionTarget:
    """A user of whom only some items are known, in the order of behaviour, the newest last."""

    item_ids: tuple[str, ...]

    def ids(self) -> Mapping[str, str]:
        return {f"item_ids[{place}]": item_id for place, item_id in enumerate(self.item_ids)}


Target = UserTarget | ItemTarget | SessionTarget


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """A request for up to `limit` items.

    Attributes:
        budget_seconds: how long somebody waits for the answer.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """

    tenant: str
    target: Target
    limit: int
    budget_seconds: float

    def __post_init__(self) -> None:
        if isinstance(self.target, SessionTarget):
            count = len(self.target.item_ids)
            if not 1 <= count <= MAX_SESSION_ITEMS:
                range_problem = f"name between 1 and {MAX_SESSION_ITEMS} items"
                raise InvalidInput([FieldProblem("item_ids", range_problem)])
        problems = [
            FieldProblem(name, reason)
            for name, value in self.target.ids().items()
            if (reason := identifier_problem(value))
        ]
        if not 1 <= self.limit <= MAX_LIMIT:
            problems.append(FieldProblem("limit", f"must be between 1 and {MAX_LIMIT}"))
        if problems:
            raise InvalidInput(problems)
