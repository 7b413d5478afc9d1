"""Table of a stack's processes: their state, memory and health."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from rich.box import SIMPLE
from rich.table import Table

_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One line of the table.

    Attributes:
        state: of the process; "external" for a server of the user's own, "not started" for what
            nobody asked to run.
        problem: why it does not do its work; None if it does, or was not asked to.
    """

    name: str
    state: str
    where: str
    pid: int = 0
    started_at: int = 0
    problem: str | None = None

    @property
    def rss_bytes(self) -> int:
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.pid else 0
        except psutil.Error:
            return 0


NOT_STARTED = "not started"


def is_healthy(rows: Sequence[ProcessStatus]) -> bool:
    """Does something run, and all that was started do its work?"""
    running = [row for row in rows if row.state not in (NOT_STARTED, "external")]
    return bool(running) and not any(row.problem for row in rows)


def as_table(rows: Sequence[ProcessStatus], now: float | None = None) -> Table:
    table = Table("process", "state", "pid", "uptime", "RSS MiB", "port", "health", box=SIMPLE)
    moment = time.time() if now is None else now
    sizes = [row.rss_bytes for row in rows]
    for row, size in zip(rows, sizes, strict=True):
        table.add_row(
            row.name,
            row.state,
            str(row.pid or ""),
            str(timedelta(seconds=int(moment - row.started_at))) if row.pid else "",
            f"{size / _MIB:.0f}" if size else "",
            row.where if row.where.isdecimal() else "",
            _health(row),
        )
    table.add_section()
    table.add_row("total", "", "", "", f"{sum(sizes) / _MIB:.0f}", "", "")
    return table


def as_entries(rows: Sequence[ProcessStatus]) -> list[dict[str, Any]]:
    """The rows for JSON; what a process has not, because it does not run, is None."""
    return [
        {
            "name": row.name,
            "state": row.state,
            "address": row.where,
            "pid": row.pid or None,
            "start_time": datetime.fromtimestamp(row.started_at, UTC) if row.pid else None,
            "rss_bytes": row.rss_bytes or None,
            "problem": row.problem,
        }
        for row in rows
    ]


def problems(rows: Sequence[ProcessStatus]) -> list[str]:
    return [f"{row.name} ({row.where}): {row.problem}" for row in rows if row.problem]


def _health(row: ProcessStatus) -> str:
    if row.state == NOT_STARTED:
        return ""
    return "[red]failing[/]" if row.problem else "[green]ok[/]"
