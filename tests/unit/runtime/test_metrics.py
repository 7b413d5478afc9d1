"""Metrics of a process."""

import threading
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.free_port import free_port
from recsys.config.address import Address
from recsys.config.settings import GrpcServiceSettings, load_settings
from recsys.core.errors import ConfigurationError
from recsys.runtime.metrics import BusySampler, Metrics, busy_ratio, new_metrics, observed
from tests.eventually import eventually


@pytest.fixture
def metrics() -> Metrics:
    return new_metrics()


def exposed(metrics: Metrics) -> dict[str, float]:
    """Every value with labels, as a scraper reads them: 'name{label=value,...}'."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        f"{sample.name}{{{','.join(f'{k}={v}' for k, v in sorted(sample.labels.items()))}}}": (
            sample.value
        )
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_and_timed_whatever_became_of_them(metrics: Metrics) -> None:
    for status in (200, 200, 503):
        metrics.requests.end("/v1/x", status, metrics.requests.begin())

    values = exposed(metrics)
    assert values["recsys_requests_total{route=/v1/x,status=200}"] == 2
    assert values["recsys_requests_total{route=/v1/x,status=503}"] == 1
    assert values["recsys_request_seconds_count{route=/v1/x}"] == 3
    assert values["recsys_request_seconds_bucket{le=0.0005,route=/v1/x}"] == 3


def test_a_slow_request_is_in_the_buckets_that_hold_it(metrics: Metrics) -> None:
    metrics.requests.end("/v1/x", 200, metrics.requests.begin() - 0.7)

    values = exposed(metrics)
    assert values["recsys_request_seconds_bucket{le=0.5,route=/v1/x}"] == 0
    assert values["recsys_request_seconds_bucket{le=1.0,route=/v1/x}"] == 1


def test_requests_under_way_are_seen(metrics: Metrics) -> None:
    first, second = metrics.requests.begin(), metrics.requests.begin()
    assert exposed(metrics)["recsys_in_flight{}"] == 2
    metrics.requests.end("/v1/x", 200, first)
    metrics.requests.end("/v1/x", 200, second)
    assert exposed(metrics)["recsys_in_flight{}"] == 0


def test_every_name_that_dashboards_and_scaling_rely_on(metrics: Metrics) -> None:
    metrics.answers["stored", False].inc(3)
    metrics.shed["queue_full"].inc()
    metrics.cache["hit"].inc()
    metrics.breaker_open["ingest", "redis"].set(1)
    metrics.model_refused["shop"].inc()
    metrics.model_loaded["shop"].set(1e9)
    metrics.model_data["shop"].set(9e8)
    metrics.busy_ratio.set(0.5)

    values = exposed(metrics)
    assert values["recsys_answers_total{degraded=false,source=stored}"] == 3
    assert values["recsys_shed_total{reason=queue_full}"] == 1
    assert values["recsys_cache_total{result=hit}"] == 1
    assert values["recsys_breaker_open{dependency=redis,service=ingest}"] == 1
    assert values["recsys_model_refused_total{tenant=shop}"] == 1
    assert values["recsys_model_loaded_timestamp_seconds{tenant=shop}"] == 1e9
    assert values["recsys_model_data_timestamp_seconds{tenant=shop}"] == 9e8
    assert values["recsys_busy_ratio{}"] == 0.5
    assert values["process_resident_memory_bytes{}"] > 0


def test_counting_from_many_threads_loses_nothing(metrics: Metrics) -> None:
    def count() -> None:
        for _ in range(1000):
            metrics.requests.end("/v1/x", 200, metrics.requests.begin())

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    values = exposed(metrics)
    assert values["recsys_requests_total{route=/v1/x,status=200}"] == 4000
    assert values["recsys_in_flight{}"] == 0


def test_processes_and_tests_do_not_share_a_registry(metrics: Metrics) -> None:
    new_metrics().shed["queue_full"].inc()
    assert "recsys_shed_total{reason=queue_full}" not in exposed(metrics)


def test_half_a_core_is_a_half() -> None:
    assert busy_ratio((100.0, 7.0), (102.0, 8.0)) == 0.5


def test_the_busy_ratio_follows_the_work_of_this_process(metrics: Metrics) -> None:
    idle = threading.Event()

    def work() -> None:
        while not idle.is_set():
            sum(range(1000))

    worker = threading.Thread(target=work)
    with BusySampler(metrics.busy_ratio, every_seconds=0.01):
        worker.start()
        eventually(lambda: exposed(metrics)["recsys_busy_ratio{}"] > 0.1)
        idle.set()
        worker.join()
        eventually(lambda: exposed(metrics)["recsys_busy_ratio{}"] < 0.1)


def test_metrics_are_served_where_told(metrics: Metrics) -> None:
    port = free_port()
    metrics.shed["queue_full"].inc()
    with observed(metrics, Address("127.0.0.1", port)):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b'recsys_shed_total{reason="queue_full"} 1.0' in answer.read()
        with (
            pytest.raises(ConfigurationError, match=f"RECSYS_METRICS_LISTEN.*{port}"),
            observed(new_metrics(), Address("127.0.0.1", port)),
        ):
            pass


def test_the_port_of_the_metrics_is_left_out_when_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_LISTEN", "127.0.0.1:1")
    assert load_settings(GrpcServiceSettings).metrics_listen is None
    monkeypatch.setenv("RECSYS_METRICS_LISTEN", "127.0.0.1:2")
    assert load_settings(GrpcServiceSettings).metrics_listen == Address("127.0.0.1", 2)
    monkeypatch.setenv("RECSYS_METRICS_LISTEN", "everywhere")
    with pytest.raises(ConfigurationError, match="RECSYS_METRICS_LISTEN: must be HOST:PORT"):
        load_settings(GrpcServiceSettings)
