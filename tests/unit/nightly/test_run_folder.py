from pathlib import Path

import pytest

from spark_jobs.run_folder import RunFolder


def test_scratch_is_empty_whatever_a_killed_run_left_there(tmp_path: Path) -> None:
    with RunFolder(tmp_path).scratch() as folder:
        kept = folder / "blocks" / "left.npy"
        kept.parent.mkdir()
        kept.touch()
        # The run that was killed never leaves its block; the next one begins here.
        with RunFolder(tmp_path).scratch() as again:
            assert again == folder
            assert not list(again.iterdir())


def test_scratch_is_gone_afterwards_also_when_training_fails(tmp_path: Path) -> None:
    def train() -> None:
        with RunFolder(tmp_path).scratch() as folder:
            (folder / "pairs.parquet").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        train()
    assert not list(tmp_path.iterdir())
