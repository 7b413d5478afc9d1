"""The resident memory of processes over time, and whether it stays flat."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from benchmarks.serving.chains import pids_of
from infra.local.settings import Settings

# Growth beyond this share, once settled, is no noise of an allocator.
ALLOWED_GROWTH = 0.05
# A JVM takes what its options allow, a store keeps what it is given.
_NOT_JUDGED = re.compile(r"hbase|redis")
_MIB = 2**20

# In bytes, by the names of processes.
Sizes = Mapping[str, int]


@dataclass
class Resident:
    """Sizes of processes, look after look.

    Attributes:
        settled_after: as many looks are the time in which caches and pools fill.
        restarted: names of processes that do not live through all of it.
    """

    settled_after: int
    restarted: frozenset[str] = frozenset()
    looks: list[Sizes] = field(default_factory=list)

    def add(self, sizes: Sizes) -> None:
        self.looks.append(sizes)

    def growing(self) -> list[str]:
        """Names of the judged processes that were not flat."""
        return [name for name in self._judged() if self._growth(name) > ALLOWED_GROWTH]

    def table(self, marks: Mapping[str, int]) -> str:
        """A line a process, in MiB.

        Args:
            marks: which looks to show, by their titles.
        """
        head = ["process", *marks, "most once settled", "growth", ""]
        names = sorted(set().union(*self.looks))
        lines = [_row(head), "|---" * len(head) + "|"]
        lines += [_row([name, *self._cells(name, marks)]) for name in names]
        return "\n".join(lines)

    def _judged(self) -> list[str]:
        always = set(self.looks[0]).intersection(*self.looks) - self.restarted
        return sorted(name for name in always if not _NOT_JUDGED.match(name))

    def _cells(self, name: str, marks: Mapping[str, int]) -> list[str]:
        shown = [_mib(self.looks[place].get(name)) for place in marks.values()]
        if name not in self._judged():
            why = "restarted again and again" if name in self.restarted else "not judged"
            return [*shown, "", "", why]
        growth = self._growth(name)
        verdict = "flat" if growth <= ALLOWED_GROWTH else "GROWS"
        most = max(look[name] for look in self.looks[self.settled_after :])
        return [*shown, _mib(most), f"{100 * growth:+.1f} %", verdict]

    def _growth(self, name: str) -> float:
        """By how much the most once settled exceeds the most before."""
        sizes = [look[name] for look in self.looks]
        return max(sizes[self.settled_after :]) / max(sizes[: self.settled_after]) - 1


def of_stacks(*stacks: Settings) -> Sizes:
    """Measure what the processes of these stacks take now."""
    sizes: dict[str, int] = {}
    for settings in stacks:
        for name, pid in pids_of(settings).items():
            with suppress(psutil.NoSuchProcess):
                sizes[name] = psutil.Process(pid).memory_info().rss
    return sizes


def _mib(size: int | None) -> str:
    return "" if size is None else f"{size / _MIB:,.0f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
