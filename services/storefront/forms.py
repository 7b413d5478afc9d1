"""Forms and parameters of the pages, as bad as anybody may send them."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from recsys.core.domain import identifier_problem

_MAX_BYTES = 16 * 1024
_MAX_FIELDS = 20
# Of paths of this shop: nothing that leads to another site, and nothing that ends a header.
_OWN_PATH = re.compile(r"/shop(?![^/?])[!-\[\]-~]*")


async def read_form(request: Request) -> Mapping[str, str]:
    """Read the fields of a form.

    Raises:
        HTTPException: 413 or 400.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise HTTPException(413, "This form is too long.")
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, errors="strict", max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise HTTPException(400, "This form cannot be read.") from None


def read_id(fields: Mapping[str, str], name: str) -> str:
    """Read a field that must be an id.

    Raises:
        HTTPException: 400.
    """
    value = fields.get(name, "").strip()
    if reason := identifier_problem(value):
        raise HTTPException(400, f"The field {name} {reason}.")
    return value


def read_count(text: str, most: int) -> int:
    """Read a number from 1 on.

    Raises:
        HTTPException: 400.
    """
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text) or int(text) > most:
        raise HTTPException(400, f"Give a number from 1 to {most}.")
    return int(text)


def own_path(text: str) -> str:
    """Where to go on: a path of this shop, or its first page."""
    return text if _OWN_PATH.fullmatch(text) else "/shop"
