"""Requests for recommendations as the questions of a stream, and back.

Also the limits of that stream which both of its ends keep to.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.serving.controls import Boost, Controls, Exclusion, Fatigue, Pin
from recsys.core.serving.placed_request import OWN_CONTROLS, PlacementWishes
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    Target,
    UserTarget,
)
from recsys.rpc.v1 import recommender_pb2 as pb

# A character in UTF-8, the tag and length of an id, and all of a question but its ids and rules.
_BYTES_PER_CHARACTER, _BYTES_PER_ID, _BYTES_PER_QUESTION = 4, 4, 260
# All of a rule but its texts.
_BYTES_PER_RULE = 20

# Of one message. More would answer no faster, and make the first ones wait for the last.
MAX_QUESTIONS = 64
# Of one stream, read and not yet answered: more than wait for fold-in at once, and few enough that
# their answers, of half a megabyte in the worst case, fit into memory.
MAX_QUESTIONS_UNDER_WAY = 512
# A message takes no further part beyond this size: far below MAX_MESSAGE_BYTES, and one alone has
# room for the longest answer (a hundred items of 1,256 characters, of 6 bytes at most in JSON).
PIECE_BYTES = 1024 * 1024

_Part = TypeVar("_Part")


def write_question(question: pb.Question, request: RecommendationRequest) -> None:
    """Say in a question what is asked; its number and budget are the sender's."""
    question.tenant = request.tenant
    question.limit = request.limit
    match request.target:
        case UserTarget(user_id):
            question.user_id = user_id
        case ItemTarget(item_id):
            question.item_id = item_id
        case SessionTarget(item_ids):
            # It may be empty, and is there all the same.
            question.session.SetInParent()
            question.session.item_ids.extend(item_ids)
    if not request.is_plain:
        question.generators.extend(request.placement)
        question.filter = request.filter
        question.excluded_item_ids.extend(request.excluded_item_ids)
        question.page_token = request.page_token
        question.visitor_id = request.visitor_id
    question.reranked_item_ids.extend(request.reranked_item_ids)
    question.degraded = request.is_degraded
    if request.controls is not None:
        question.controls.CopyFrom(from_controls(request.controls))


def max_bytes(request: RecommendationRequest) -> int:
    """Upper bound of the size of a question, sooner than protobuf can tell the size."""
    target = request.target
    ids = (target.user_id,) if isinstance(target, UserTarget) else target.item_ids
    size = _BYTES_PER_QUESTION + sum(map(_max_bytes, (*ids, *request.reranked_item_ids)))
    if request.is_plain:
        return size
    others = (*request.placement, request.filter, *request.excluded_item_ids, request.page_token)
    size += _max_bytes(request.visitor_id)
    size += sum(map(_max_bytes, others))
    return size if request.controls is None else size + _max_bytes_of_rules(request.controls)


def request_of(question: pb.Question | pb.RecommendRequest) -> RecommendationRequest:
    """Read a question.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    of_gateway = question if isinstance(question, pb.Question) else pb.Question()
    return RecommendationRequest(
        question.tenant,
        target_of(question),
        question.limit,
        tuple(question.generators),
        question.filter,
        tuple(question.excluded_item_ids),
        _controls(question.controls) if question.HasField("controls") else None,
        question.page_token,
        tuple(of_gateway.reranked_item_ids),
        is_degraded=of_gateway.degraded,
        visitor_id=question.visitor_id,
    )


def wishes_of(message: pb.RecommendRequest) -> PlacementWishes:
    """Read what a request says beside a placement's name."""
    wanted = message.controls
    # Those that are set, also to nothing.
    own = {field.name: value for field, value in wanted.ListFields() if field.name in OWN_CONTROLS}
    read = _controls(wanted)
    if read.exclude_event_types:
        own["exclude_event_types"] = read.exclude_event_types
    if read.fatigue is not None:
        own["fatigue"] = read.fatigue
    return PlacementWishes(
        message.limit,
        filter=message.filter,
        excluded_item_ids=tuple(message.excluded_item_ids),
        page_token=message.page_token,
        explain=wanted.explain if wanted.HasField("explain") else True,
        controls=own,
        boosts=read.boosts,
        pins=read.pins,
        exclusions=read.exclusions,
    )


def from_controls(controls: Controls) -> pb.Controls:
    """Write controls."""
    fatigue = controls.fatigue
    return pb.Controls(
        explain=controls.explain,
        diversity=controls.diversity,
        max_per_category=controls.max_per_category,
        max_per_brand=controls.max_per_brand,
        strict=controls.strict,
        boosts=[
            pb.Boost(filter=each.filter, weight=each.weight, rule=each.rule)
            for each in controls.boosts
        ],
        pins=[
            pb.Pin(item_id=each.item_id, position=each.position, rule=each.rule)
            for each in controls.pins
        ],
        exclusions=[
            pb.Exclusion(filter=each.filter, rule=each.rule) for each in controls.exclusions
        ],
        exclude_seen_days=controls.exclude_seen_days,
        exclude_event_types=controls.exclude_event_types,
        fatigue=None if fatigue is None else pb.Fatigue(after=fatigue.after, factor=fatigue.factor),
        relax_filter=controls.relax_filter,
        window_days=controls.window_days,
    )


def reranking_of(message: pb.RerankItemsRequest) -> RecommendationRequest:
    """Read what to put in order.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    if not message.reranked_item_ids:
        raise InvalidInput([FieldProblem("item_ids", "name at least one item")])
    target = target_of(message)
    return RecommendationRequest(
        message.tenant, target, 1, reranked_item_ids=tuple(message.reranked_item_ids)
    )


def _controls(message: pb.Controls) -> Controls:
    return Controls(
        explain=message.explain,
        diversity=message.diversity,
        max_per_category=message.max_per_category,
        max_per_brand=message.max_per_brand,
        strict=message.strict,
        boosts=tuple(Boost(each.filter, each.weight, each.rule) for each in message.boosts),
        pins=tuple(Pin(each.item_id, each.position, each.rule) for each in message.pins),
        exclusions=tuple(Exclusion(each.filter, each.rule) for each in message.exclusions),
        exclude_seen_days=message.exclude_seen_days,
        exclude_event_types=tuple(message.exclude_event_types),
        fatigue=Fatigue(message.fatigue.after, message.fatigue.factor)
        if message.HasField("fatigue")
        else None,
        relax_filter=message.relax_filter,
        window_days=message.window_days,
    )


def target_of(question: pb.Question | pb.RecommendRequest | pb.RerankItemsRequest) -> Target:
    match question.WhichOneof("about"):
        case "user_id":
            return UserTarget(question.user_id)
        case "item_id" if not isinstance(question, pb.RerankItemsRequest):
            return ItemTarget(question.item_id)
        case "session":
            return SessionTarget(tuple(question.session.item_ids))
    raise InvalidInput([FieldProblem("about", "must be set: name a user, a session or an item")])


def _max_bytes_of_rules(controls: Controls) -> int:
    rules: list[Boost | Pin | Exclusion] = [*controls.boosts, *controls.pins]
    rules += controls.exclusions
    texts = [each.item_id if isinstance(each, Pin) else each.filter for each in rules]
    names = [*controls.exclude_event_types, *(each.rule for each in rules)]
    return len(rules) * _BYTES_PER_RULE + sum(map(_max_bytes, texts + names))


def _max_bytes(text: str) -> int:
    return _BYTES_PER_ID + _BYTES_PER_CHARACTER * len(text)


def in_pieces(
    parts: Iterable[_Part], max_bytes_of: Callable[[_Part], int]
) -> Iterator[list[_Part]]:
    """Parts of messages, in order, as many together as may share one message."""
    piece: list[_Part] = []
    size = 0
    for part in parts:
        max_bytes = max_bytes_of(part)
        if piece and size + max_bytes > PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(part)
        size += max_bytes
    if piece:
        yield piece
