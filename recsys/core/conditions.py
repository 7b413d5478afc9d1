"""Conditional requests: what must be true of an item for a request to be carried out (RFC 9110)."""

from collections.abc import Collection
from dataclasses import dataclass

# Stands for any revision: the item is there.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Condition:
    """Revisions that an item must or must not have; without any, everything holds.

    Attributes:
        if_match: the item must be there, in one of these revisions; ANY of them will do.
        if_none_match: the item must not be there in one of these; ANY: it must not be there.
    """

    if_match: tuple[str, ...] = ()
    if_none_match: tuple[str, ...] = ()

    def holds(self, revision: str | None) -> bool:
        """Tell whether an item of this revision, None for one that is not there, may be changed."""
        if self.if_match and not is_one_of(revision, self.if_match):
            return False
        return not is_one_of(revision, self.if_none_match)


ALWAYS = Condition()


def is_one_of(revision: str | None, revisions: Collection[str]) -> bool:
    """Tell whether an item is there in one of these revisions."""
    return revision is not None and (revision in revisions or ANY in revisions)
