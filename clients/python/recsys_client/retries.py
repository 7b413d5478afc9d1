"""When a call that failed is made again."""

import random
from dataclasses import dataclass

from recsys_client.errors import ApiError, NotReached, RateLimited, RecsysError, Unavailable

# A fault of the server, which the same call meets again.
_FAULT = 500


def may_pass(error: RecsysError) -> bool:
    """Whether the same call may succeed later."""
    if isinstance(error, Unavailable):
        return error.problem.status != _FAULT
    return isinstance(error, NotReached | RateLimited)


def retry_after(error: RecsysError) -> float:
    """Seconds that the API asks to wait."""
    return (isinstance(error, ApiError) and error.retry_after_seconds) or 0.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how long to wait before.

    Attributes:
        attempts: with the first one.
        first_wait_seconds: doubles with each further one, and is shortened by chance, so that
            clients which failed together do not come back together.
    """

    attempts: int = 3
    first_wait_seconds: float = 0.1

    def wait_seconds(self, attempt: int, error: RecsysError, left_seconds: float) -> float | None:
        """How long to wait after this attempt; None: it was the last.

        Args:
            attempt: 1 for the first.
            left_seconds: of the time that the call may take.
        """
        if attempt >= self.attempts or not may_pass(error):
            return None
        wait = self.first_wait_seconds * 2 ** (attempt - 1)
        wait *= random.uniform(0.5, 1)  # noqa: S311 - it spreads load, and is no secret
        wait = max(wait, retry_after(error))
        return wait if wait < left_seconds else None
