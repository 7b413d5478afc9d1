"""The loop around the rules, on a stack that only counts."""

from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from benchmarks.free_port import free_port
from infra.local.errors import StackError, StartError
from infra.local.replicas import Service
from infra.local.scaling.autoscaler import BUSY_METRIC, Autoscaler, read_busy_ratio, run
from infra.local.scaling.policy import Policy
from infra.local.scaling.scale import Change, change_to
from infra.local.settings import Settings
from recsys.runtime.metrics import new_metrics

POLICY = Policy(least=1, most=4, target=0.5, shrink_after_seconds=10)


@dataclass
class CountingStack:
    """Has replicas by name; `busy` is the load of each address of metrics."""

    settings: Settings
    names: list[str] = field(default_factory=lambda: ["recommender-1"])
    now: float = 0.0
    busy: float = 0.0
    asked: list[str] = field(default_factory=list)

    def running(self, service: Service) -> list[str]:
        return self.names

    def scale(self, service: Service, count: int) -> Change:
        change = change_to(service, count, self.names)
        self.names = sorted({*self.names, *change.start} - {*change.stop})
        return change

    def read(self, url: str) -> float:
        self.asked.append(url)
        return self.busy

    def scaler(self) -> Autoscaler:
        return Autoscaler(self, Service.RECOMMENDER, POLICY, self.read, lambda: self.now)


@pytest.fixture
def stack(tmp_path: Path) -> CountingStack:
    return CountingStack(Settings.load("main", {}, tmp_path))


def test_a_busy_service_grows_and_an_idle_one_shrinks_after_a_while(stack: CountingStack) -> None:
    scaler = stack.scaler()

    stack.busy = 0.9
    assert scaler.step() == "recommender: busy 0.90, target 0.5: started recommender-2"
    stack.busy = 0.45
    assert scaler.step() is None
    stack.busy = 0.05
    for stack.now in (1, 5, 9):
        assert scaler.step() is None
    stack.now = 11
    said = scaler.step()
    assert said == ("recommender: busy 0.05, 0.05, target 0.5: drained and stopped recommender-2")
    assert stack.names == ["recommender-1"]


def test_it_does_not_shrink_before_it_has_watched_for_the_whole_window(
    stack: CountingStack,
) -> None:
    stack.names = ["recommender-1", "recommender-2"]
    scaler = stack.scaler()
    for stack.now in (100, 105, 110):
        assert scaler.step() is None
    stack.now = 110.1
    assert scaler.step()


def test_every_running_replica_is_asked_where_it_shows_its_metrics(stack: CountingStack) -> None:
    stack.names = ["recommender-1", "recommender-3"]
    stack.busy = POLICY.target
    stack.scaler().step()
    assert sorted(stack.asked) == [
        "http://127.0.0.1:9151/metrics",
        "http://127.0.0.1:9153/metrics",
    ]


def test_a_replica_that_does_not_start_is_told_and_tried_again_until_the_stack_ends(
    stack: CountingStack, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = [StartError("recommender-2: port taken"), StackError("the stack does not run")]

    def scale(service: Service, count: int) -> Change:
        raise outcomes.pop(0)

    stack.scale = scale  # type: ignore[method-assign]
    policy = Policy(least=2, most=4)
    with pytest.raises(StackError, match="does not run"):
        run(stack, {Service.RECOMMENDER: policy}, every_seconds=0)
    assert "port taken" in capsys.readouterr().out


class Metrics(BaseHTTPRequestHandler):
    """Answers every GET with `page`, and with 500 where there is none."""

    page: bytes | None = None

    def do_GET(self) -> None:
        self.send_response(500 if self.page is None else 200)
        self.end_headers()
        self.wfile.write(self.page or b"")

    def log_message(self, *_: object) -> None:
        pass


def shown(page: bytes | None) -> float | None:
    """Read the busy ratio of a process that shows this page."""
    handler = type("Page", (Metrics,), {"page": page})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        try:
            return read_busy_ratio(f"http://127.0.0.1:{server.server_port}/metrics")
        finally:
            thread.join()


def test_the_ratio_is_read_from_what_a_service_shows() -> None:
    metrics = new_metrics()
    metrics.busy_ratio.set(0.37)
    assert shown(metrics.exposition()) == 0.37


def a_gauge(name: str, value: float) -> bytes:
    registry = CollectorRegistry()
    Gauge(name, "It.", registry=registry).set(value)
    return generate_latest(registry)


@pytest.mark.parametrize(
    "page",
    [None, b"", b"\xff<html>", a_gauge("other", 1.0), a_gauge(BUSY_METRIC, float("nan"))],
)
def test_a_process_that_does_not_say_is_no_error(page: bytes | None) -> None:
    assert shown(page) is None


def test_nor_is_one_that_is_not_there() -> None:
    assert read_busy_ratio(f"http://127.0.0.1:{free_port()}/metrics") is None
