from pathlib import Path

import pytest

from infra.local.errors import StackError
from infra.local.ports import _BLOCK_SIZE, Ports
from infra.local.processes.supervision import ProcessInfo
from infra.local.replicas import Service, spare_replicas
from infra.local.scaling.scale import Change, change_to, running_replicas
from infra.local.servers import services
from infra.local.settings import Settings

FOUR = Service.GATEWAY.names()


def settings(tmp_path: Path, **environ: str) -> Settings:
    return Settings.load("main", environ, tmp_path)


def test_two_gateways_two_recommenders_and_one_ingest_run_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    spare = spare_replicas(settings(tmp_path).replicas)
    every = {program.name for program in services.programs(settings(tmp_path))}
    assert every - spare == {"gateway-1", "gateway-2", "recommender-1", "recommender-2", "ingest-1"}
    assert len(every) == 10


def test_a_variable_for_each_service_says_how_many_start(tmp_path: Path) -> None:
    numbers = settings(
        tmp_path,
        RECSYS_GATEWAY_REPLICAS="4",
        RECSYS_RECOMMENDER_REPLICAS="1",
        RECSYS_INGEST_REPLICAS="2",
    ).replicas
    assert numbers == {Service.GATEWAY: 4, Service.RECOMMENDER: 1, Service.INGEST: 2}


@pytest.mark.parametrize("count", ["0", "3", "-1", "1.0", "two", "²"])
def test_a_number_that_cannot_be_is_refused_with_those_that_can(count: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"RECSYS_INGEST_REPLICAS=.*from 1 to 2"):
        settings(tmp_path, RECSYS_INGEST_REPLICAS=count)


def test_every_replica_has_ports_within_the_block_of_its_stack() -> None:
    ports = Ports.load("test", {})
    numbers = [number for _, number in ports.items()]
    assert max(numbers) - min(numbers) < _BLOCK_SIZE
    for service in Service:
        assert len(set(ports.of_all(service))) == service.most


@pytest.mark.parametrize(
    ("running", "count", "start", "stop"),
    [
        (FOUR[:2], 4, FOUR[2:], []),
        (FOUR[:2], 2, [], []),
        (FOUR[:3], 1, [], FOUR[1:3]),
        # What was killed for good leaves a gap, and its place is free.
        ([FOUR[1], FOUR[3]], 3, [FOUR[0]], []),
        ([FOUR[1], FOUR[3]], 1, [], [FOUR[3]]),
        ([], 2, FOUR[:2], []),
    ],
)
def test_the_first_free_start_and_the_last_running_stop(
    running: list[str], count: int, start: list[str], stop: list[str]
) -> None:
    assert change_to(Service.GATEWAY, count, running) == Change(tuple(start), tuple(stop))


def test_what_was_stopped_or_has_failed_for_good_does_not_run() -> None:
    states = ["RUNNING", "STOPPED", "BACKOFF", "FATAL"]
    infos = {
        name: ProcessInfo(name, state, 1, 1, "") for name, state in zip(FOUR, states, strict=True)
    }
    assert running_replicas(Service.GATEWAY, infos) == ["gateway-1", "gateway-3"]


def test_a_change_says_what_was_done() -> None:
    assert str(Change(("gateway-3",), ())) == "started gateway-3"
    assert str(Change((), ("ingest-2",))) == "drained and stopped ingest-2"
    assert str(Change((), ())) == "nothing to do"
