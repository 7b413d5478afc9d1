"""Session tokens: by one a shop's server lets a browser act for one user for a while.

A token is a JSON Web Token (RFC 7519) signed by HMAC-SHA256 with the session secret of a public
key, so a server of any language makes one with the library it has. `sub` is the user, `exp` the
end. Only this one algorithm is read, and of the claims `sub`, `exp` and `nbf`.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
from typing import Any

from recsys.core.domain import identifier_problem

# A visit. A token that leaks is worth nothing tomorrow, and pages get a new one with each view.
MAX_SESSION_SECONDS = 24 * 3600.0
# Clocks of a shop's servers and ours differ.
_CLOCK_SECONDS = 60.0
# An id of 256 characters, escaped, twice coded, is shorter.
_MAX_CHARACTERS = 8192
_HEADER = {"alg": "HS256", "typ": "JWT"}


def sign_session(secret: str, user_id: str, expires_at: float) -> str:
    """Make a token for a user that ends at `expires_at`, in seconds since 1970."""
    claims = {"sub": user_id, "exp": math.floor(expires_at)}
    signed = f"{_encode(_HEADER)}.{_encode(claims)}"
    return f"{signed}.{_base64(_signature(secret, signed))}"


def session_user(secret: str, token: str, now: float) -> str | None:
    """The user whom a token is for; None: it is not signed by this secret, over, or lasts too long.

    Args:
        now: seconds since 1970.
    """
    signed, _, signature = token.rpartition(".")
    header, _, claims = signed.partition(".")
    if len(token) > _MAX_CHARACTERS or not token.isascii():
        return None
    try:
        is_signed = hmac.compare_digest(_signature(secret, signed), _bytes(signature))
        if not is_signed or _decode(header).get("alg") != _HEADER["alg"]:
            return None
        return _valid_user(_decode(claims), now)
    except ValueError:
        return None


def _valid_user(claims: dict[str, Any], now: float) -> str | None:
    user_id: Any = claims.get("sub")
    ends: Any = claims.get("exp")
    begins: Any = claims.get("nbf", now)
    if not isinstance(user_id, str) or identifier_problem(user_id):
        return None
    if not _is_number(ends) or not now < ends <= now + MAX_SESSION_SECONDS + _CLOCK_SECONDS:
        return None
    return user_id if _is_number(begins) and begins <= now + _CLOCK_SECONDS else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _signature(secret: str, signed: str) -> bytes:
    return hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)


def _encode(part: dict[str, Any]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _decode(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(part))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return found if isinstance(found, dict) else {}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    """Raises ValueError for what is no base64url."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars="-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
