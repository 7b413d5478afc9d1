"""What a shop says of its users, in memory."""

from collections import defaultdict
from threading import Lock

from recsys.core.domain import User


class MemoryUserStore:
    """`UserStore` that lasts as long as the process."""

    def __init__(self) -> None:
        self._users: defaultdict[str, dict[str, User]] = defaultdict(dict)
        self._lock = Lock()

    def get(self, tenant: str, user_id: str) -> User | None:
        return self._users[tenant].get(user_id)

    def replace(self, tenant: str, expected: User | None, user: User) -> bool:
        with self._lock:
            if self.get(tenant, user.user_id) != expected:
                return False
            self._users[tenant][user.user_id] = user
            return True

    def remove(self, tenant: str, user_id: str, removed_ms: int) -> None:  # noqa: ARG002
        with self._lock:
            self._users[tenant].pop(user_id, None)
