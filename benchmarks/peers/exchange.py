"""Exchange of matrices, factors and figures between the benchmark and its subprocesses."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Factors = NDArray[np.float32]


def save_factors(path: Path, users: Factors, items: Factors) -> None:
    np.savez(path, users=users, items=items)


def load_factors(path: Path) -> tuple[Factors, Factors]:
    """User factors (u, k) and item factors (n, k), float32."""
    with np.load(path) as arrays:
        return arrays["users"], arrays["items"]


def training_arguments(description: str | None) -> argparse.ArgumentParser:
    """Arguments of every trainer of the benchmark."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--strengths", type=Path, required=True, help="a scipy sparse .npz")
    parser.add_argument("--factors", type=int, required=True)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--start", type=Path, required=True, help=".npz of the first factors")
    parser.add_argument("--trained", type=Path, required=True, help=".npz of the last ones")
    return parser


def report(**figures: object) -> None:
    """Tell the benchmark; to be called last."""
    print(json.dumps(figures), flush=True)


def run(module: str, options: Mapping[str, object], timeout_seconds: float) -> dict[str, Any]:
    """Run a module in a process of its own and return what it reports.

    OpenBLAS is left to itself: settings of the environment, often made for other machines or other
    programs, would slow it down.

    Raises SystemExit with its last words if it fails.
    """
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=kept,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
    )
    if done.returncode:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
