"""Importing one file: once, and with an account of every row."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.importing.bulk_writer import BulkWriter, Tally
from recsys.importing.ledger import ImportLedger, digest_of
from recsys.importing.plan import ImportPlan
from recsys.importing.rejects import RejectFile

# Two keep the server busy; a third covers the pauses between batches.
_WRITERS = 3


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """Result of importing one file.

    Attributes:
        path: the file.
        kind: "events" or "items".
        tally: rows stored, known already, rejected and skipped.
        seconds: how long it took.
        reject_path: where the rejected rows are.
        earlier: when the file was imported before and therefore left alone, what was recorded then.
    """

    path: Path
    kind: str
    tally: Tally
    seconds: float
    reject_path: Path
    earlier: dict[str, Any] | None = None

    @property
    def failed(self) -> bool:
        """Rows were rejected and none was good: most likely the file is not what was meant."""
        return self.tally.landed + self.tally.duplicate == 0 and self.tally.rejected > 0


class Importer:
    """Imports files of one tenant.

    Args:
        tenant: whose they are.
        ledger: what has been imported before.
        reject_folder: where reject files go; each is named after its source.
        again: import even what the ledger knows.
    """

    def __init__(
        self, tenant: str, ledger: ImportLedger, reject_folder: Path, *, again: bool = False
    ) -> None:
        self._tenant = tenant
        self._ledger = ledger
        self._reject_folder = reject_folder
        self._again = again

    def run(
        self, plan: ImportPlan[Any], tally: Tally, observe: Callable[[int], None]
    ) -> ImportOutcome:
        """Import a file, keeping `tally` up to date and telling `observe` the source's position.

        Stopped at any moment and run again, it ends with the same rows stored.

        Raises:
            Unavailable: the store went away for longer than a restart takes.
        """
        started = time.monotonic()
        reject_path = self._reject_folder / f"{plan.path.name}.{plan.kind}.rejects.jsonl"
        digest = digest_of(plan.path, plan.how)
        is_looked_up = plan.is_skipped_when_known and not self._again
        earlier = self._ledger.find(self._tenant, digest) if is_looked_up else None
        if earlier is None:
            with RejectFile(reject_path, plan.path) as rejects:
                BulkWriter(plan.convert, plan.store, rejects, _WRITERS).run(
                    plan.source, tally, observe
                )
        outcome = ImportOutcome(
            plan.path, plan.kind, tally, time.monotonic() - started, reject_path, earlier
        )
        if plan.is_skipped_when_known and earlier is None and not outcome.failed:
            self._ledger.record(self._tenant, digest, _entry(outcome))
        return outcome


def _entry(outcome: ImportOutcome) -> dict[str, Any]:
    return {
        "file": str(outcome.path),
        "kind": outcome.kind,
        "finished_ms": int(time.time() * 1000),
        "landed": outcome.tally.landed,
        "duplicate": outcome.tally.duplicate,
        "rejected": outcome.tally.rejected,
        "skipped": dict(outcome.tally.skipped),
    }
