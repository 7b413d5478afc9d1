"""One stage of the nightly work on a made-up shop, in a process of its own: time and memory.

A stage reads what those before it left in the folder. Compiling is not counted: it takes the same
few seconds for a shop of any size.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse
from scipy.sparse import csr_matrix

from benchmarks.made_up_model import item_model, user_model
from benchmarks.peers.exchange import load_factors, report, save_factors
from benchmarks.peers.measure import Cost, Laps, peak_bytes
from recsys.core.model import ItemModel, UserModel
from recsys.core.user_batch import UserBatch
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from recsys.training.als import AlsSettings, Device, train_als
from recsys.training.neighbours import NeighbourLists, item_neighbours
from recsys.training.settings import ModelSettings
from recsys.training.synthetic import SyntheticShop
from recsys.training.top_n import top_n_lists
from spark_jobs.nightly.publish_recommendations import LIST_LENGTH, USERS_PER_SHARD

TENANT, VERSION = "bench", "20260101T000000Z-aaaaaaaa"
ITERATIONS = 3
TINY = SyntheticShop(users=100, items=100, interactions=1000)


def make_up(options: argparse.Namespace) -> Cost:
    TINY.strengths()
    laps = Laps()
    strengths = SyntheticShop(options.users, options.items, options.interactions).strengths()
    cost = laps.lap()
    scipy.sparse.save_npz(options.folder / "strengths.npz", strengths, compressed=False)
    return cost


def train(options: argparse.Namespace) -> Cost:
    """The mean of the iterations but the first, whose beginning cannot be seen from outside."""
    settings = AlsSettings(factors=options.factors, iterations=ITERATIONS, device=Device.CPU)
    train_als(TINY.strengths(), settings)
    strengths, laps, costs = read_strengths(options), Laps(), list[Cost]()
    trained = train_als(strengths, settings, lambda _: costs.append(laps.lap()))
    save_factors(options.folder / "factors.npz", trained.user_factors, trained.item_factors)
    return Cost(*np.mean(costs[1:], axis=0).tolist())


def find_neighbours(options: argparse.Namespace) -> Cost:
    neighbours_of(TINY.strengths())
    strengths, laps = read_strengths(options), Laps()
    found = neighbours_of(strengths)
    cost = laps.lap()
    np.savez(options.folder / "neighbours.npz", neighbours=found.items, scores=found.scores)
    return cost


def recommend(options: argparse.Namespace) -> Cost:
    """Lists for all users, by factors and neighbours, a shard of the nightly job at a time."""
    make_lists(*sides(TINY.strengths(), options.factors), range(1))
    items, users = read_sides(options)
    laps = Laps()
    for shard in shards(len(users.ids)):
        make_lists(items, users, shard)
    return laps.lap()


def publish(options: argparse.Namespace) -> Cost:
    """Lists and histories into Redis. Which items are in a list is all the same to it."""
    strengths = read_strengths(options)
    _, users = sides(strengths, factors=1)
    random, laps, costs = np.random.default_rng(1), Laps(), list[Cost]()
    with connect(options.redis) as client:
        published = RedisPublishedModels(client)
        try:
            for shard in shards(len(users.ids)):
                block = made_up_block(users, shard, strengths.shape[1], random)
                laps.lap()
                published.write_users(TENANT, VERSION, block)
                costs.append(laps.lap())
        finally:
            published.retire(TENANT, keep=[])
    return Cost(*np.sum(costs, axis=0).tolist())


STAGES: dict[str, Callable[[argparse.Namespace], Cost]] = {
    "make up": make_up,
    "train, an iteration": train,
    "neighbours": find_neighbours,
    "recommend all": recommend,
    "publish": publish,
}


def read_strengths(options: argparse.Namespace) -> csr_matrix:
    return scipy.sparse.load_npz(options.folder / "strengths.npz")


def neighbours_of(strengths: csr_matrix) -> NeighbourLists:
    eligible = np.ones(strengths.shape[1], np.bool_)
    settings = ModelSettings()
    return item_neighbours(strengths, eligible, settings.neighbours, settings.popularity_exponent)


def sides(strengths: csr_matrix, factors: int) -> tuple[ItemModel, UserModel]:
    """Of a shop that nothing is known of yet but its behaviour."""
    users, items = strengths.shape
    nobody = np.zeros((items, ModelSettings().neighbours), np.int32)
    return (
        item_model(np.ones((items, factors), np.float32), nobody, nobody.astype(np.float32)),
        user_model(np.ones((users, factors), np.float32), strengths),
    )


def read_sides(options: argparse.Namespace) -> tuple[ItemModel, UserModel]:
    x, y = load_factors(options.folder / "factors.npz")
    with np.load(options.folder / "neighbours.npz") as found:
        items = item_model(y, found["neighbours"], found["scores"])
    return items, user_model(x, read_strengths(options))


def shards(users: int) -> Iterator[range]:
    for start in range(0, users, USERS_PER_SHARD):
        yield range(start, min(start + USERS_PER_SHARD, users))


def make_lists(items: ItemModel, users: UserModel, shard: range) -> None:
    weight = ModelSettings().neighbour_weight
    top_n_lists(items, users, np.asarray(shard), weight, LIST_LENGTH)


def made_up_block(
    users: UserModel, shard: range, items: int, random: np.random.Generator
) -> UserBatch:
    indptr, histories = users.histories_of(shard)
    shape = len(shard), LIST_LENGTH
    return UserBatch(
        user_ids=[users.ids.id_of(row) for row in shard],
        items=random.integers(0, items, shape, np.int32),
        scores=random.random(shape, np.float32),
        lengths=np.full(len(shard), LIST_LENGTH),
        indptr=indptr,
        histories=histories,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    for size in ("users", "items", "interactions", "factors"):
        parser.add_argument(f"--{size}", type=int, required=True)
    parser.add_argument("--redis", required=True)
    options = parser.parse_args()
    cost = STAGES[options.stage](options)
    report(**cost._asdict(), peak_bytes=peak_bytes())


if __name__ == "__main__":
    main()
