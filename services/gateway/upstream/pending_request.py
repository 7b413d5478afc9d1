"""A question on its way: asked by a request, answered by one of the recommenders."""

import asyncio
from dataclasses import dataclass

from recsys.core.serving.request import RecommendationRequest
from recsys.rpc.questions import max_bytes, write_question
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.deadline import MARGIN_SECONDS


@dataclass(slots=True, eq=False)
class PendingRequest:
    """One question and who waits for its answer.

    Attributes:
        deadline_at, waiting_since, sent_at: of the event loop's clock; the latter two tell when it
            last began to wait for a replica, and when it was last given to one.
        attempts: to how many it was given.
    """

    request: RecommendationRequest
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
        return max_bytes(self.request)

    def write(self, message: pb.StreamAnswersRequest, number: int, now: float) -> None:
        """Put it into a request that leaves now."""
        self.attempts += 1
        self.sent_at = now
        budget_ms = max(0, int((self.deadline_at - now - MARGIN_SECONDS) * 1000))
        write_question(message.questions.add(number=number, budget_ms=budget_ms), self.request)
