"""Controls: what a request, or the settings of a placement, say about the items of an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Controls:
    """Wishes about the items of an answer.

    Attributes:
        explain: whether each item comes with its reason and the parts of its score.
    """

    explain: bool = False
