"""Progress on the terminal while the stack comes up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from infra.local.hbase_distribution.jars import Progress as OnBytes


class Reporter:
    """One line for each step: what is waited for, then how long it took."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(quiet=quiet, highlight=False)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        with self._console.status(f"{name} ..."):
            yield
        self.done(name, time.monotonic() - started)

    @contextmanager
    def waiting(self, names: list[str]) -> Iterator[None]:
        with self._console.status(f"waiting for {', '.join(names)} ..."):
            yield

    def done(self, name: str, seconds: float) -> None:
        self._console.print(f"[green]✓[/] {name:<28}[dim]{seconds:6.1f} s[/]")

    def note(self, text: str) -> None:
        self._console.print(f"[yellow]![/] {escape(text)}")

    @contextmanager
    def download(self, name: str, total_bytes: int) -> Iterator[OnBytes]:
        """A bar; the yielded function is told of bytes that have come."""
        columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        started = time.monotonic()
        silent = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=silent) as bar:
            task = bar.add_task(name, total=total_bytes)
            yield lambda size: bar.advance(task, size)
        self.done(name, time.monotonic() - started)
