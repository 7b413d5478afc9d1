"""ETags, and the headers of conditional requests (RFC 9110, section 13)."""

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import WithJsonSchema

from recsys.core.conditions import ANY, Condition, is_one_of
from recsys.core.errors import FieldProblem
from services.gateway.schemas.problems import PRECONDITION_FAILED, ProblemError, invalid_input

_TAG = r'(?:W/)?"[!#-~]*"'
_LIST = rf"{_TAG}(?: *, *{_TAG})*"
_WEAK = "W/"


# Thirty ETags of ours: more than a client has states of one resource.
_MAX_CHARACTERS = 1000
_SCHEMA = {
    "anyOf": [
        {"type": "string", "enum": [ANY]},
        {"type": "string", "maxLength": _MAX_CHARACTERS, "pattern": f"^{_LIST}$"},
    ]
}


def _header(name: str, description: str) -> Any:
    return Header(alias=name, description=description, examples=["*"])


_IfMatch = Annotated[
    str | None,
    WithJsonSchema(_SCHEMA),
    _header("If-Match", "Go on only if the resource has one of these ETags; `*`: if it is there."),
]
_IfNoneMatch = Annotated[
    str | None,
    WithJsonSchema(_SCHEMA),
    _header(
        "If-None-Match",
        "Go on only if the resource has none of these ETags; `*`: if it is not there. A GET of what"
        " the caller has already is answered 304.",
    ),
]


async def _condition(
    request: Request, if_match: _IfMatch = None, if_none_match: _IfNoneMatch = None
) -> Condition:
    # Only for the description: of a header that was sent twice they have one half.
    del if_match, if_none_match
    return Condition(
        tuple(map(_revision, _tags(request, "If-Match"))),
        # Compared weakly: a copy that was packed on its way is as good.
        tuple(_revision(tag.removeprefix(_WEAK)) for tag in _tags(request, "If-None-Match")),
    )


Preconditions = Annotated[Condition, Depends(_condition)]


def etag_of(revision: str) -> str:
    return f'"{revision}"'


def is_known_to_caller(condition: Condition, revision: str) -> bool:
    """Tell whether a GET may be answered without the resource, which the caller has.

    Raises:
        ProblemError: when it is not in a state that the caller insists on.
    """
    if condition.if_match and not is_one_of(revision, condition.if_match):
        raise ProblemError(PRECONDITION_FAILED, "the resource has another ETag")
    return is_one_of(revision, condition.if_none_match)


def _tags(request: Request, name: str) -> list[str]:
    """
    Raises:
        ProblemError: when the header is no list of ETags.
    """
    lines = request.headers.getlist(name)
    if not lines:
        return []
    value = ", ".join(lines)
    if value == ANY:
        return [ANY]
    if len(value) > _MAX_CHARACTERS or not re.fullmatch(_LIST, value):
        reason = (
            'must be * or a list of ETags, each in double quotes: "a", "b"; at most'
            f" {_MAX_CHARACTERS} characters"
        )
        raise invalid_input([FieldProblem(name, reason)])
    return re.findall(_TAG, value)


def _revision(tag: str) -> str:
    """The revision of a strong ETag; others stay as they are, in quotes, and equal none."""
    revision = tag.strip('"')
    return tag if tag.startswith(_WEAK) or revision == ANY != tag else revision
