"""What a shop says of its users."""

from collections.abc import Callable, Mapping
from itertools import islice

from recsys.core.domain import Attribute, User, identifier_problem, new_identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, NotFound, Unavailable
from recsys.core.limits import MAX_ATTRIBUTES
from recsys.core.ports import UserStore

# Of writers that meet one always gets through, so with fewer than this many nobody gives up.
_MAX_ATTEMPTS = 100


class Users:
    """Attributes of users; every method may raise Unavailable, and may be called again then.

    Args:
        clock: UTC milliseconds since 1970.
    """

    def __init__(self, store: UserStore, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def put(self, tenant: str, user: User) -> User:
        """Say of a user this, and nothing else.

        Raises:
            InvalidInput: the id cannot be one.
        """
        _check_new_id(user.user_id)
        return self._replace(tenant, user.user_id, lambda _: user.attributes)

    def get(self, tenant: str, user_id: str) -> User:
        """What is said of a user.

        Raises:
            InvalidInput: the id cannot be one.
            NotFound: nothing is.
        """
        check_user_id(user_id)
        user = self._store.get(tenant, user_id)
        if user is None:
            raise NotFound("nothing is said of a user of this id")
        return user

    def patch(self, tenant: str, user_id: str, changes: Mapping[str, Attribute | None]) -> User:
        """Set attributes, remove those whose value is None, and leave the others.

        Raises:
            InvalidInput: no change, or a value that breaks a rule.
        """
        _check_new_id(user_id)
        if not changes:
            raise InvalidInput([FieldProblem("attributes", "names none to change")])

        def changed(before: Mapping[str, Attribute]) -> dict[str, Attribute]:
            found = {**before, **changes}
            return {name: value for name, value in found.items() if value is not None}

        return self._replace(tenant, user_id, changed)

    def merge(self, tenant: str, source: str, target: str) -> None:
        """Give what is said of the source to the target, whose own attributes win."""
        visitor = self._store.get(tenant, source)
        if visitor is None:
            return
        theirs = visitor.attributes

        def joined(own: Mapping[str, Attribute]) -> dict[str, Attribute]:
            added = (name for name in theirs if name not in own)
            room = MAX_ATTRIBUTES - len(own)
            return {**own, **{name: theirs[name] for name in islice(added, room)}}

        self._replace(tenant, target, joined)
        self.erase(tenant, source)

    def erase(self, tenant: str, user_id: str) -> None:
        """Forget what is said of a user."""
        self._store.remove(tenant, user_id, self._clock())

    def _replace(
        self,
        tenant: str,
        user_id: str,
        change: Callable[[Mapping[str, Attribute]], Mapping[str, Attribute]],
    ) -> User:
        """Store what `change` makes of the attributes; once more if another was faster."""
        for _ in range(_MAX_ATTEMPTS):
            current = self._store.get(tenant, user_id)
            wanted = User(user_id, dict(change(current.attributes if current else {})))
            if self._store.replace(tenant, current, wanted):
                return wanted
        raise Unavailable("users", "too many others change this user at this moment")


def check_user_id(user_id: str) -> None:
    """Raises InvalidInput: the id cannot be one."""
    if reason := identifier_problem(user_id):
        raise InvalidInput([FieldProblem("user_id", reason)])


def _check_new_id(user_id: str) -> None:
    if reason := new_identifier_problem(user_id):
        raise InvalidInput([FieldProblem("user_id", reason)])
