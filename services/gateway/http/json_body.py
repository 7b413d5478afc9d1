"""Reading a body: plain JSON in UTF-8, of bounded size, within bounded time."""

import asyncio
import codecs
import json
import sys
from collections import Counter
from typing import Annotated, NoReturn

from fastapi import Depends, Request
from starlette.datastructures import Headers

from recsys.core.limits import MAX_BODY_BYTES
from services.gateway.schemas.problems import (
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    MALFORMED_JSON,
    WRONG_MEDIA_TYPE,
    ProblemError,
)

READ_SECONDS = 10.0
# Of a name that stands twice, in the words of the problem.
_SHOWN_CHARACTERS = 64


async def json_body(request: Request) -> object:
    """The parsed body.

    Raises:
        ProblemError: when it is too large, too slow, of another type or malformed.
    """
    _check_headers(request.headers)
    try:
        async with asyncio.timeout(READ_SECONDS):
            body = await _read(request)
    except TimeoutError:
        detail = f"the whole body must arrive within {READ_SECONDS:.0f} seconds"
        raise ProblemError(BODY_TOO_SLOW, detail, headers={"Connection": "close"}) from None
    return parse_json(body)


JsonBody = Annotated[object, Depends(json_body)]


def _check_headers(headers: Headers) -> None:
    media_type, _, parameters = headers.get("content-type", "").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    if media_type.strip() != "application/json" or charset not in ("", "utf-8"):
        raise ProblemError(WRONG_MEDIA_TYPE, "send Content-Type: application/json")
    # A small compressed body may unpack to gigabytes.
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(WRONG_MEDIA_TYPE, "send the body without Content-Encoding")
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        _refuse_size()


async def _read(request: Request) -> bytes:
    """Stop as soon as it is too much: chunked bodies announce no size."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            _refuse_size()
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_size() -> NoReturn:
    detail = f"at most {MAX_BODY_BYTES} bytes are taken; send events in several requests"
    # The rest of the body is not read, so this connection is of no further use.
    raise ProblemError(BODY_TOO_LARGE, detail, headers={"Connection": "close"})


def parse_json(body: bytes) -> object:
    """Parse a body.

    Raises:
        ProblemError: it is malformed, or an object has a name twice.
    """
    try:
        # NaN and Infinity are no JSON, but some clients write them: let through here, they are
        # refused with the field they stand in, and cost a batch one event instead of all.
        return _decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        # Of a byte order mark the library says what Python would have to do about it.
        says = "a byte order mark" if body.startswith(codecs.BOM_UTF8) else error.msg
        reason = f"{says} at line {error.lineno} column {error.colno}"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError:
        # Only Python's own limit: JSON has none, and the library's words are about Python.
        reason = f"a number in it has more than {sys.get_int_max_str_digits()} digits"
    raise ProblemError(MALFORMED_JSON, reason)


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON, whose names must differ: of two values nobody knows which was meant."""
    found = dict(members)
    if len(found) < len(members):
        counts = Counter(name for name, _ in members)
        [(name, _)] = counts.most_common(1)
        # In ASCII: half a surrogate pair could not be sent back.
        shown = json.dumps(name[:_SHOWN_CHARACTERS])
        raise ProblemError(MALFORMED_JSON, f"the name {shown} stands twice in one object")
    return found


_decode = json.JSONDecoder(object_pairs_hook=_object).decode
