"""Each wait ends inside the one around it, as docs/time-budget.md says."""

import re
from pathlib import Path

import pytest

from recsys.config.settings import ProcessSettings
from recsys.rpc.user_attributes import ATTRIBUTES_SECONDS
from recsys.runtime.deadline import MARGIN_SECONDS
from recsys.stores.hbase.event_writer import WRITE_SECONDS
from recsys.stores.redis.connect import SERVING_TIMEOUT_SECONDS
from services.gateway.http.json_body import READ_SECONDS
from services.gateway.main import _KEEP_ALIVE_SECONDS
from services.gateway.settings import GatewaySettings
from services.gateway.upstream.recommenders import HUNG_SECONDS
from services.ingest.main import _HBASE_CALL_SECONDS, _REDIS_SECONDS
from spark_jobs.nightly.cutoff import MARGIN_SECONDS as CUTOFF_SECONDS

ROOT = Path(__file__).parents[2]
BALANCER = (ROOT / "infra/haproxy/haproxy.cfg").read_text()
PAGE = (ROOT / "docs/time-budget.md").read_text()

GATEWAY = {name: field.default for name, field in GatewaySettings.model_fields.items()}
DRAIN_SECONDS = ProcessSettings.model_fields["drain_seconds"].default
# Claiming an event's id, and storing the event.
CALLS_PER_EVENT = 2


def balancer_seconds(name: str, section: str = "defaults") -> float:
    """A timeout of one section of the balancer's configuration."""
    lines = BALANCER.split(f"\n{section}\n")[1]
    found = re.search(rf"timeout {name} (\d+)(ms|s)\n", lines)
    assert found is not None
    return int(found[1]) / (1000 if found[2] == "ms" else 1)


def test_a_read_leaves_time_for_a_second_try_at_each_level() -> None:
    read = GATEWAY["read_seconds"]
    assert 2 * read <= balancer_seconds("server", "backend reads")
    assert read / 2 > HUNG_SECONDS + SERVING_TIMEOUT_SECONDS + 2 * MARGIN_SECONDS
    # What is read before the question comes on top, and the balancer waits for that, too.
    assert read + ATTRIBUTES_SECONDS < balancer_seconds("server", "backend reads")


def test_an_event_that_times_out_everywhere_is_answered_by_the_gateway() -> None:
    write = GATEWAY["write_seconds"]
    assert write < balancer_seconds("server", "backend writes")
    assert write > CALLS_PER_EVENT * _HBASE_CALL_SECONDS + _REDIS_SECONDS + 2 * MARGIN_SECONDS


def test_a_slow_body_is_ended_by_no_one_before_the_gateway() -> None:
    assert balancer_seconds("http-request") >= READ_SECONDS
    assert balancer_seconds("client") > READ_SECONDS


def test_the_balancer_closes_idle_connections_before_the_gateway_does() -> None:
    assert balancer_seconds("http-keep-alive") < _KEEP_ALIVE_SECONDS


def test_what_is_under_way_can_end_before_a_process_does() -> None:
    assert GATEWAY["write_seconds"] < DRAIN_SECONDS


def test_a_nightly_run_reads_when_no_write_can_be_under_way() -> None:
    assert GATEWAY["write_seconds"] + WRITE_SECONDS < CUTOFF_SECONDS


@pytest.mark.parametrize(
    ("seconds", "of"),
    [
        (balancer_seconds("server", "backend reads"), "timeout server of `reads`"),
        (GATEWAY["read_seconds"], "RECSYS_READ_SECONDS"),
        (HUNG_SECONDS, "HUNG_SECONDS"),
        (SERVING_TIMEOUT_SECONDS, "SERVING_TIMEOUT_SECONDS"),
        (balancer_seconds("server", "backend writes"), "timeout server of `writes`"),
        (GATEWAY["write_seconds"], "RECSYS_WRITE_SECONDS"),
        (_HBASE_CALL_SECONDS, "for each call on a connection"),
        (_REDIS_SECONDS, "then the event waits in memory"),
        (CUTOFF_SECONDS, "`MARGIN_SECONDS` of a nightly run's cutoff"),
    ],
)
def test_the_page_has_the_figures_of_the_code(seconds: float, of: str) -> None:
    [line] = [line for line in PAGE.splitlines() if of in line]
    assert f" {seconds:g} s" in line
