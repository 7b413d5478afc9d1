"""The history of shops' settings, from what services have logged about them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.config.shops import EXPERIMENTS_EVENT, RULES_EVENT, SETTINGS_EVENT

_Line = Mapping[str, Any]
_EVENTS = (SETTINGS_EVENT, RULES_EVENT, EXPERIMENTS_EVENT)


@dataclass
class HeldSettings:
    """One file of a shop's settings, and since when it held.

    Attributes:
        since: when the first process took it, RFC 3339.
        digest, owner, written: of the file.
        changed: what differed from the file before; None where only processes began with it.
        processes: that took it.
        details: rules and experiments that went and came, a text each.
    """

    since: str
    tenant: str
    digest: str
    owner: str
    written: str
    changed: Sequence[str] | None
    processes: set[str] = field(default_factory=set)
    details: list[str] = field(default_factory=list)

    @property
    def what(self) -> str:
        if self.changed is None:
            return "there at a start"
        return ", ".join(self.changed) or "no setting"


def history(lines: Iterable[str], tenant: str | None) -> list[HeldSettings]:
    """The settings that held, the oldest first; what several processes took is there once.

    Args:
        lines: of the logs of services, of any of them and in any order; others are passed over.
        tenant: None for all shops.
    """
    told = [line for line in map(_read, lines) if line is not None]
    told.sort(key=lambda line: str(line["timestamp"]))
    found = list[HeldSettings]()
    # Of each process and shop: what its next lines are about.
    current = dict[tuple[str, str], HeldSettings]()
    for line in told:
        if tenant is not None and line["tenant"] != tenant:
            continue
        process = f"{line.get('service')} on {line.get('instance')}"
        if line["event"] == SETTINGS_EVENT:
            held = _held(line, found)
            held.processes.add(process)
            if held.changed is None:
                held.changed = line["changed"]
            current[process, line["tenant"]] = held
        elif about := current.get((process, line["tenant"])):
            details = list(_details(line))
            about.details += [each for each in details if each not in about.details]
    return found


def _held(line: _Line, found: list[HeldSettings]) -> HeldSettings:
    """The settings that a line is about, those that another process has told of or new ones."""
    of_shop = [each for each in found if each.tenant == line["tenant"]]
    # A file that comes back after another one begins anew.
    if of_shop and of_shop[-1].digest == line["digest"]:
        return of_shop[-1]
    found.append(
        HeldSettings(
            since=line["timestamp"],
            tenant=line["tenant"],
            digest=line["digest"],
            owner=line["owner"],
            written=line["written"],
            changed=line["changed"],
        )
    )
    return found[-1]


def _details(line: _Line) -> Iterable[str]:
    kind = "rule" if line["event"] == RULES_EVENT else "experiment"
    for sign, side in (("-", "old"), ("+", "new")):
        for each in line[side]:
            rest = {name: value for name, value in each.items() if name != "name"}
            yield f"{sign} {kind} {each['name']}: {json.dumps(rest)}"


def _read(text: str) -> _Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and line.get("event") in _EVENTS else None
