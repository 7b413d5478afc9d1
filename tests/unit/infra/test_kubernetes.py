"""The manifests, held against the programs they run and the autoscaler of the local stack."""

import importlib.util
import re

import pytest

from infra.local.replicas import Service
from infra.local.scaling.autoscaler import BUSY_METRIC
from infra.local.scaling.policy import POLICIES
from recsys.config.settings import ProcessSettings, load_settings
from recsys.runtime.metrics import new_metrics
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.recommender.settings import RecommenderSettings
from tests.unit.infra.compose_project import load_compose
from tests.unit.infra.kubernetes_manifests import (
    ADAPTER,
    FOLDER,
    KUSTOMIZATION,
    MANIFESTS,
    configured,
    container,
    cores,
    environment,
    manifest,
    pod,
)

SETTINGS: dict[Service, type[ProcessSettings]] = {
    Service.GATEWAY: GatewaySettings,
    Service.RECOMMENDER: RecommenderSettings,
    Service.INGEST: IngestSettings,
}
every_service = pytest.mark.parametrize("service", Service)
grpc_service = pytest.mark.parametrize("service", [Service.RECOMMENDER, Service.INGEST])


def listens(service: Service, variable: str = "RECSYS_LISTEN") -> int:
    return int(environment(service)[variable].rpartition(":")[2])


def ports(service: Service) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container(service)["ports"]}


@every_service
def test_it_scales_as_the_local_stack_does(service: Service) -> None:
    policy = POLICIES[service]
    spec = manifest("HorizontalPodAutoscaler", service)["spec"]
    (metric,) = spec["metrics"]

    assert spec["scaleTargetRef"]["name"] == service
    assert (spec["minReplicas"], spec["maxReplicas"]) == (policy.least, policy.most)
    assert metric["type"] == "Pods"
    assert metric["pods"]["metric"]["name"] == BUSY_METRIC
    assert metric["pods"]["target"]["type"] == "AverageValue"
    assert cores(metric["pods"]["target"]["averageValue"]) == policy.target
    assert spec["behavior"] == {
        "scaleUp": {"stabilizationWindowSeconds": 0},
        "scaleDown": {"stabilizationWindowSeconds": policy.shrink_after_seconds},
    }
    # The cluster's default, of --horizontal-pod-autoscaler-tolerance.
    assert policy.tolerance == 0.1


@every_service
def test_nobody_else_says_how_many_there_are(service: Service) -> None:
    assert "replicas" not in manifest("Deployment", service)["spec"]


@every_service
def test_it_may_get_as_busy_as_it_must_for_another_replica(service: Service) -> None:
    policy = POLICIES[service]
    resources = container(service)["resources"]
    assert cores(resources["requests"]["cpu"]) > policy.target * (1 + policy.tolerance)
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert "cpu" not in resources["limits"]


def test_the_adapter_hands_on_the_metric_that_services_show() -> None:
    assert BUSY_METRIC.encode() in new_metrics().exposition()
    (rule,) = ADAPTER["rules"]["custom"]
    assert rule["seriesQuery"].partition("{")[0] == BUSY_METRIC
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}


@every_service
def test_it_is_scraped_where_it_shows_its_metrics(service: Service) -> None:
    notes = manifest("Deployment", service)["spec"]["template"]["metadata"]["annotations"]
    variable = "RECSYS_LISTEN" if service is Service.GATEWAY else "RECSYS_METRICS_LISTEN"
    assert notes == {
        "prometheus.io/scrape": "true",
        "prometheus.io/path": "/metrics",
        "prometheus.io/port": str(listens(service, variable)),
    }


@every_service
def test_environment_is_all_a_process_needs(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = SETTINGS[service]
    for field in kind.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    for variable, value in environment(service).items():
        monkeypatch.setenv(variable, value)
    load_settings(kind)
    known = {
        str(field.validation_alias)
        for each in SETTINGS.values()
        for field in each.model_fields.values()
    }
    own = {str(field.validation_alias) for field in kind.model_fields.values()}
    assert set(environment(service)) - set(configured()) <= own
    assert set(configured()) <= known


@every_service
def test_command_is_a_module_that_runs(service: Service) -> None:
    (module,) = container(service)["args"]
    assert importlib.util.find_spec(f"{module}.__main__")


@grpc_service
def test_gateways_find_every_replica_by_dns(service: Service) -> None:
    name, port = f"RECSYS_{service.upper()}_TARGET", listens(service)
    assert environment(Service.GATEWAY)[name] == f"dns:///{service}:{port}"
    spec = manifest("Service", service)["spec"]
    assert spec["clusterIP"] == "None"
    assert spec["publishNotReadyAddresses"] is True
    assert spec["ports"] == [{"name": "grpc", "port": port, "targetPort": "grpc"}]


@every_service
def test_ports_are_those_it_listens_on(service: Service) -> None:
    wanted = (
        {"http": listens(service)}
        if service is Service.GATEWAY
        else {"grpc": listens(service), "metrics": listens(service, "RECSYS_METRICS_LISTEN")}
    )
    assert ports(service) == wanted
    probes = [container(service)[f"{kind}Probe"] for kind in ("readiness", "liveness")]
    for probe in probes:
        for how in ("grpc", "tcpSocket", "httpGet"):
            if how in probe:
                assert probe[how]["port"] in {*wanted, *wanted.values()}


@every_service
def test_kubernetes_waits_longer_than_draining_takes(service: Service) -> None:
    given = environment(service)
    drain = float(given["RECSYS_DRAIN_SECONDS"])
    notice = float(given.get("RECSYS_DRAIN_NOTICE_SECONDS", 0))
    assert pod(service)["terminationGracePeriodSeconds"] > drain + notice


def test_a_gateway_goes_on_until_kubernetes_has_noticed() -> None:
    readiness = container(Service.GATEWAY)["readinessProbe"]
    unready_after = readiness["periodSeconds"] * readiness["failureThreshold"]
    assert float(environment(Service.GATEWAY)["RECSYS_DRAIN_NOTICE_SECONDS"]) > unready_after


def test_a_recommender_may_compile_for_minutes_on_a_full_node() -> None:
    startup = container(Service.RECOMMENDER)["startupProbe"]
    assert startup["tcpSocket"]["port"] == "grpc"
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300


@every_service
def test_selectors_find_the_pods(service: Service) -> None:
    spec = manifest("Deployment", service)["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == labels
    assert manifest("Service", service)["spec"]["selector"] == labels
    assert manifest("PodDisruptionBudget", service)["spec"]["selector"]["matchLabels"] == labels
    (spread,) = pod(service)["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == labels


@every_service
def test_replicas_come_before_others_go_and_never_go_together(service: Service) -> None:
    strategy = manifest("Deployment", service)["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    # A minimum would keep a node with the only replica from ever being drained.
    assert manifest("PodDisruptionBudget", service)["spec"]["maxUnavailable"] == 1


@every_service
def test_container_can_do_no_more_than_it_must(service: Service) -> None:
    assert pod(service)["automountServiceAccountToken"] is False
    assert pod(service)["securityContext"]["runAsNonRoot"] is True
    assert container(service)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@every_service
def test_user_and_memory_are_those_of_the_containers(service: Service) -> None:
    compose = load_compose()["services"][service]
    security = pod(service)["securityContext"]
    assert f"{security['runAsUser']}:{security['runAsGroup']}" == compose["user"]
    (memory,) = re.findall(r"\d+[mg]", compose["deploy"]["resources"]["limits"]["memory"])
    limit = container(service)["resources"]["limits"]["memory"]
    assert limit == memory.replace("m", "Mi").replace("g", "Gi")


def test_only_the_api_is_let_in_from_outside() -> None:
    (rule,) = manifest("Ingress", "gateway")["spec"]["rules"]
    paths = rule["http"]["paths"]
    assert {each["path"] for each in paths} == {"/v1", "/docs", "/openapi.json", "/problems"}
    (port,) = manifest("Service", Service.GATEWAY)["spec"]["ports"]
    for each in paths:
        assert each["backend"]["service"] == {"name": "gateway", "port": {"name": port["name"]}}


def test_every_file_is_listed_and_the_image_has_a_name() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")}
    assert files == {
        *KUSTOMIZATION["resources"],
        "kustomization.yaml",
        "prometheus-adapter.values.yaml",
    }
    (image,) = KUSTOMIZATION["images"]
    assert {container(service)["image"] for service in Service} == {image["name"]}
    assert len(MANIFESTS) == 2 + 4 * len(Service)
