"""What the command line prints: progress on stderr, results, fit for a pipe, on stdout."""

from collections.abc import Sequence

from rich.console import Console

progress = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line of progress."""
    progress.print(text, markup=False)


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of results, never cut to a terminal's width: ids must be copied whole."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
