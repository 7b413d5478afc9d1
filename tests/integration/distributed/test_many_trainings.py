"""Compute-parallel and hybrid: several models at a time."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from recsys.training.als import AlsSettings, Trained, train_als
from spark_jobs.distributed.compute_parallel import (
    ComputeParallel,
    TrialError,
    TrialFailure,
    run_trials,
    succeeded,
)
from spark_jobs.distributed.hybrid import Hybrid
from spark_jobs.distributed.pairs_source import PairsSource, write_pairs
from spark_jobs.distributed.strategy import TrainingStrategy
from tests.integration.distributed.same_model import SETTINGS, assert_same_model
from tests.integration.distributed.spark_cluster import an_executor_dies, executor_pids

OTHER = replace(SETTINGS, alpha=3.0, iterations=2)


@pytest.mark.parametrize("kind", [ComputeParallel, Hybrid])
def test_each_model_is_that_of_one_process(
    cluster: SparkSession,
    shop: csr_matrix,
    pairs: PairsSource,
    single: Trained,
    tmp_path: Path,
    kind: type[ComputeParallel] | type[Hybrid],
) -> None:
    told: list[tuple[int, int]] = []
    strategy: TrainingStrategy = kind(tmp_path)
    models = strategy.train(
        cluster, pairs, [SETTINGS, OTHER], lambda *progress: told.append(progress)
    )
    assert_same_model(shop, models[0], single)
    assert models[1].alpha == 3.0
    assert_same_model(shop, models[1], train_als(shop, OTHER), OTHER)
    assert {(0, SETTINGS.iterations), (1, OTHER.iterations)} <= set(told)
    assert not list(tmp_path.iterdir()), "what was kept meanwhile is still there"


def test_trainings_of_a_hybrid_advance_side_by_side(
    cluster: SparkSession, pairs: PairsSource, tmp_path: Path
) -> None:
    told: list[int] = []
    Hybrid(tmp_path).train(
        cluster, pairs, [SETTINGS, SETTINGS], lambda trial, _: told.append(trial)
    )
    assert told.index(1) < len(told) - 1 - told[::-1].index(0), "one began after the other ended"


def test_an_executor_killed_in_the_middle_of_a_hybrid_changes_not_one_bit(
    cluster: SparkSession, pairs: PairsSource, tmp_path: Path
) -> None:
    trials = [AlsSettings(factors=16, iterations=3), AlsSettings(factors=16, iterations=4)]
    whole = Hybrid(tmp_path).train(cluster, pairs, trials)
    with an_executor_dies() as progress:
        found = Hybrid(tmp_path).train(cluster, pairs, trials, progress)
    for model, expected in zip(found, whole, strict=True):
        assert np.array_equal(model.user_factors, expected.user_factors)
        assert np.array_equal(model.item_factors, expected.item_factors)


def test_a_trial_whose_executor_is_killed_runs_again_to_the_same_bits(
    cluster: SparkSession, shop: csr_matrix, pairs: PairsSource, tmp_path: Path
) -> None:
    marker = tmp_path / "killed"

    # In here, since executors cannot import this module.
    def fit(settings: AlsSettings) -> NDArray[np.float32]:
        def die_once(iteration: int) -> None:
            if iteration == 2 and not marker.exists():
                marker.touch()
                next(p for p in psutil.Process().parents() if p.name() == "java").kill()
                time.sleep(60)

        return train_als(pairs.matrix(), settings, die_once).item_factors

    before = executor_pids()
    found = succeeded(run_trials(cluster, [SETTINGS, OTHER], fit))
    assert set(executor_pids()) != set(before)
    for settings, factors in zip([SETTINGS, OTHER], found, strict=True):
        assert np.array_equal(factors, train_als(shop, settings).item_factors)


def test_trials_run_on_the_executors_and_answer_in_their_order(cluster: SparkSession) -> None:
    answers = succeeded(run_trials(cluster, [3, 1, 2], lambda trial: (trial, os.getpid())))
    assert [trial for trial, _ in answers] == [3, 1, 2]
    assert os.getpid() not in {pid for _, pid in answers}


def test_a_trial_that_fails_leaves_the_others_their_results(cluster: SparkSession) -> None:
    results = run_trials(cluster, [2, 0, 1], lambda trial: 4 // trial)
    assert [results[0], results[2]] == [2, 4]
    assert isinstance(results[1], TrialFailure)
    assert results[1].reason.startswith("ZeroDivisionError")
    with pytest.raises(TrialError, match="ZeroDivisionError"):
        succeeded(results)


def test_no_trials_give_no_results(cluster: SparkSession) -> None:
    assert run_trials(cluster, [], lambda trial: trial) == []


def test_a_source_gives_back_the_matrix_it_was_made_of(tmp_path: Path) -> None:
    board = csr_matrix(np.array([[0, 0, 0], [1, 0, 2], [0, 0, 0.5]], np.float32))
    found = write_pairs(board, tmp_path / "pairs.parquet").matrix()
    assert np.array_equal(found.toarray(), board.toarray())
