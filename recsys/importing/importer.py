"""Importing one file: once, and with an account of every row."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.clock import utc_now_ms
from recsys.core.errors import DamagedFile, TooManyRejected
from recsys.core.times import future_problem
from recsys.importing.bulk_writer import BulkWriter, Tally
from recsys.importing.ledger import ImportLedger, digest_of
from recsys.importing.plan import ImportPlan
from recsys.importing.rejects import RejectFile

# A file of which most rows break rules is not what was meant, whatever its other rows say.
MAX_REJECTED = 0.5
# An event of tomorrow is none yet; a file that has some is to be imported again.
_NOT_YET = str(future_problem(math.inf, 0))


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """Result of importing one file.

    Attributes:
        path: the file.
        kind: "events" or "items".
        tally: rows read, and what became of each.
        seconds: how long it took.
        reject_path: where the rejected rows are.
        max_rejected: the share of rows that may be.
        earlier: when the file was imported before and therefore left alone, what was recorded then.
        ended: why the rest of the file was not read.
    """

    path: Path
    kind: str
    tally: Tally
    seconds: float
    reject_path: Path
    max_rejected: float
    earlier: dict[str, Any] | None = None
    ended: DamagedFile | TooManyRejected | None = None

    @property
    def has_too_many_rejected(self) -> bool:
        """More rows were rejected than may be: most likely the file is not what was meant."""
        too_many = self.tally.rejected_share() > self.max_rejected
        return too_many or isinstance(self.ended, TooManyRejected)

    @property
    def is_finished(self) -> bool:
        """Importing the file again would store nothing else."""
        awaits = any(_NOT_YET in reason for reason in self.tally.rejected)
        return not (self.ended or self.has_too_many_rejected or awaits)


class Importer:
    """Imports files of one tenant.

    Args:
        tenant: whose they are.
        ledger: what has been imported before.
        reject_folder: where reject files go; each is named after its source.
        again: import even what the ledger knows.
        max_rejected: the share of a file's rows that may be rejected.
    """

    def __init__(
        self,
        tenant: str,
        ledger: ImportLedger,
        reject_folder: Path,
        *,
        again: bool = False,
        max_rejected: float = MAX_REJECTED,
    ) -> None:
        self._tenant = tenant
        self._ledger = ledger
        self._reject_folder = reject_folder
        self._again = again
        self._max_rejected = max_rejected

    def run(
        self, plan: ImportPlan[Any], tally: Tally, observe: Callable[[int], None]
    ) -> ImportOutcome:
        """Import a file, keeping `tally` up to date and telling `observe` the source's position.

        Stopped at any moment and run again, it ends with the same rows stored.

        Raises:
            Unavailable: the store went away for longer than a restart takes.
        """
        started = time.monotonic()
        rejects = RejectFile(self._reject_folder, plan.kind, self._tenant, plan.path)
        digest = digest_of(plan.path, plan.how)
        is_looked_up = plan.is_skipped_when_known and not self._again
        earlier = self._ledger.find(self._tenant, digest) if is_looked_up else None
        ended = self._write(plan, rejects, tally, observe) if earlier is None else None
        outcome = ImportOutcome(
            path=plan.path,
            kind=plan.kind,
            tally=tally,
            seconds=time.monotonic() - started,
            reject_path=rejects.path,
            max_rejected=self._max_rejected,
            earlier=earlier,
            ended=ended,
        )
        if plan.is_skipped_when_known and earlier is None and outcome.is_finished:
            self._ledger.record(self._tenant, digest, _entry(outcome))
        return outcome

    def _write(
        self,
        plan: ImportPlan[Any],
        rejects: RejectFile,
        tally: Tally,
        observe: Callable[[int], None],
    ) -> DamagedFile | TooManyRejected | None:
        """Import the rows; why the rest was not read, if so."""
        stops_early = self._max_rejected < 1
        try:
            with rejects:
                BulkWriter(
                    plan.reader, plan.store, rejects, plan.writers, stops_early=stops_early
                ).run(plan.source, tally, observe)
        except (DamagedFile, TooManyRejected) as ended:
            return ended
        return None


def _entry(outcome: ImportOutcome) -> dict[str, Any]:
    return {
        "file": str(outcome.path),
        "kind": outcome.kind,
        "finished_ms": utc_now_ms(),
        "read": outcome.tally.read,
        "stored": outcome.tally.stored,
        "duplicate": outcome.tally.duplicate,
        "rejected": outcome.tally.rejected.total(),
        "skipped": dict(outcome.tally.skipped),
    }
