"""The deployment files, read: compose.yaml, the Dockerfiles and what a build may see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
COMPOSE_FILE = ROOT / "infra" / "compose" / "compose.yaml"
DOCKERFILES = sorted((ROOT / "infra" / "docker").glob("*.Dockerfile"))

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


def load_compose() -> dict[str, Any]:
    """compose.yaml as Compose reads it in an environment that sets none of its variables."""
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(_default, text))
    return loaded


def variables() -> dict[str, str | None]:
    """Every variable compose.yaml takes from the operator, with its default."""
    found = _VARIABLE.finditer(COMPOSE_FILE.read_text(encoding="utf-8"))
    return {match["name"]: match["default"] for match in found}


def seconds(duration: str) -> float:
    match = re.fullmatch(r"(\d+)(s|m)", duration)
    assert match, f"{duration} is not seconds or minutes"
    return int(match[1]) * {"s": 1, "m": 60}[match[2]]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile, continued lines joined."""

    name: str
    arguments: str

    @property
    def words(self) -> list[str]:
        """The arguments that are no options."""
        return [word for word in self.arguments.split() if not word.startswith("--")]

    def option(self, name: str) -> str | None:
        match = re.search(rf"--{name}=(\S+)", self.arguments)
        return match[1] if match else None


def instructions(dockerfile: Path) -> Iterator[Instruction]:
    lines = dockerfile.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, arguments = line.strip().partition(" ")
            yield Instruction(name, arguments.strip())


def stages(dockerfile: Path) -> dict[str, str]:
    """Name (or number) of each stage, and the image or stage it begins with."""
    found: dict[str, str] = {}
    for instruction in instructions(dockerfile):
        if instruction.name == "FROM":
            base, *name = re.split(r"\s+AS\s+", instruction.arguments)
            found[name[0] if name else str(len(found))] = base
    return found


def sources(dockerfile: Path) -> Iterator[str]:
    """Every path that the Dockerfile takes from the build's context."""
    for instruction in instructions(dockerfile):
        if instruction.name == "COPY" and not instruction.option("from"):
            yield from instruction.words[:-1]
        yield from re.findall(r"--mount=type=bind,source=([^,\s]+)", instruction.arguments)


def in_context(path: str) -> bool:
    """Tell whether .dockerignore, a list of exceptions to `*`, lets `path` through."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = [line.removeprefix("!") for line in lines if line.startswith("!")]
    return any(path == entry or path.startswith(f"{entry}/") for entry in kept)


def _default(match: re.Match[str]) -> str:
    assert match["default"] is not None, f"{match['name']} has no default"
    return match["default"]
