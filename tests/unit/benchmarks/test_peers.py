"""Assumptions of the training benchmark that compares peers with this project."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from benchmarks.peers.event_log import shuffled_bytes
from benchmarks.peers.java import java_home
from benchmarks.peers.objective import ALPHA, OBJECTIVES


def job(group: str, *stages: int) -> dict[str, object]:
    properties = {"spark.jobGroup.id": group}
    return {"Event": "SparkListenerJobStart", "Stage IDs": stages, "Properties": properties}


def task(stage: int, written: int) -> dict[str, object]:
    metrics = {"Shuffle Write Metrics": {"Shuffle Bytes Written": written}}
    return {"Event": "SparkListenerTaskEnd", "Stage ID": stage, "Task Metrics": metrics}


def test_shuffled_bytes_count_for_the_job_that_first_asked_for_the_stage(tmp_path: Path) -> None:
    events = [
        {"Event": "SparkListenerApplicationStart"},
        *(job("one", 1, 2), task(1, 10), task(1, 5), task(2, 0)),
        *(job("two", 1, 3), task(3, 7)),
    ]
    log = tmp_path / "events"
    log.write_text("\n".join(map(json.dumps, events)))
    assert shuffled_bytes(log) == {"one": 15, "two": 7}


@pytest.mark.parametrize("peer", OBJECTIVES)
def test_the_loss_of_a_peer_is_its_own_objective(peer: str) -> None:
    random = np.random.default_rng(1)
    strengths = random.integers(0, 3, (6, 5)).astype(np.float32)
    x, y = random.random((6, 2), np.float32), random.random((5, 2), np.float32)
    confidences = np.where(strengths > 0, 1 + ALPHA * strengths, 1)
    fit = np.sum(confidences * ((strengths > 0) - x @ y.T) ** 2)
    if peer == "implicit":
        penalty = 100 * (np.sum(x**2) + np.sum(y**2))
    else:
        pairs = strengths > 0
        penalty = np.sum(pairs.sum(1) * (x**2).sum(1)) + np.sum(pairs.sum(0) * (y**2).sum(1))
    loss = OBJECTIVES[peer].loss(csr_matrix(strengths), x, y)
    assert loss == pytest.approx(fit + penalty, rel=1e-5)


def test_a_java_without_vector_instructions_is_refused_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho java.base@21.0.8\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match=r"no jdk\.incubator\.vector.*--skip-mllib"):
        java_home()
    java.write_text("#!/bin/sh\necho jdk.incubator.vector@21.0.8\n")
    assert java_home() == tmp_path


def test_no_java_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="neither JAVA_HOME nor"):
        java_home()
