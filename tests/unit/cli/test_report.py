"""`recsys report`: what is said before any work, and the time that it counts."""

from datetime import datetime

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.period import period, report_period
from cli.report import _document
from recsys.core.errors import ConfigurationError
from recsys.core.times import MAX_CLOCK_SKEW_MS
from services.gateway.schemas.reports import ExperimentReport
from tests.builders import a_report

NOW_MS = 1_767_225_600_000  # 2026-01-01
DAY_MS = 86_400_000


def report(*options: str) -> Result:
    # Nobody listens there, and nobody is asked.
    environment = {"HBASE_THRIFT": "127.0.0.1:1", "REDIS_URL": None}
    return CliRunner().invoke(app, ["report", "--tenant", "shop", *options], env=environment)


def test_days_are_the_last_ones_before_now_or_the_end() -> None:
    december = datetime(2025, 12, 1)  # as typer reads an option
    assert report_period(None, None, 7, NOW_MS) == (
        NOW_MS - 7 * DAY_MS,
        NOW_MS + MAX_CLOCK_SKEW_MS,
    )
    assert report_period(None, december, 7, NOW_MS) == (NOW_MS - 38 * DAY_MS, NOW_MS - 31 * DAY_MS)
    assert report_period(december, None, None, NOW_MS)[0] == NOW_MS - 31 * DAY_MS
    assert report_period(None, december, None, NOW_MS)[0] is None


def test_without_options_a_period_is_all_time() -> None:
    assert period(None, None, NOW_MS) == (0, NOW_MS)
    assert period(datetime(2025, 12, 1), None, NOW_MS) == (NOW_MS - 31 * DAY_MS, NOW_MS)


def test_json_has_all_that_the_api_answers_but_its_age() -> None:
    named = set(_document("shop", a_report()))
    assert named == {"tenant"} | set(ExperimentReport.model_fields) - {"age_seconds"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--start", "2026-01-01", "--days", "7"], "--start and --days"),
        (["--publish"], "REDIS_URL"),
        (
            ["--start", "2026-02-01", "--end", "2026-01-01"],
            "--start 2026-02-01T00:00:00 is not before --end 2026-01-01T00:00:00",
        ),
        (["--start", "2026-01-01", "--end", "2026-01-01"], "is not before"),
        (["--start", "2026-01-01", "--end", "2026-01-01T00:00:00Z"], "is not before"),
        (["--start", "3026-01-01"], "is not before now"),
        (["--cart-type", "teleport"], "'teleport' is not one of the types"),
    ],
)
def test_what_is_wrong_is_said_before_the_work(options: list[str], message: str) -> None:
    result = report(*options)
    assert isinstance(result.exception, ConfigurationError)
    assert message in str(result.exception)
