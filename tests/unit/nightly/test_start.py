"""Before its first step a night is not silent either."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest

from recsys.core.errors import Unavailable
from spark_jobs.nightly import run
from spark_jobs.settings import BatchSettings
from spark_jobs.signs_of_life import SignsOfLife

LONG_SECONDS = 30.0


def test_a_start_of_spark_that_takes_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    heard = Event()

    def say(line: str) -> None:
        said.append(line)
        if "still at it" in line:
            heard.set()

    @contextmanager
    def slow_session(*_: object) -> Iterator[NoReturn]:
        assert heard.wait(LONG_SECONDS)
        raise Unavailable("spark", "it was only about the start")
        yield

    monkeypatch.setattr(run, "spark_session", slow_session)
    monkeypatch.setattr(run, "SignsOfLife", partial(SignsOfLife, silence_seconds=0.02))
    monkeypatch.setattr(run, "connect", lambda _: nullcontext())
    monkeypatch.setattr(run, "nightly_lock", lambda *_: nullcontext())
    settings = BatchSettings(
        hbase_thrift="127.0.0.1:1", redis_url="redis://127.0.0.1:1", model_store=tmp_path
    )

    with (
        pytest.raises(Unavailable, match="only about the start"),
        run._publisher(settings, "shop", say),
    ):
        pass

    assert said[0] == "starting Spark"
    assert said[1].endswith("in this process")
