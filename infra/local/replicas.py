"""The services that run in several replicas: how many there can be, and how many there are."""

from collections.abc import Mapping
from enum import StrEnum

from infra.local.errors import StackError


class Service(StrEnum):
    """A program of the product's own, any number of which work side by side."""

    RECOMMENDER = "recommender"
    INGEST = "ingest"
    GATEWAY = "gateway"

    @property
    def most(self) -> int:
        """Replicas that have a name, ports and a place in every list of addresses."""
        return _MAX[self]

    @property
    def variable(self) -> str:
        """The environment variable that says how many `up` starts."""
        return f"RECSYS_{self.upper()}_REPLICAS"

    def names(self, count: int | None = None) -> list[str]:
        """The first `count` replicas, or all of them."""
        return [
            f"{self}-{number}" for number in range(1, 1 + (self.most if count is None else count))
        ]


_MAX = {Service.RECOMMENDER: 4, Service.INGEST: 2, Service.GATEWAY: 4}
USUAL_REPLICAS = {Service.RECOMMENDER: 2, Service.INGEST: 1, Service.GATEWAY: 2}


def replicas_from(environ: Mapping[str, str]) -> dict[Service, int]:
    """Read the number of replicas of each service. Raises StackError for an impossible one."""
    return {
        service: check_count(service, environ.get(service.variable) or usual, service.variable)
        for service, usual in USUAL_REPLICAS.items()
    }


def check_count(service: Service, count: str | int, where: str) -> int:
    """`count` as a number of replicas. Raises StackError, naming `where` it was said."""
    if str(count) not in map(str, range(1, service.most + 1)):
        raise StackError(
            f"{where}={count}: give a number of replicas from 1 to {service.most}, "
            f"which is what the stack has ports for"
        )
    return int(count)


def spare_replicas(replicas: Mapping[Service, int]) -> set[str]:
    """Those that have a place and are not to be started, for these numbers of replicas."""
    return {name for service, count in replicas.items() for name in service.names()[count:]}
