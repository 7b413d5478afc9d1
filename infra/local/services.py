"""The product's own processes: two recommenders, one ingest service, two gateways."""

from functools import partial

from infra.local import probes
from infra.local.environment import for_services
from infra.local.program import Probe, Program, python_module
from infra.local.settings import LOOPBACK, Settings


def programs(settings: Settings) -> list[Program]:
    """They share one environment; address and instance name come on top."""
    ports = settings.ports
    shared = for_services(settings)

    def service(name: str, module: str, port: int, tier: str, probe: Probe) -> Program:
        own = {"RECSYS_LISTEN": f"{LOOPBACK}:{port}", "RECSYS_INSTANCE": name}
        return Program(
            name=name,
            tier=tier,
            command=python_module(module),
            ports=(name.replace("-", "_"),),
            probe=probe,
            environment={**shared, **own},
        )

    def grpc_service(name: str, module: str, port: int) -> Program:
        probe = partial(probes.grpc_health, f"{LOOPBACK}:{port}")
        return service(name, module, port, "services", probe)

    def gateway(name: str, port: int) -> Program:
        probe = partial(probes.http_ready, f"http://{LOOPBACK}:{port}")
        return service(name, "services.gateway", port, "gateways", probe)

    return [
        grpc_service("recommender-1", "services.recommender", ports.recommender_1),
        grpc_service("recommender-2", "services.recommender", ports.recommender_2),
        grpc_service("ingest", "services.ingest", ports.ingest),
        gateway("gateway-1", ports.gateway_1),
        gateway("gateway-2", ports.gateway_2),
    ]
