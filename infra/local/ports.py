"""Ports of a stack, one for each process."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from infra.local.errors import StackError
from infra.local.replicas import Service

DEFAULT_STACK = "main"
_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Blocks of the stacks other than `main`: from here up to where clients' own ports begin.
_FIRST_BLOCK = 20000
_LAST_BLOCK = 32000
_BLOCK_SIZE = 32
_NAMED_BLOCKS = {"test": 0}


@dataclass(frozen=True, slots=True)
class Ports:
    """All ports of one stack; the defaults are those of the stack `main`.

    None is one that a client's connection may be given: it would be taken for a minute.
    """

    http: int = 8080
    https: int = 8443
    stats: int = 8404
    gateway_1: int = 8081
    gateway_2: int = 8082
    gateway_3: int = 8083
    gateway_4: int = 8084
    storefront: int = 8089
    recommender_1: int = 15051
    recommender_2: int = 15052
    recommender_3: int = 15053
    recommender_4: int = 15054
    ingest_1: int = 15061
    ingest_2: int = 15062
    # What speaks gRPC shows its metrics elsewhere; a gateway, at its own port.
    recommender_1_metrics: int = 9151
    recommender_2_metrics: int = 9152
    recommender_3_metrics: int = 9153
    recommender_4_metrics: int = 9154
    ingest_1_metrics: int = 9161
    ingest_2_metrics: int = 9162
    redis: int = 6390
    hbase_thrift: int = 9090
    hbase_thrift_admin: int = 9091
    hbase_thrift2: int = 9092
    hbase_master: int = 16000
    hbase_regionserver: int = 16020
    zookeeper: int = 21811

    @classmethod
    def load(cls, stack: str, environ: Mapping[str, str]) -> Self:
        """The ports of `stack`. Variables move those of `main` only, so that two stacks never meet.

        Raises StackError if a variable is not a port number, or two parts would share a port.
        """
        if stack != DEFAULT_STACK:
            start = _block_start(stack, _first_ephemeral_port())
            return cls(**{field.name: start + n for n, field in enumerate(fields(cls))})
        ports = cls(
            **{
                field.name: _port_from(environ, variable(field.name))
                for field in fields(cls)
                if environ.get(variable(field.name))
            }
        )
        ports._reject_shared()
        return ports

    def __getitem__(self, name: str) -> int:
        """The port of that field. Raises AttributeError when there is none."""
        return int(getattr(self, name))

    def items(self) -> list[tuple[str, int]]:
        return [(field.name, self[field.name]) for field in fields(self)]

    def of_all(self, service: Service) -> list[int]:
        """List the addresses of a service's replicas, running or not."""
        return [self[field_name(replica)] for replica in service.names()]

    def _reject_shared(self) -> None:
        owners: dict[int, str] = {}
        for name, port in self.items():
            if port in owners:
                raise StackError(
                    f"{variable(owners[port])} and {variable(name)} both say port {port}: "
                    "change one of them"
                )
            owners[port] = name


def field_name(process: str) -> str:
    """Name the field of `Ports` that holds the port of a process."""
    return process.replace("-", "_")


def variable(field: str) -> str:
    """The environment variable which moves that port of the stack `main`."""
    return f"RECSYS_{field.upper()}_PORT"


def _port_from(environ: Mapping[str, str], name: str) -> int:
    text = environ[name]
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise StackError(f"{name}={text!r} is not a port: give a number from 1 to 65535")
    return int(text)


def _block_start(stack: str, first_ephemeral: int) -> int:
    """A block of its own for each stack name, the same one every time."""
    ceiling = min(_LAST_BLOCK, first_ephemeral)
    if ceiling < _FIRST_BLOCK + 8 * _BLOCK_SIZE:
        # Clients' ports begin so low that no room is left below them: share the space with them.
        ceiling = _LAST_BLOCK
    blocks = (ceiling - _FIRST_BLOCK) // _BLOCK_SIZE
    reserved = len(_NAMED_BLOCKS)
    spread = reserved + zlib.crc32(stack.encode()) % (blocks - reserved)
    return _FIRST_BLOCK + _BLOCK_SIZE * _NAMED_BLOCKS.get(stack, spread)


def _first_ephemeral_port() -> int:
    try:
        return int(_EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux: the range of IANA
        return 49152
