"""`jars.lock`: which jars HBase needs, and the digest each must have."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LOCK_FILE = Path(__file__).with_name("jars.lock")

_LINE = re.compile(
    r"(?P<sha256>[0-9a-f]{64}) +(?P<size>[0-9]+) +(?P<path>[\w.+-]+(/[\w.+-]+)+\.jar)"
)


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar: its path in a Maven repository, the sha256 (hex) and the size in bytes."""

    path: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[1]


def format_lock(jars: Iterable[Jar]) -> str:
    return "".join(f"{jar.sha256} {jar.size:>9} {jar.path}\n" for jar in jars)


def parse_lock(text: str) -> tuple[Jar, ...]:
    """The jars named in `text`, one a line; comments (`#`) and empty lines are skipped.

    Raises ValueError naming the line that is not a jar, or is a second jar of the same file name.
    """
    jars: dict[str, Jar] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None or ".." in match["path"]:
            raise ValueError(f"line {number} is not `sha256 size path`: {line!r}")
        jar = Jar(match["path"], match["sha256"], int(match["size"]))
        if jar.name in jars:
            raise ValueError(f"line {number} names {jar.name} a second time")
        jars[jar.name] = jar
    return tuple(jars.values())


def read_lock() -> tuple[Jar, ...]:
    return parse_lock(LOCK_FILE.read_text(encoding="utf-8"))


def lock_digest(jars: Iterable[Jar]) -> str:
    """One name for the whole set, so that a cache can say which set it holds."""
    return hashlib.sha256(format_lock(jars).encode()).hexdigest()[:16]
