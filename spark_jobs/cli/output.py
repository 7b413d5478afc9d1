"""What the command line prints: progress on stderr, results, fit for a pipe, on stdout."""

from rich.console import Console
from rich.table import Table

progress = Console(stderr=True, highlight=False)
results = Console(highlight=False)


def say(text: str) -> None:
    """One line of progress."""
    progress.print(text, markup=False)


def show(columns: list[str], rows: list[list[str]]) -> None:
    """A table of results."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    results.print(table)
