"""CPU time of training beside `implicit` and Spark MLlib: `python -m benchmarks.bench_train -h`.

Makes up a shop and trains on it for a few iterations, each trainer in a process of its own, on the
same cores, in turns. Against each peer, this project's ALS minimises what the peer minimises and
begins where the peer begins, so that their losses can be compared. Then lists for all users are
made from the factors. Every figure is the median of several rounds; only ratios mean something
beyond the machine.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.machine import machine
from benchmarks.peers.exchange import run
from benchmarks.peers.java import java_home
from benchmarks.training_race import OURS, RUN_TIMEOUT_SECONDS, Figures, Race, Track, race
from recsys.training.synthetic import SyntheticShop


def bench(track: Track, peers: Sequence[str], factors: int, rounds: int) -> None:
    """Print the tables of one number of factors."""
    track.lay(factors)
    races = [race(track, peer, factors, rounds) for peer in peers]
    show(
        f"| k={factors} | CPU s an iteration | times ours | loss after {track.iterations} "
        "| peak MiB |",
        [row for one in races for row in one.rows(track)],
    )
    mllib = next((one for one in races if one.peer == "mllib"), None)
    if mllib:
        print(f"\n{about_mllib(mllib.theirs[-1])}")
    show(
        f"| lists of 100, k={factors} | CPU us a user | times ours | of sgemm's rate |",
        list_rows(track, factors, rounds, mllib),
    )


def list_rows(track: Track, factors: int, rounds: int, mllib: Race | None) -> list[str]:
    options = {
        "strengths": track.strengths_file,
        "trained": track.trained(OURS, "implicit", factors),
        "rounds": rounds,
    }
    figures = run("benchmarks.top_n", options, RUN_TIMEOUT_SECONDS)
    users = track.strengths.shape[0]
    product, ours, hybrid = (
        median(figures[name]) / users for name in ("product", "factors", "hybrid")
    )
    seconds = {
        f"numpy's sgemm alone, {figures['block']} users a block": product,
        "this project, by factors": ours,
        "this project, by factors and neighbours": hybrid,
    }
    if mllib:
        seconds["MLlib's recommendForUserSubset"] = median(map(seconds_per_list, mllib.theirs))
    return [
        f"| {title} | {1e6 * cost:,.1f} | {cost / ours:.1f} | {product / cost:.0%} |"
        for title, cost in seconds.items()
    ]


def seconds_per_list(figures: Figures) -> float:
    """Cost of one more user in MLlib, without the fixed cost of any number of them."""
    (few, few_cost), (many, many_cost) = (
        (int(users), cost) for users, cost in figures["recommend_cpu_seconds"].items()
    )
    return float((many_cost - few_cost) / (many - few))


def about_mllib(figures: Figures) -> str:
    return (
        f"MLlib {figures['version']} on Java {figures['java']} computed with {figures['blas']} and "
        f"shuffled {figures['shuffled_bytes'] / 2**20:,.1f} MiB an iteration."
    )


def show(head: str, rows: Sequence[str]) -> None:
    rule = "|---" * (head.count("|") - 1) + "|"
    print("\n".join(["", head, rule, *rows]), flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--interactions", type=int, default=5_000_000)
    parser.add_argument("--factors", default="64,128", help="numbers of factors (default: 64,128)")
    parser.add_argument("--iterations", type=int, default=3, help="a training (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="trainings each (default: 3)")
    parser.add_argument("--skip-mllib", action="store_true", help="needs no Java")
    arguments = parser.parse_args()
    if arguments.iterations < 2 or arguments.rounds < 1:
        parser.error("--iterations must be at least 2 and --rounds at least 1")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    peers = ["implicit"]
    if not arguments.skip_mllib:
        java_home()  # says at once, not after half of the work, that a Java will not do
        peers.append("mllib")
    shop = SyntheticShop(arguments.users, arguments.items, arguments.interactions)
    print(f"{shop.users:,} users, {shop.items:,} items, {shop.interactions:,} pairs")
    print(f"{machine()}, medians of {arguments.rounds} rounds", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        track = Track(Path(folder), shop.strengths(), arguments.iterations)
        for factors in map(int, arguments.factors.split(",")):
            bench(track, peers, factors, arguments.rounds)


if __name__ == "__main__":
    main()
