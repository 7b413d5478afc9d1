"""One user's record as packed bytes: the stored list and the history behind it.

Layout, little endian: n, h as uint16; then n item rows as int32, n scores as float16, h item rows
as int32, h strengths as float32, h excluded flags as uint8. 6 bytes an entry of the list, 9 of the
history, against about 40 as JSON. Scores only order a list; strengths go into fold-in, whose answer
must equal the full solve, so they keep their precision.
"""

import struct

import numpy as np

from recsys.core.errors import InvalidModel
from recsys.core.model import History
from recsys.core.recommend import StoredUser

_HEADER = struct.Struct("<HH")
# A user with more keeps the strongest. The header could say 65,535; beyond this it is a robot.
MAX_HISTORY = 10_000


def pack_user(user: StoredUser) -> bytes:
    history = _strongest(user.history)
    return b"".join(
        (
            _HEADER.pack(len(user.items), len(history.items)),
            user.items.astype("<i4").tobytes(),
            user.scores.astype("<f2").tobytes(),
            history.items.astype("<i4").tobytes(),
            history.strengths.astype("<f4").tobytes(),
            history.excluded.astype("u1").tobytes(),
        )
    )


def unpack_user(data: bytes) -> StoredUser:
    """Read a record.

    Raises:
        InvalidModel: when the length does not fit the header.
    """
    if len(data) < _HEADER.size:
        raise InvalidModel("a user record is cut off")
    n, h = _HEADER.unpack_from(data)
    if len(data) != _HEADER.size + 6 * n + 9 * h:
        raise InvalidModel("a user record does not have the length its header says")
    at = _HEADER.size
    return StoredUser(
        items=np.frombuffer(data, "<i4", n, at),
        scores=np.frombuffer(data, "<f2", n, at + 4 * n).astype(np.float32),
        history=History(
            items=np.frombuffer(data, "<i4", h, at + 6 * n),
            strengths=np.frombuffer(data, "<f4", h, at + 6 * n + 4 * h),
            excluded=np.frombuffer(data, "u1", h, at + 6 * n + 8 * h).astype(np.bool_),
        ),
    )


def _strongest(history: History) -> History:
    if len(history.items) <= MAX_HISTORY:
        return history
    keep = np.sort(np.argsort(-history.strengths, kind="stable")[:MAX_HISTORY])
    return History(history.items[keep], history.strengths[keep], history.excluded[keep])
