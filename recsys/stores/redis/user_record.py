"""One user's record as packed bytes: the stored list and the history behind it.

Layout, little endian: n, h as uint16; then n item rows as int32, n scores as float16, h item rows
as int32, h strengths as float32, h excluded flags as uint8, h steps as uint8. 6 bytes an entry of
the list, 10 of the history, against about 40 as JSON. Scores only order a list; strengths go into
fold-in, whose answer must equal the full solve, so they keep their precision. After 255 steps
nothing is left of a strength. Then r as uint16, and of r items that were bought again rows, counts,
first and last days as int32. Records of models of format 2 end before the steps, those of 3 to 5
before r. The format and least reader of a record are its model's; what later releases put at its
end is left out.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from recsys.core.behaviour import NO_REPURCHASES, StoredUser
from recsys.core.errors import InvalidModel
from recsys.core.model import History, Steps
from recsys.core.repurchases import Repurchases, UserRepurchases
from recsys.core.scoring import Scores
from recsys.core.user_batch import UserBatch
from recsys.stores.redis.byte_runs import Runs, row_starts, slices

_HEADER, _COUNT = struct.Struct("<HH"), struct.Struct("<H")
# A user with more keeps what excludes, then the strongest. The header could say 65,535; beyond this
# it is a robot.
MAX_HISTORY = 10_000
# A screen shows twenty; a household buys a few hundred things again.
MAX_REPURCHASES = 500
_MAX_LIST = np.iinfo(np.uint16).max
_MAX_STEPS = np.iinfo(np.uint8).max
_MAX_SCORE = np.finfo(np.float16).max


def record_parts(batch: UserBatch) -> list[Runs]:
    """The records of b users: record i is run i of each part, one after the other.

    Raises:
        InvalidModel: when lists are longer than a header can say.
    """
    if batch.items.shape[1] > _MAX_LIST:
        raise InvalidModel(f"a list of more than {_MAX_LIST} items does not fit a user record")
    indptr, histories = _strongest(batch.indptr, batch.histories)
    header = np.stack([batch.lengths, np.diff(indptr)], axis=1).astype("<u2")
    parts = [
        row_starts(header, np.full(len(header), 2)),
        row_starts(batch.items.astype("<i4", copy=False), batch.lengths),
        row_starts(_half_precision(batch.scores), batch.lengths),
        slices(histories.items.astype("<i4", copy=False), indptr),
        slices(histories.strengths.astype("<f4", copy=False), indptr),
        slices(histories.excluded.astype("u1", copy=False), indptr),
        slices(np.minimum(histories.steps, _MAX_STEPS).astype("u1"), indptr),
    ]
    return parts if batch.repurchases is None else parts + _repurchase_parts(batch.repurchases)


def unpack_user(data: bytes) -> StoredUser:
    """Read a record.

    Raises:
        InvalidModel: when the length does not fit the header.
    """
    if len(data) < _HEADER.size:
        raise InvalidModel("a user record is cut off")
    n, h = _HEADER.unpack_from(data)
    at, with_steps = _HEADER.size, _HEADER.size + 6 * n + 10 * h
    if len(data) < with_steps and len(data) != with_steps - h:
        raise InvalidModel("a user record does not have the length its header says")
    return StoredUser(
        items=np.frombuffer(data, "<i4", n, at),
        scores=np.frombuffer(data, "<f2", n, at + 4 * n).astype(np.float32),
        history=History(
            items=np.frombuffer(data, "<i4", h, at + 6 * n),
            strengths=np.frombuffer(data, "<f4", h, at + 6 * n + 4 * h),
            excluded=np.frombuffer(data, "u1", h, at + 6 * n + 8 * h).astype(np.bool_),
            steps=_steps(data, h, with_steps - h),
        ),
        repurchases=_repurchases(data, with_steps),
    )


def _steps(data: bytes, h: int, at: int) -> Steps:
    if len(data) == at:
        return np.zeros(h, np.int32)
    return np.frombuffer(data, "u1", h, at).astype(np.int32)


def _repurchase_parts(repurchases: UserRepurchases) -> list[Runs]:
    newest = _newest(repurchases)
    indptr, values = newest.indptr, newest.values
    counts = np.diff(indptr).astype("<u2")[:, np.newaxis]
    columns = values.items, values.counts, values.first_days, values.last_days
    parts = [slices(column.astype("<i4", copy=False), indptr) for column in columns]
    return [row_starts(counts, np.ones(len(counts), np.int64)), *parts]


def _newest(repurchases: UserRepurchases) -> UserRepurchases:
    """Of each user at most MAX_REPURCHASES items, those that were bought last."""
    values, lengths = repurchases.values, np.diff(repurchases.indptr)
    if lengths.max(initial=0) <= MAX_REPURCHASES:
        return repurchases
    kept = np.ones(len(values.items), np.bool_)
    for row in np.flatnonzero(lengths > MAX_REPURCHASES):
        span = slice(repurchases.indptr[row], repurchases.indptr[row + 1])
        order = np.argsort(-values.last_days[span], kind="stable")
        kept[span][order[MAX_REPURCHASES:]] = False
    shorter = np.concatenate([[0], np.cumsum(np.minimum(lengths, MAX_REPURCHASES))])
    columns = values.items, values.counts, values.first_days, values.last_days
    return UserRepurchases(shorter, Repurchases(*(column[kept] for column in columns)))


def _repurchases(data: bytes, at: int) -> Repurchases:
    if len(data) <= at:
        return NO_REPURCHASES
    if len(data) < at + _COUNT.size:
        raise InvalidModel("a user record is cut off")
    (r,) = _COUNT.unpack_from(data, at)
    at += _COUNT.size
    if len(data) < at + 16 * r:
        raise InvalidModel("a user record does not have the length its header says")
    columns = (np.frombuffer(data, "<i4", r, at + 4 * r * place) for place in range(4))
    return Repurchases(*columns)


def _half_precision(scores: Scores) -> NDArray[np.float16]:
    """Scores past the range of float16 stay finite: answers in JSON have no infinity."""
    return np.clip(scores, -_MAX_SCORE, _MAX_SCORE).astype("<f2")


def _strongest(indptr: NDArray[np.int64], histories: History) -> tuple[NDArray[np.int64], History]:
    """Histories of at most MAX_HISTORY items: those that are excluded first, then the strongest.

    Among equals the first ones stay.
    """
    lengths = np.diff(indptr)
    if lengths.max(initial=0) <= MAX_HISTORY:
        return indptr, histories
    kept = np.ones(len(histories.items), np.bool_)
    for row in np.flatnonzero(lengths > MAX_HISTORY):
        span = slice(indptr[row], indptr[row + 1])
        order = np.lexsort((-histories.strengths[span], ~histories.excluded[span]))
        kept[span][order[MAX_HISTORY:]] = False
    shorter = np.concatenate([[0], np.cumsum(np.minimum(lengths, MAX_HISTORY))])
    return shorter, History(
        histories.items[kept],
        histories.strengths[kept],
        histories.excluded[kept],
        histories.steps[kept],
    )
