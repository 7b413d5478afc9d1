"""The product's own processes: recommenders, ingest services, gateways and the demo shop."""

from functools import partial

from infra.local.ports import field_name
from infra.local.processes import probes
from infra.local.processes.program import Program, python_module
from infra.local.replicas import Service
from infra.local.servers.environment import for_services
from infra.local.settings import LOOPBACK, Settings


def programs(settings: Settings) -> list[Program]:
    """Every replica that can run, as supervisord must know it; few of them do at a time."""
    return [
        _gateway(settings, name) if service is Service.GATEWAY else _grpc(settings, service, name)
        for service in Service
        for name in service.names()
    ]


def storefront(settings: Settings) -> Program:
    """The demo shop, a client of the API: it starts with the gateways and needs none of them."""
    listen = f"{LOOPBACK}:{settings.ports.storefront}"
    return Program(
        name="storefront",
        tier="gateways",
        command=python_module("services.storefront"),
        ports=("storefront",),
        probe=partial(probes.http_ready, f"http://{listen}"),
        environment={
            "RECSYS_LISTEN": listen,
            "RECSYS_INSTANCE": "storefront",
            "RECSYS_URL": settings.url,
            "RECSYS_STOREFRONT_KEYS": str(settings.storefront_keys),
            "RECSYS_MODEL_STORE": str(settings.models),
            "RECSYS_GATEWAY_METRICS": ",".join(
                metrics_url(settings, Service.GATEWAY, name) for name in Service.GATEWAY.names()
            ),
        },
    )


def metrics_url(settings: Settings, service: Service, replica: str) -> str:
    """Find a replica's metrics: a gateway's own route, or another service's own port."""
    port = field_name(replica) if service is Service.GATEWAY else _metrics_port(replica)
    return f"http://{LOOPBACK}:{settings.ports[port]}/metrics"


def _gateway(settings: Settings, name: str) -> Program:
    port = settings.ports[field_name(name)]
    return Program(
        name=name,
        tier="gateways",
        command=python_module("services.gateway"),
        ports=(field_name(name),),
        probe=partial(probes.http_ready, f"http://{LOOPBACK}:{port}"),
        environment=_environment(settings, name),
    )


def _grpc(settings: Settings, service: Service, name: str) -> Program:
    port, metrics = field_name(name), _metrics_port(name)
    own = {"RECSYS_METRICS_LISTEN": f"{LOOPBACK}:{settings.ports[metrics]}"}
    return Program(
        name=name,
        tier="services",
        command=python_module(f"services.{service}"),
        ports=(port, metrics),
        probe=partial(probes.grpc_health, f"{LOOPBACK}:{settings.ports[port]}"),
        environment={**_environment(settings, name), **own},
    )


def _environment(settings: Settings, name: str) -> dict[str, str]:
    """All share one; address and instance name come on top."""
    listen = f"{LOOPBACK}:{settings.ports[field_name(name)]}"
    return {**for_services(settings), "RECSYS_LISTEN": listen, "RECSYS_INSTANCE": name}


def _metrics_port(replica: str) -> str:
    return f"{field_name(replica)}_metrics"
