"""Between the messages of the RPC contract and the words of the domain, for both ends of a call."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from google.protobuf.struct_pb2 import Struct

from recsys.core.conditions import Condition
from recsys.core.domain import Attribute, Item, User, new_identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import MAX_FIELD_CHARACTERS, MAX_ID_CHARACTERS, MAX_PROBLEMS
from recsys.core.recording import EventDraft, EventOutcome, EventStatus, Recorded
from recsys.rpc.v1 import ingest_pb2

_REPEATED_ITEM = FieldProblem("item_id", "is that of an earlier item of this batch")
_STATUSES = {
    EventStatus.ACCEPTED: ingest_pb2.EVENT_STATUS_ACCEPTED,
    EventStatus.DUPLICATE: ingest_pb2.EVENT_STATUS_DUPLICATE,
    EventStatus.REJECTED: ingest_pb2.EVENT_STATUS_REJECTED,
}
_FROM_STATUSES = {number: status for status, number in _STATUSES.items()}


def from_draft(draft: EventDraft) -> ingest_pb2.Event:
    return ingest_pb2.Event(
        event_id=draft.event_id or "",
        user_id=draft.user_id,
        item_id=draft.item_id,
        event_type=draft.event_type,
        timestamp_ms=draft.timestamp_ms,
        quantity=draft.quantity,
        price=draft.price,
        order_id=draft.order_id or "",
        context=draft.context,
        rating=draft.rating,
        query=draft.query or "",
    )


def to_draft(message: ingest_pb2.Event) -> EventDraft:
    return EventDraft(
        user_id=message.user_id,
        item_id=message.item_id,
        event_type=message.event_type,
        event_id=message.event_id or None,
        timestamp_ms=message.timestamp_ms if message.HasField("timestamp_ms") else None,
        quantity=message.quantity if message.HasField("quantity") else None,
        price=message.price if message.HasField("price") else None,
        order_id=message.order_id or None,
        context=dict(message.context),
        rating=message.rating if message.HasField("rating") else None,
        query=message.query or None,
    )


def from_recorded(recorded: Recorded) -> ingest_pb2.RecordEventsResponse:
    results = (
        ingest_pb2.EventResult(
            status=_STATUSES[outcome.status],
            # One that is too long to be taken may be too long to be sent back.
            event_id=outcome.event_id[:MAX_ID_CHARACTERS],
            problems=_from_problems(outcome.problems),
        )
        for outcome in recorded.outcomes
    )
    return ingest_pb2.RecordEventsResponse(results=results, degraded=recorded.degraded)


def to_recorded(message: ingest_pb2.RecordEventsResponse) -> Recorded:
    outcomes = [
        EventOutcome(
            _FROM_STATUSES[result.status],
            result.event_id,
            tuple(FieldProblem(problem.field, problem.reason) for problem in result.problems),
        )
        for result in message.results
    ]
    return Recorded(outcomes, message.degraded)


def from_item(item: Item) -> ingest_pb2.Item:
    return from_item_fields(item.item_id, asdict(item))


def from_item_fields(item_id: str, fields: Mapping[str, Any]) -> ingest_pb2.Item:
    """Write an item of unchecked fields, by their names in the domain."""
    attributes = Struct()
    attributes.update(fields["attributes"])
    return ingest_pb2.Item(**{**fields, "item_id": item_id, "attributes": attributes})


def to_item(message: ingest_pb2.Item) -> Item:
    """Read a whole item.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    return Item(item_id=message.item_id, **_fields(message))


def to_new_item(message: ingest_pb2.Item) -> Item:
    """Read a whole item that is to be stored.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    item = to_item(message)
    if reason := new_identifier_problem(item.item_id):
        raise InvalidInput([FieldProblem("item_id", reason)])
    return item


def read_items(
    messages: Iterable[ingest_pb2.Item],
) -> tuple[list[Item], list[tuple[FieldProblem, ...]]]:
    """Read the items of a batch, each on its own.

    Returns:
        Those that can be stored, and for each message its problems: none where it can.
    """
    items: dict[str, Item] = {}
    problems: list[tuple[FieldProblem, ...]] = []
    for message in messages:
        try:
            item = to_new_item(message)
        except InvalidInput as error:
            problems.append(error.problems)
            continue
        is_repeated = item.item_id in items
        items.setdefault(item.item_id, item)
        problems.append((_REPEATED_ITEM,) if is_repeated else ())
    return list(items.values()), problems


def from_item_problems(problems: Iterable[FieldProblem]) -> ingest_pb2.ItemResult:
    return ingest_pb2.ItemResult(problems=_from_problems(problems))


def to_item_problems(message: ingest_pb2.ItemResult) -> list[FieldProblem]:
    return [FieldProblem(problem.field, problem.reason) for problem in message.problems]


def _from_problems(problems: Iterable[FieldProblem]) -> list[ingest_pb2.FieldProblem]:
    # Of an item a hundred attributes may be wrong, and a thousand items of a batch.
    return [
        ingest_pb2.FieldProblem(field=problem.field[:MAX_FIELD_CHARACTERS], reason=problem.reason)
        for problem in islice(problems, MAX_PROBLEMS)
    ]


def to_changes(request: ingest_pb2.PatchItemRequest) -> dict[str, Any]:
    """The fields the mask names, with their new values; None stands for an unknown name.

    Raises:
        InvalidInput: when an attribute has a value that cannot be one.
    """
    fields = _fields(request.item)
    return {path: fields.get(path) for path in request.update_mask.paths}


def from_user(user: User) -> ingest_pb2.User:
    return from_attributes(user.user_id, user.attributes)


def from_attributes(user_id: str, attributes: Mapping[str, Attribute | None]) -> ingest_pb2.User:
    """Write a user of unchecked attributes; None is there as null."""
    message = ingest_pb2.User(user_id=user_id)
    message.attributes.update(attributes)
    return message


def to_user(message: ingest_pb2.User) -> User:
    """Read a user.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """
    return User(message.user_id, _attributes(message.attributes))


def to_attribute_changes(message: ingest_pb2.User) -> dict[str, Attribute | None]:
    """The attributes that change, None for those to remove.

    Raises:
        InvalidInput: when one has a value that cannot be one.
    """
    fields = message.attributes.fields
    removed = [name for name, value in fields.items() if value.WhichOneof("kind") == "null_value"]
    kept = Struct(fields={name: value for name, value in fields.items() if name not in removed})
    return {**_attributes(kept), **dict.fromkeys(removed)}


def from_condition(condition: Condition) -> ingest_pb2.Condition:
    return ingest_pb2.Condition(if_match=condition.if_match, if_none_match=condition.if_none_match)


def to_condition(message: ingest_pb2.Condition) -> Condition:
    return Condition(tuple(message.if_match), tuple(message.if_none_match))


def _fields(message: ingest_pb2.Item) -> dict[str, Any]:
    return {
        "title": message.title if message.HasField("title") else None,
        "categories": tuple(message.categories),
        "brand": message.brand if message.HasField("brand") else None,
        "price": message.price if message.HasField("price") else None,
        "available": message.available if message.HasField("available") else True,
        "attributes": _attributes(message.attributes),
        "quantity": message.quantity if message.HasField("quantity") else None,
        "tags": tuple(message.tags),
        "list_price": message.list_price if message.HasField("list_price") else None,
        "publish_ms": message.publish_ms if message.HasField("publish_ms") else None,
        "expire_ms": message.expire_ms if message.HasField("expire_ms") else None,
        "created_ms": message.created_ms if message.HasField("created_ms") else None,
    }


def _attributes(message: Struct) -> dict[str, Attribute]:
    attributes: dict[str, Attribute] = {}
    problems = []
    for name, value in message.fields.items():
        kind = value.WhichOneof("kind")
        if kind in ("string_value", "number_value", "bool_value"):
            attributes[name] = getattr(value, kind)
        else:
            reason = "must be text, a number, true or false"
            problems.append(FieldProblem(f"attributes.{name}", reason))
    if problems:
        raise InvalidInput(problems)
    return attributes
