"""The memory that each strategy needs, as formulas, and what this process may still take.

benchmarks/bench_distributed.py checks the formulas.

u users, n items, p pairs, k factors, S shards; a factor has 4 bytes. All are of one Python process,
beside what the interpreter and its libraries take (BASE_BYTES). An executor runs as many of them as
it runs tasks at a time, and its JVM needs, for what passes through it, twice what a task sends.
"""

import re
from dataclasses import dataclass
from pathlib import Path

BASE_BYTES = 300 * 2**20
_FLOAT = 4
# A pair by user and by item, a column index and a strength each.
_PAIR_BOTH_WAYS = 16
# A pair while a matrix is made of it: its row beside, and the table that it was read from.
_PAIR_IN_THE_MAKING = 48
_CONTAINER = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Workload:
    """The size of a training, and how many there are to be.

    Attributes:
        pairs: user-item pairs with a strength.
        factors: k.
    """

    users: int
    items: int
    pairs: int
    factors: int
    trials: int = 1


def single_process_bytes(work: Workload) -> int:
    """Matrix, by user and by item; factors before, turned and after: 48p + 12k(u + n)."""
    factors = 3 * work.factors * (work.users + work.items)
    return BASE_BYTES + _PAIR_IN_THE_MAKING * work.pairs + _FLOAT * factors


def data_parallel_bytes(work: Workload, shards: int) -> int:
    """A shard of users, and all items: 48p/S + 12k u/S + 16k n.

    Of the items: the vectors that came, the sums, and the same as they are sent and received.
    """
    users = _share(work.users, shards)
    factors = work.factors * (3 * users + 4 * work.items)
    return BASE_BYTES + _PAIR_IN_THE_MAKING * _share(work.pairs, shards) + _FLOAT * factors


def model_parallel_bytes(work: Workload, shards: int) -> int:
    """Rows of a side and columns of the other, a shard of each: 48p/S^2 + 32k m/S, m the larger.

    Of the rows: the factors before and after, residual, direction, product, diagonal, and a sum.
    """
    larger = _share(max(work.users, work.items), shards)
    smaller = _share(min(work.users, work.items), shards)
    factors = work.factors * (7 * larger + smaller)
    blocks = _PAIR_IN_THE_MAKING * _share(work.pairs, shards * shards)
    return BASE_BYTES + blocks + _FLOAT * factors


def driver_bytes(work: Workload) -> int:
    """Memory of the driver in data- and model-parallel: the model, and 9 arrays of the items."""
    return BASE_BYTES + _FLOAT * work.factors * (work.users + 10 * work.items)


def _share(whole: int, shards: int) -> int:
    return -(-whole // shards)


def available_bytes(meminfo: Path = Path("/proc/meminfo"), container: Path = _CONTAINER) -> int:
    """Bytes that the machine has left, or the container, where that is less."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text("ascii"), re.MULTILINE)
    machine = 1024 * int(found[1]) if found else 0
    try:
        most = int((container / "memory.max").read_text("ascii"))
        used = int((container / "memory.current").read_text("ascii"))
        statistics = (container / "memory.stat").read_text("ascii")
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return machine
    # Files that were read lately count as used, but make room when it is needed.
    files = re.search(r"^inactive_file (\d+)", statistics, re.MULTILINE)
    used -= int(files[1]) if files else 0
    return min(machine, max(most - used, 0))
