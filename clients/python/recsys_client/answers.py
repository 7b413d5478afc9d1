"""Answers read: a model, or the error that the answer tells of."""

import httpx
from pydantic import ValidationError

from recsys_client.calls import AnswerT, Call
from recsys_client.errors import NotReached, RecsysError, UnexpectedAnswer, api_error
from recsys_client.models import ProblemDetails

_PROBLEM = "application/problem+json"


def read_answer(call: Call[AnswerT], response: httpx.Response) -> AnswerT:
    """The model of a good answer, or of a batch of which every part was rejected.

    Raises:
        ApiError: the API's problem.
        UnexpectedAnswer, NotReached
    """
    if response.is_success:
        return _read_good(call, response)
    if call.is_batch and response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        try:
            return call.answer.model_validate_json(response.content)
        except ValidationError:  # The batch as a whole is wrong, such as empty.
            raise _problem(response) from None
    raise _problem(response)


def _read_good(call: Call[AnswerT], response: httpx.Response) -> AnswerT:
    try:
        return call.answer.model_validate_json(response.content or b"{}")
    except ValidationError as error:
        message = f"{response.url} answered something else than {call.answer.__name__}"
        raise UnexpectedAnswer(message) from error


def _problem(response: httpx.Response) -> RecsysError:
    if response.headers.get("Content-Type", "").startswith(_PROBLEM):
        try:
            problem = ProblemDetails.model_validate_json(response.content)
        except ValidationError:
            pass
        else:
            return api_error(problem, _retry_after(response))
    message = f"{response.url} answered {response.status_code} without a problem"
    # Such as 502 of a proxy in between.
    return NotReached(message) if response.is_server_error else UnexpectedAnswer(message)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds; the API sends no dates."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
