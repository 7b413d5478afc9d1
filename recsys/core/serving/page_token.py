"""Page tokens: the ids that earlier pages of a list have shown, as one opaque text.

Nothing is kept for them: whoever answers the next page, with whatever model, leaves these items
out, and so no page repeats another's. A digest ties a token to its request and finds damage; a
token says nothing that a client could not say by excluding items, and so needs no secret.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import MAX_PAGE_TOKEN_CHARACTERS, MAX_PAGED_ITEMS

# Chance lets one damaged token in 2^64 pass.
_DIGEST_BYTES = 8
# No id has one.
_SEPARATOR = "\n"


def page_token(shown: Sequence[str], request: str) -> str:
    """The token of the page after these ids; empty where there is no room for another page.

    Args:
        request: whatever all pages of one list have in common.
    """
    if len(shown) >= MAX_PAGED_ITEMS:
        return ""
    body = _SEPARATOR.join(shown).encode()
    token = base64.urlsafe_b64encode(_digest(body, request) + body).rstrip(b"=").decode()
    return token if len(token) <= MAX_PAGE_TOKEN_CHARACTERS else ""


def shown_before(token: str, request: str) -> tuple[str, ...]:
    """The ids of a token.

    Raises:
        InvalidInput: naming `page_token`, for one that is damaged, or of another request.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
        ids = tuple(body.decode().split(_SEPARATOR))
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    if digest != _digest(body, request) or len(ids) > MAX_PAGED_ITEMS:
        raise _not_ours()
    if any(map(identifier_problem, ids)):
        raise _not_ours()
    return ids


def _digest(body: bytes, request: str) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES, key=_key(request)).digest()


def _key(request: str) -> bytes:
    return hashlib.blake2b(request.encode(), digest_size=16).digest()


def _not_ours() -> InvalidInput:
    reason = "is damaged, or of a request for something else: begin with the first page again"
    return InvalidInput([FieldProblem("page_token", reason)])
