"""The demo: a real shop's history in, recommendations out."""

import os
import subprocess
import sys
import time
from pathlib import Path

from infra.local.demo.showcase import Showcase
from infra.local.errors import StackError
from infra.local.servers.keys import ensure_demo_key
from infra.local.stack import Stack

_DATA = Path(__file__).parents[1] / "data" / "online_retail_ii.parquet"
_PRESET = ("--preset", "online-retail")
# The day after the shop's last one, so that what the demo posts today is not trained on; and the
# last hundred days as the future to judge by.
_WINDOW = ("--end", "2011-12-10", "--holdout-days", "100")


def run_demo(stack: Stack) -> None:
    """Bring the stack up, load, train, and show what it recommends; done parts are passed over.

    Raises StackError when a part fails; running again goes on where it stopped.
    """
    started = time.monotonic()
    stack.up()
    _recsys(stack, "import", "items", *_PRESET, str(_DATA))
    _recsys(stack, "import", "events", *_PRESET, str(_DATA))
    _recsys(stack, "nightly", *_WINDOW)
    key = ensure_demo_key(stack.settings)
    with Showcase(stack, key) as showcase:
        showcase.known_customer()
        showcase.similar_items()
        showcase.placement_with_a_filter()
        showcase.unknown_shopper_then_one_event()
        showcase.ways_in(time.monotonic() - started)


def _recsys(stack: Stack, *arguments: str) -> None:
    """Run the command line as an operator would, its progress in full view."""
    print(f"\n$ recsys {' '.join(arguments)}", flush=True)
    command = [str(Path(sys.executable).with_name("recsys")), *arguments]
    # Reject files, and whatever else a command writes beside itself, stay with the stack.
    finished = subprocess.run(
        command,
        env=os.environ | stack.environment() | {"RECSYS_TENANT": "demo"},
        cwd=stack.settings.home,
        check=False,
    )
    if finished.returncode:
        raise StackError(
            f"`recsys {' '.join(arguments)}` failed, see above; run `make demo` again to go on"
        )
