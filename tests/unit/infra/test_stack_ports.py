import socket
from pathlib import Path

import pytest

from infra.local.errors import PreflightError, StackError
from infra.local.ports import Ports, _block_start
from infra.local.processes.preflight import check_ports, is_free
from infra.local.processes.program import Program
from infra.local.settings import Settings


def test_the_default_stack_has_the_documented_ports() -> None:
    assert Ports.load("main", {}) == Ports(http=8080, https=8443, redis=6390, hbase_thrift=9090)


def test_no_default_is_a_port_that_a_clients_connection_may_be_given() -> None:
    # Linux's, unless set otherwise.
    assert max(port for _, port in Ports().items()) < 32768


def test_a_variable_moves_one_port() -> None:
    ports = Ports.load("main", {"RECSYS_HTTP_PORT": "9999", "RECSYS_GATEWAY_1_PORT": ""})
    assert (ports.http, ports.gateway_1) == (9999, 8081)


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "80 ", "²"])
def test_what_is_no_port_is_named(text: str) -> None:
    with pytest.raises(StackError, match=r"RECSYS_REDIS_PORT=.* is not a port"):
        Ports.load("main", {"RECSYS_REDIS_PORT": text})


def test_two_parts_on_one_port_are_named() -> None:
    with pytest.raises(StackError, match="RECSYS_HTTP_PORT and RECSYS_GATEWAY_1_PORT both say"):
        Ports.load("main", {"RECSYS_HTTP_PORT": "8081"})


def test_stacks_do_not_meet_and_variables_move_only_the_default_one() -> None:
    moved = {"RECSYS_HTTP_PORT": "20000"}
    numbers = [{port for _, port in Ports.load(name, moved).items()} for name in ("test", "other")]
    main = {port for _, port in Ports().items()}
    assert not numbers[0] & numbers[1]
    assert not main & (numbers[0] | numbers[1])


@pytest.mark.parametrize(("first_ephemeral", "ceiling"), [(32768, 32000), (24000, 24000)])
def test_blocks_lie_below_the_ports_that_clients_get(first_ephemeral: int, ceiling: int) -> None:
    starts = {_block_start(f"s{n}", first_ephemeral) for n in range(200)}
    assert min(starts) > 20000
    assert max(starts) + 32 <= ceiling


def test_without_room_below_them_the_space_is_shared() -> None:
    assert 20000 <= _block_start("s", 1024) < 32000


def test_a_taken_port_is_named_with_its_holder_and_its_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = Settings.load("main", {"RECSYS_REDIS_PORT": str(port)}, tmp_path)
        redis = Program("redis", "stores", ("true",), ("redis",), lambda: None)
        assert not is_free(port)
        with pytest.raises(PreflightError) as caught:
            check_ports(settings, [redis])
    for part in (str(port), "redis", "pid", "RECSYS_REDIS_PORT"):
        assert part in str(caught.value)
    assert is_free(port)
