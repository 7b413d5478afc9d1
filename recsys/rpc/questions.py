"""Requests for recommendations as the questions of a stream, and back."""

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    Target,
    UserTarget,
)
from recsys.rpc.v1 import recommender_pb2 as pb

# A character in UTF-8, the tag and length of an id, and all of a question but its ids.
_BYTES_PER_CHARACTER, _BYTES_PER_ID, _BYTES_PER_QUESTION = 4, 4, 200


def write_target(question: pb.Question, target: Target) -> None:
    """Say in a question what it is about."""
    match target:
        case UserTarget():
            question.user_id = target.user_id
        case ItemTarget():
            question.item_id = target.item_id
        case SessionTarget():
            question.session.item_ids.extend(target.item_ids)


def max_bytes(target: Target) -> int:
    """Upper bound of the size of a question about it, sooner than protobuf can tell the size."""
    ids = (target.user_id,) if isinstance(target, UserTarget) else target.item_ids
    return _BYTES_PER_QUESTION + sum(
        _BYTES_PER_ID + _BYTES_PER_CHARACTER * len(each) for each in ids
    )


def request_of(question: pb.Question) -> RecommendationRequest:
    """Read a question.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    return RecommendationRequest(
        question.tenant, _target(question), question.limit, question.budget_ms / 1000
    )


def _target(question: pb.Question) -> Target:
    match question.WhichOneof("about"):
        case "user_id":
            return UserTarget(question.user_id)
        case "item_id":
            return ItemTarget(question.item_id)
        case "session":
            return SessionTarget(tuple(question.session.item_ids))
    raise InvalidInput([FieldProblem("about", "must be set")])
