"""What Spark brings of a failed task as text becomes the error of ours that it was."""

import tempfile
from pathlib import Path

import pytest
from pyspark.errors import PythonException

from recsys.core.errors import InvalidModel, NotFound, NotSetUp, RecsysError, Unavailable
from spark_jobs.settings import BatchSettings
from spark_jobs.task_errors import errors_of_tasks, spark_storage_errors


@pytest.fixture
def settings(tmp_path: Path) -> BatchSettings:
    return BatchSettings(
        hbase_thrift="127.0.0.1:1", redis_url="redis://127.0.0.1:1", model_store=tmp_path
    )


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("redis", "it is full"),
        NotSetUp("run recsys tables create"),
        NotFound("no users.safetensors of model v1 in /models/shop; known: none"),
        InvalidModel("users.safetensors of model v1 does not match its checksum"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_ours_comes_out_of_a_task_as_it_was(error: RecsysError) -> None:
    kind = type(error)
    traceback = (
        f"Traceback (most recent call last):\n  ...\n{kind.__module__}.{kind.__name__}: {error}\n"
    )

    with pytest.raises(kind) as caught, errors_of_tasks():
        raise PythonException(traceback)

    assert str(caught.value) == str(error)


def test_a_task_whose_process_was_killed_is_said_with_what_to_do() -> None:
    with pytest.raises(Unavailable, match="killed, most likely for want of"), errors_of_tasks():
        raise PythonException("Python worker exited unexpectedly (crashed)")


def test_a_damaged_file_that_spark_reads_is_named_with_the_step_that_makes_it(
    settings: BatchSettings,
) -> None:
    text = (
        "An error occurred while calling o54.parquet.\n: org.apache.spark.SparkException: "
        "[FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER] Encountered error while reading file "
        "file:/runs/events.parquet/part-0.snappy.parquet. Could not read footer.\n\tat ..."
    )

    with pytest.raises(NotFound) as caught, spark_storage_errors(settings):
        raise PythonException(text)

    assert str(caught.value) == (
        "/runs/events.parquet/part-0.snappy.parquet is damaged: run `recsys nightly read` first"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "java.io.IOException: No space left on device",
            "{store}, or {scratch} (SPARK_LOCAL_DIRS)",
        ),
        ("OSError: [Errno 28] No space left on device: '/disk/part'", "/disk/part"),
    ],
    ids=["java", "python"],
)
def test_the_disk_that_may_be_full_is_named(
    text: str, named: str, settings: BatchSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPARK_LOCAL_DIRS", raising=False)

    with pytest.raises(OSError, match="No space left") as caught, spark_storage_errors(settings):
        raise PythonException(f"Job aborted: {text}")

    assert caught.value.filename == named.format(
        store=settings.model_store, scratch=tempfile.gettempdir()
    )
