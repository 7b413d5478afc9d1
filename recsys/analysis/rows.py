"""Rows of users and items whom a notebook names."""

from recsys.core.errors import NotFound
from recsys.core.vocabulary import Vocabulary
from recsys.core.wording import pluralize


def row_of(ids: Vocabulary, wanted: str) -> int:
    """The row of an id.

    Raises:
        NotFound: for one that the model does not know.
    """
    row = ids.index_of(wanted)
    if row is None:
        raise NotFound(
            f"{wanted!r} is none of the model's {pluralize(len(ids), 'id')}, such as {_some(ids)}"
        )
    return row


def _some(ids: Vocabulary) -> str:
    return ", ".join(repr(ids.id_of(row)) for row in range(min(3, len(ids))))
