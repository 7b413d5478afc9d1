"""MLlib's ALS behind the interface of the other baselines, on a real session."""

import numpy as np
import pytest

from recsys.evaluation.score_functions import masked
from recsys.training.event_log import pairs_of
from spark_jobs.mllib_baseline import mllib_als
from spark_jobs.nightly import run
from spark_jobs.settings import BatchSettings
from tests.builders import an_event_log, checkerboard
from tests.integration.nightly_shop import Nightly


@pytest.fixture
def settings(nightly: Nightly) -> BatchSettings:
    return nightly.settings


def test_mllib_finds_the_square_left_out(settings: BatchSettings) -> None:
    squares = [(f"u{user:02}", f"i{item:02}") for user, item in np.argwhere(checkerboard(12) > 0)]
    # Behaviour that cancels out: MLlib makes no factors of it, but the rows are there.
    values = [1.0] * len(squares) + [1, -1]
    pairs = pairs_of(an_event_log([*squares, *[("v", "j")] * 2], values), 10.0, 1.0)
    with run.spark_session(settings, "mllib") as spark:
        score = masked(mllib_als(spark)(pairs), pairs, np.ones(len(pairs.items), np.bool_))
    scores = score(np.arange(len(pairs.users)))
    assert scores[:12].argmax(axis=1).tolist() == list(range(12))
    assert not scores[12, :12].any()
