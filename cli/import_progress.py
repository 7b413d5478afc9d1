"""Progress bar and final report of an import."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.output import progress as console
from cli.output import say
from recsys.importing.bulk_writer import Tally
from recsys.importing.importer import ImportOutcome
from recsys.importing.plan import ImportPlan


@contextmanager
def watched(plan: ImportPlan[Any], tally: Tally) -> Iterator[Callable[[int], None]]:
    """Show a bar with the rows stored and the time left; yields what takes the position."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[landed]:,} rows"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
    )
    with bar:
        task = bar.add_task(f"{plan.kind} of {plan.path.name}", total=plan.source.size, landed=0)
        yield lambda position: bar.update(task, completed=position, landed=tally.landed)


def report(outcome: ImportOutcome) -> None:
    """Report the result of a file."""
    name, tally = outcome.path.name, outcome.tally
    if outcome.earlier:
        finished = datetime.fromtimestamp(outcome.earlier["finished_ms"] / 1000, UTC)
        say(
            f"{name}: already imported on {finished:%Y-%m-%d %H:%M} UTC "
            f"({_counts(outcome.earlier)}); skipped. Use --again to import it again."
        )
        return
    rate = tally.landed / max(outcome.seconds, 0.001)
    say(
        f"{name}: {tally.landed:,} {outcome.kind} imported in {outcome.seconds:.1f} s "
        f"({rate:,.0f} rows/s)"
    )
    if tally.duplicate:
        say(f"  {tally.duplicate:,} duplicate: an event with the same event_id is already stored")
    for reason, count in tally.skipped.most_common():
        say(f"  {count:,} skipped: {reason}")
    if tally.rejected:
        say(f"  {tally.rejected:,} rejected; see {outcome.reject_path} for the reasons")


def _counts(entry: dict[str, Any]) -> str:
    return f"{entry['landed']:,} imported, {entry['rejected']:,} rejected"
