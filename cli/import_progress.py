"""Progress bar, final report and preview of an import."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.output import progress as console
from cli.output import say
from recsys.core.times import utc_datetime
from recsys.core.wording import pluralize
from recsys.importing.bulk_writer import Tally
from recsys.importing.dry_run import Preview
from recsys.importing.importer import ImportOutcome
from recsys.importing.plan import ImportPlan

# Between lines that stand in for the bar.
LINE_SECONDS = 30.0
# Reasons to show of a file; the reject file has all.
_MAX_REASONS = 10


@contextmanager
def watched(plan: ImportPlan[Any], tally: Tally) -> Iterator[Callable[[int], None]]:
    """Show a bar with the rows stored and the time left; yields what takes the position.

    Where nobody watches, as in a log, a bar is nothing but its end: a line now and then instead.
    """
    name, size = f"{plan.kind} of {plan.path.name}", plan.source.size
    if not console.is_terminal:
        yield progress_lines(name, size, tally)
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[stored]:,} rows"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
    )
    with bar:
        task = bar.add_task(name, total=size, stored=0)
        yield lambda position: bar.update(task, completed=position, stored=tally.stored)


def progress_lines(
    name: str, size: int, tally: Tally, every_seconds: float = LINE_SECONDS
) -> Callable[[int], None]:
    """Say how far an import is every so often; what takes the position."""
    said = time.monotonic()

    def observe(position: int) -> None:
        nonlocal said
        if time.monotonic() - said >= every_seconds:
            said = time.monotonic()
            share = f"{position / size:.0%}, " if size else ""
            say(f"{name}: {share}{pluralize(tally.stored, 'row')}")

    return observe


def report(outcome: ImportOutcome) -> None:
    """Report the result of a file: its rows, and what became of each."""
    name, tally = outcome.path.name, outcome.tally
    if outcome.earlier:
        finished = utc_datetime(outcome.earlier["finished_ms"])
        say(
            f"{name}: already imported on {finished:%Y-%m-%d %H:%M} UTC "
            f"({_counts(outcome.earlier)}); skipped. Use --again to import it again."
        )
        return
    rate = tally.read / max(outcome.seconds, 0.001)
    say(
        f"{name}: {pluralize(tally.read, 'row')} read in {outcome.seconds:.1f} s"
        f" ({rate:,.0f} rows/s), {_records(tally.stored, outcome.kind)} stored"
    )
    if not tally.read and not outcome.ended:
        say("  the file has no rows: is the export whole?")
    if tally.merged:
        say(f"  {tally.merged:,} merged into items of earlier rows")
    if tally.duplicate:
        say(f"  {tally.duplicate:,} duplicate: the same event is already stored")
    _report_rows(tally)
    if tally.rejected:
        say(f"  see {outcome.reject_path} for the rejected rows")
    if outcome.ended:
        rows = pluralize(tally.read, "row was", "rows were")
        say(f"error: {outcome.ended}; {rows} read, {tally.stored:,} stored")
    elif outcome.has_too_many_rejected:
        say(f"error: more than --max-rejected {outcome.max_rejected:g} of {name} was rejected")


def report_undone(plan: ImportPlan[Any], tally: Tally, *, was_known: bool) -> None:
    """Report what undoing the import of a file removed."""
    rows, records = pluralize(tally.read, "row"), _records(tally.stored, plan.kind)
    say(f"{plan.path.name}: {rows} read, {records} removed")
    if tally.duplicate:
        say(f"  {pluralize(tally.duplicate, 'row')} without an imported event of their own")
    if not was_known and not tally.stored:
        say(
            "error: nothing to undo: no import of this file by these options is known, and none of"
            " its rows is an imported event; give the options that it was imported by"
        )
    elif not was_known:
        say("  no finished import of this file by these options is known: are they the same?")
        say("  import it by those with --again where they are not: part of it is gone now")
    if tally.stored:
        say("  the next `recsys nightly` trains without them")


def show_preview(plan: ImportPlan[Any], found: Preview) -> None:
    """Show how a file would be read, on stdout."""
    tally = found.tally
    rows = pluralize(tally.read, "row")
    print(f"{plan.path.name}: {rows}, {found.stored:,} would be stored as {plan.kind}")
    for name, column in sorted(plan.reader.columns.items()):
        print(f"  {column} -> {name}")
    if plan.reader.unused:
        print(f"  unused: {', '.join(plan.reader.unused)}")
    for kind, count in found.types.most_common():
        print(f"  {count:,} {kind}")
    if found.first_ms is not None and found.last_ms is not None:
        print(f"  from {_moment(found.first_ms)} to {_moment(found.last_ms)}")
    if found.users:
        print(f"  {pluralize(len(found.users), 'user')}")
    print(f"  {pluralize(len(found.items), 'item')}")
    if found.duplicate:
        print(f"  {found.duplicate:,} duplicate: the event of an earlier row")
    for line in _row_lines(tally):
        print(line)
    for warning in found.warnings():
        print(f"  warning: {warning}")


def preview_document(plan: ImportPlan[Any], found: Preview) -> dict[str, Any]:
    """What `show_preview` shows, with all reasons."""
    tally = found.tally
    first, last = (
        None if each is None else utc_datetime(each) for each in (found.first_ms, found.last_ms)
    )
    return {
        "file": str(plan.path),
        "kind": plan.kind,
        "rows": tally.read,
        "would_be_stored": found.stored,
        "columns": dict(sorted(plan.reader.columns.items())),
        "unused_columns": list(plan.reader.unused),
        "event_types": dict(found.types.most_common()),
        "first_time": first,
        "last_time": last,
        "users": len(found.users),
        "items": len(found.items),
        "duplicate": found.duplicate,
        "skipped": dict(tally.skipped.most_common()),
        "rejected": dict(tally.rejected.most_common()),
        "values_left_out": dict(tally.dropped.most_common()),
        "warnings": found.warnings(),
    }


def _report_rows(tally: Tally) -> None:
    for line in _row_lines(tally):
        say(line)


def _row_lines(tally: Tally) -> Iterator[str]:
    """Rows that were not taken, and values that were not, by reason."""
    for reason, count in tally.skipped.most_common():
        yield f"  {count:,} skipped: {reason}"
    yield from _most_common("rejected", tally.rejected)
    yield from _most_common("values left out", tally.dropped)


def _most_common(what: str, reasons: Counter[str]) -> Iterator[str]:
    for reason, count in reasons.most_common(_MAX_REASONS):
        yield f"  {count:,} {what}: {reason}"
    if len(reasons) > _MAX_REASONS:
        rest = reasons.total() - sum(count for _, count in reasons.most_common(_MAX_REASONS))
        others = pluralize(len(reasons) - _MAX_REASONS, "other reason")
        yield f"  {rest:,} {what} for {others}"


def _records(count: int, kind: str) -> str:
    """Name a number of "events" or "items"."""
    return pluralize(count, kind.removesuffix("s"), kind)


def _moment(time_ms: int) -> str:
    return f"{utc_datetime(time_ms):%Y-%m-%d %H:%M:%S} UTC"


def _counts(entry: dict[str, Any]) -> str:
    return f"{entry['stored']:,} stored, {entry['rejected']:,} rejected"
