"""The same model on a GPU as on the CPU; runs where there is a GPU, and says why where not."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.evaluation.ranking_metrics import ndcg_at_k
from recsys.training.als import AlsSettings, Device, Trained, gpu, train_als
from recsys.training.als.cuda_device import find_gpu, load_extension
from recsys.training.als.half_step import row_lambdas
from recsys.training.als.loss import als_loss
from recsys.training.synthetic import SyntheticShop
from tests import gpu_twin

K = 20
HELD_OUT = 0.2


@pytest.fixture(scope="module", autouse=True)
def _device() -> None:
    try:
        find_gpu()
    except ConfigurationError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def shop() -> tuple[csr_matrix, csr_matrix]:
    """A shop with tastes to learn, its pairs split into what is trained on and what is held out."""
    pairs = coo_matrix(SyntheticShop(4000, 1500, 160_000).strengths())
    held = np.random.default_rng(2).random(pairs.nnz) < HELD_OUT

    def part(kept: np.ndarray) -> csr_matrix:  # type: ignore[type-arg]
        where = pairs.row[kept], pairs.col[kept]
        return csr_matrix((pairs.data[kept], where), shape=pairs.shape)

    return part(~held), part(held)


def mean_ndcg(trained: Trained, train: csr_matrix, test: csr_matrix) -> float:
    """NDCG@20 of the held-out pairs, all other items ranked."""
    scores = trained.user_factors @ trained.item_factors.T
    scores[train.nonzero()] = -np.inf
    best = np.argsort(-scores, axis=1)[:, :K]
    relevant = np.diff(test.indptr).astype(np.int64)
    judged = relevant > 0
    hits = np.take_along_axis(test.toarray() > 0, best, axis=1)
    return float(ndcg_at_k(hits[judged], relevant[judged]).mean())


@pytest.mark.parametrize("factors", [64, 128, 256])
def test_a_gpu_finds_the_model_that_the_cpu_finds(
    factors: int, shop: tuple[csr_matrix, csr_matrix]
) -> None:
    train, test = shop
    on_cpu, on_gpu = (
        train_als(train, AlsSettings(factors=factors, device=device))
        for device in (Device.CPU, Device.GPU)
    )
    assert (on_gpu.device, on_gpu.backend) == (Device.GPU, "implicit")
    assert {"implicit", "rmm", "cuda", "cuda_driver", "gpu"} <= on_gpu.versions.keys()
    how = AlsSettings(factors=factors)
    lambdas = [row_lambdas(side, on_cpu.alpha, how) for side in (train, train.T.tocsr())]
    losses = [
        als_loss(train, on_cpu.alpha, found.user_factors, found.item_factors, *lambdas)
        for found in (on_cpu, on_gpu)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
    # Not equal: a loss as low can be had by factors that differ where the data says little.
    predicted = [found.user_factors @ found.item_factors.T for found in (on_cpu, on_gpu)]
    assert np.corrcoef(predicted[0].ravel(), predicted[1].ravel())[0, 1] > 0.99
    judged = [mean_ndcg(found, train, test) for found in (on_cpu, on_gpu)]
    assert judged[1] == pytest.approx(judged[0], rel=0.01)


@pytest.mark.parametrize("factors", [1, 33, 64, 512, 1023])
def test_the_device_computes_what_its_twin_computes(factors: int) -> None:
    strengths = SyntheticShop(60, 40, 400).strengths()
    how = AlsSettings(factors=factors, iterations=2, regularization=0.1)
    found, expected = (
        gpu.alternate(cuda, strengths, 2.0, how, lambda _: None)
        for cuda in (load_extension(), gpu_twin)
    )
    for device, twin in zip(found, expected, strict=True):
        assert device == pytest.approx(twin, abs=1e-3)


def test_the_same_seed_gives_the_same_model(shop: tuple[csr_matrix, csr_matrix]) -> None:
    how = AlsSettings(factors=64, iterations=3, device=Device.GPU)
    first, second = (train_als(shop[0], how) for _ in range(2))
    assert np.array_equal(first.user_factors, second.user_factors)
