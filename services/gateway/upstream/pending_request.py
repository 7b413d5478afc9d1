"""A question on its way: asked by a request, answered by one of the recommenders."""

import asyncio
from dataclasses import dataclass

from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.deadline import MARGIN_SECONDS

# A character in UTF-8, the tag and length of an id, and all of a question but its ids.
_BYTES_PER_CHARACTER, _BYTES_PER_ID, _BYTES_PER_QUESTION = 4, 4, 200


@dataclass(frozen=True, slots=True)
class UserTarget:
    user_id: str

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Items that are not to be in the answer, as in its neighbours below."""
        return ()

    @property
    def max_bytes(self) -> int:
        """Upper bound of its size in a request; so for its neighbours below."""
        return _max_bytes(self.user_id)

    def fill(self, question: pb.Question) -> None:
        question.user_id = self.user_id


@dataclass(frozen=True, slots=True)
class ItemTarget:
    item_id: str

    @property
    def item_ids(self) -> tuple[str, ...]:
        return (self.item_id,)

    @property
    def max_bytes(self) -> int:
        return _max_bytes(self.item_id)

    def fill(self, question: pb.Question) -> None:
        question.item_id = self.item_id


@dataclass(frozen=True, slots=True)
class SessionTarget:
    item_ids: tuple[str, ...]

    @property
    def max_bytes(self) -> int:
        return sum(map(_max_bytes, self.item_ids))

    def fill(self, question: pb.Question) -> None:
        question.session.item_ids.extend(self.item_ids)


def _max_bytes(item_or_user_id: str) -> int:
    return _BYTES_PER_ID + _BYTES_PER_CHARACTER * len(item_or_user_id)


Target = UserTarget | ItemTarget | SessionTarget


@dataclass(slots=True, eq=False)
class PendingRequest:
    """One question and who waits for its answer.

    Attributes:
        deadline_at, waiting_since, sent_at: of the event loop's clock; the latter two tell when it
            last began to wait for a replica, and when it was last given to one.
        attempts: to how many it was given.
    """

    tenant: str
    about: Target
    limit: int
    deadline_at: float
    answer: "asyncio.Future[pb.RenderedAnswer]"
    attempts: int = 0
    waiting_since: float = 0.0
    sent_at: float = 0.0

    @property
    def is_over(self) -> bool:
        """Answered, or nobody waits any longer."""
        return self.answer.done()

    @property
    def max_bytes(self) -> int:
        """Upper bound of its size in a request."""
        return _BYTES_PER_QUESTION + self.about.max_bytes

    def write(self, request: pb.StreamAnswersRequest, number: int, now: float) -> None:
        """Put it into a request that leaves now."""
        self.attempts += 1
        self.sent_at = now
        question = request.questions.add(
            number=number,
            tenant=self.tenant,
            limit=self.limit,
            budget_ms=max(0, int((self.deadline_at - now - MARGIN_SECONDS) * 1000)),
        )
        self.about.fill(question)
