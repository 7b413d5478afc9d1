"""Refusal of a file of which too many rows break rules."""

from pathlib import Path

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.importing.bulk_writer import Tally
from recsys.importing.source import BadRow


def refusal(path: Path, tally: Tally, bad: BadRow, allowed: float) -> InvalidInput:
    """The error, with the first bad row.

    Args:
        allowed: share of rows that might have been bad.
    """
    reason = f"line {bad.line}: {bad.reason}; the row is {bad.raw!s:.200}"
    if allowed:
        count = f"{tally.rejected.total():,} of {tally.read:,} rows"
        reason = f"{count} break rules, more than --max-rejected {allowed:g}; {reason}"
    return InvalidInput([FieldProblem(path.name, reason)])
