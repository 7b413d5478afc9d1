"""Which files a command line names."""

import io
import os
import threading
from pathlib import Path

import pytest

from recsys.core.errors import ConfigurationError
from recsys.importing.named_files import named_files


def test_a_folder_is_its_data_files(tmp_path: Path) -> None:
    for name in ("part-1.snappy.parquet", "part-0.csv.gz", "_SUCCESS", ".part-0.csv.crc", "x.txt"):
        (tmp_path / name).touch()
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "0.json").touch()

    with named_files([str(tmp_path)]) as paths:
        assert [path.name for path in paths] == ["part-0.csv.gz", "part-1.snappy.parquet"]


def test_a_pattern_is_the_files_it_matches(tmp_path: Path) -> None:
    for name in ("a1.csv", "a2.csv", "b.csv"):
        (tmp_path / name).touch()

    with named_files([f"{tmp_path}/a*.csv"]) as paths:
        assert [path.name for path in paths] == ["a1.csv", "a2.csv"]


@pytest.mark.parametrize("name", ["", "/*.csv", "/**"])
def test_a_part_whose_link_leads_nowhere_is_not_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").symlink_to("nowhere")

    with pytest.raises(FileNotFoundError, match=r"b\.csv"), named_files([f"{tmp_path}{name}"]):
        pass


def test_standard_input_is_a_file_while_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"id\n1\n")))

    with named_files(["-"]) as paths:
        assert [path.read_bytes() for path in paths] == [b"id\n1\n"]
    assert not paths[0].exists()


def test_a_pipe_is_a_file_while_it_is_needed(tmp_path: Path) -> None:
    pipe = tmp_path / "events.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"id\n1\n",))
    writer.start()

    with named_files([str(pipe)]) as paths:
        assert [(path.name, path.read_bytes()) for path in paths] == [("events.csv", b"id\n1\n")]
    writer.join()
    assert pipe.is_fifo()


def test_a_name_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"), named_files(["x*.csv"]):
        pass
