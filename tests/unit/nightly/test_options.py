"""Options and variables of a night that no night can have."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from recsys.core.errors import ConfigurationError
from spark_jobs.settings import BatchSettings, load


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HBASE_THRIFT", "127.0.0.1:1")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("RECSYS_MODEL_STORE", str(tmp_path))


@pytest.mark.parametrize("days", ["inf", "1e300", "nan", "0"])
def test_days_that_no_shop_has_are_refused(days: str) -> None:
    done = CliRunner().invoke(app, ["nightly", "--holdout-days", days])
    assert done.exit_code == 2
    assert "Invalid value for '--holdout-days'" in done.output


def test_a_seed_below_zero_is_refused() -> None:
    done = CliRunner().invoke(app, ["nightly", "--seed", "-1"])
    assert isinstance(done.exception, ConfigurationError)
    assert "seed must be between 0" in str(done.exception)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RECSYS_SPARK_MEMORY", "lots"),
        ("RECSYS_SPARK_MEMORY", "4"),
        ("RECSYS_SPARK_MEMORY", "4 GB"),
        ("RECSYS_SPARK_TASK_MEMORY_GIB", "inf"),
    ],
)
def test_memory_that_is_none_is_named_before_spark_starts(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"^{variable}: must"):
        load(BatchSettings)


@pytest.mark.parametrize("value", ["512m", "4g", "4G"])
def test_memory_is_named_as_java_does(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RECSYS_SPARK_MEMORY", value)
    assert load(BatchSettings).spark_memory == value
