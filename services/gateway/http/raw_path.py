"""Routing by the path as it was sent, so that an id may hold any character.

Servers decode the path before routing; the id `a/b`, sent as `a%2Fb`, would become two segments.
They also replace what cannot be decoded, which would make one id of another: here it is refused.
"""

import re
from typing import Annotated
from urllib.parse import quote, unquote_to_bytes

from fastapi import Path
from pydantic import BeforeValidator
from pydantic.config import JsonDict
from starlette.types import ASGIApp, Receive, Scope, Send

from recsys.core.domain import identifier_problem
from services.gateway.schemas.field_rules import ID_RULES, NEW_ID_RULES

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class RawPath:
    """Lets the router see the path still percent-encoded; parameters are decoded by themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # ASGI servers may leave raw_path out.
        raw = scope.get("raw_path") or quote(scope["path"]).encode()
        scope["path"] = raw.decode("latin-1")
        await self._app(scope, receive, send)


def decode_id(segment: str) -> str:
    """The id a path segment stands for.

    Raises:
        ValueError: saying why it cannot be one.
    """
    value = percent_decoded(segment.encode("latin-1"))
    if reason := identifier_problem(value):
        raise ValueError(reason)
    return value


def percent_decoded(part: bytes) -> str:
    """The text that a part of a URL stands for.

    Raises:
        ValueError: saying why there is none.
    """
    if _BROKEN_ESCAPE.search(part):
        raise ValueError("has a % without two hexadecimal digits after it")
    try:
        return unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("is not percent-encoded UTF-8") from error


def _id_parameter(description: str, example: str, rules: JsonDict = ID_RULES) -> object:
    return Path(
        description=f"{description}, percent-encoded; any characters but control characters.",
        json_schema_extra=dict(rules),
        examples=[example],
    )


_USER, _ITEM = ("Id of the user", "17850"), ("Id of the item", "85123A")

UserId = Annotated[str, BeforeValidator(decode_id), _id_parameter(*_USER)]
ItemId = Annotated[str, BeforeValidator(decode_id), _id_parameter(*_ITEM)]
# Of a user, or an item, that is stored by the request.
NewUserId = Annotated[str, BeforeValidator(decode_id), _id_parameter(*_USER, NEW_ID_RULES)]
NewItemId = Annotated[str, BeforeValidator(decode_id), _id_parameter(*_ITEM, NEW_ID_RULES)]
