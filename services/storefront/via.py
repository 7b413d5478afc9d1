"""The recommendation that led to a product, as links and forms carry it on."""

import re
from dataclasses import dataclass
from typing import Self

_FORM = re.compile(r"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{16})")


@dataclass(frozen=True, slots=True)
class Via:
    """Placement and id of a recommendation, for the context of the events that come of it."""

    placement: str
    recommendation_id: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `str` writes; None for whatever else stands in an address."""
        found = _FORM.fullmatch(text)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        return f"{self.placement}.{self.recommendation_id}"

    def context(self) -> dict[str, str]:
        return {"placement": self.placement, "recommendation_id": self.recommendation_id}
