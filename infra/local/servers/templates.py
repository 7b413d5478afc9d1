"""Fill in the configuration templates of `infra/`, and write files whole."""

from pathlib import Path
from string import Template

from infra.local.settings import REPOSITORY
from recsys.files import write_whole


def fill(template: str, values: dict[str, object]) -> str:
    """The template file `template` (a path under `infra/`) with every `${name}` replaced.

    Raises KeyError if the template names a value that is not given.
    """
    text = (REPOSITORY / "infra" / template).read_text(encoding="utf-8")
    return Template(text).substitute({name: str(value) for name, value in values.items()})


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Put `text` at `path` whole: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text, mode)
