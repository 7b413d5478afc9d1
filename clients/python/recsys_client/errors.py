"""What can go wrong with a call.

RecsysError
├── NotReached            no answer: no connection, cut off, or not in time
├── UnexpectedAnswer      an answer, but not one of the API: something else listens there
├── EventQueueFull        events come faster than they are sent
├── EventQueueClosed      an event came after its queue was closed
├── EventsNotSent         an event queue was closed before it could send all
└── ApiError              the API's own answer, a problem by RFC 9457
    ├── InvalidInput      400, 413, 415, 422: `problems` names the fields at fault
    ├── WrongKey          401
    ├── Forbidden         403: the key lacks the scope, or the shop is at its quota
    ├── NotFound          404
    ├── RateLimited       429: `retry_after_seconds` says when to come again
    └── Unavailable       408 and 5xx: it may work later
"""

from collections.abc import Sequence

from recsys_client.models import Event, Problem, ProblemDetails


class RecsysError(Exception):
    """Any failure of this client."""


class NotReached(RecsysError):
    """There was no answer; whether the API did what it was asked for is not known."""


class UnexpectedAnswer(RecsysError):
    """What answered is not the API, or much newer than this client."""


class EventQueueFull(RecsysError):
    """An event was not taken: the queue has as many as it may hold."""


class EventQueueClosed(RecsysError):
    """An event was not taken: the queue takes no more."""


class EventsNotSent(RecsysError):
    """A queue was closed with events left.

    Attributes:
        events: to be kept elsewhere and sent again; their ids make that safe.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        count = "1 event" if len(events) == 1 else f"{len(events):,} events"
        super().__init__(f"{count} could not be sent before the queue was closed")
        self.events = events


class ApiError(RecsysError):
    """A problem that the API describes.

    Attributes:
        problem: the document as it came.
        retry_after_seconds: when to come again, where the API says so.
    """

    def __init__(self, problem: ProblemDetails, retry_after_seconds: float | None = None) -> None:
        fields = "".join(f"; {each.field}: {each.reason}" for each in problem.problems or ())
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}{fields}")
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    @property
    def problems(self) -> Sequence[Problem]:
        """The fields at fault."""
        return self.problem.problems or ()


class InvalidInput(ApiError): ...


class WrongKey(ApiError): ...


class Forbidden(ApiError): ...


class NotFound(ApiError): ...


class RateLimited(ApiError): ...


class Unavailable(ApiError): ...


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidInput,
    401: WrongKey,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: RateLimited,
}


def api_error(problem: ProblemDetails, retry_after_seconds: float | None) -> ApiError:
    """The error for a problem, by its status."""
    other = Unavailable if problem.status >= 500 else ApiError
    return _BY_STATUS.get(problem.status, other)(problem, retry_after_seconds)
