from ipaddress import ip_network

import pytest
from pydantic import Field, SecretStr

from recsys.config.address import Address, parse_address
from recsys.config.settings import HostPort, ProcessSettings, Seconds, load_settings, parse_networks
from recsys.core.errors import ConfigurationError


class Settings(ProcessSettings):
    listen: HostPort = Field(validation_alias="TEST_LISTEN")
    secret: SecretStr = Field(default=SecretStr(""), validation_alias="TEST_SECRET", max_length=3)
    budget_seconds: Seconds = Field(default=1.0, validation_alias="TEST_BUDGET_SECONDS")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LISTEN", "[::1]:80")
    monkeypatch.setenv("RECSYS_LOG_LEVEL", "debug")
    settings = load_settings(Settings)
    assert settings.listen == Address("::1", 80)
    assert (settings.log_level, settings.budget_seconds) == ("debug", 1.0)


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_LISTEN", raising=False)
    with pytest.raises(ConfigurationError, match="TEST_LISTEN: is required and not set"):
        load_settings(Settings)


def test_all_wrong_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_LISTEN", "nowhere")
    monkeypatch.setenv("TEST_SECRET", "hunter2")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(Settings)
    assert "TEST_LISTEN: must be HOST:PORT" in str(caught.value)
    assert "TEST_SECRET: " in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["nan", "inf", "0", "-1", "1e9", "soon"])
def test_waiting_is_bounded(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TEST_LISTEN", "127.0.0.1:80")
    monkeypatch.setenv("TEST_BUDGET_SECONDS", value)
    with pytest.raises(ConfigurationError, match="TEST_BUDGET_SECONDS"):
        load_settings(Settings)


@pytest.mark.parametrize("text", ["", ":80", "host", "host:", "host:port", "host:65536", "host:٣"])
def test_an_address_has_a_host_and_a_port(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize("text", ["127.0.0.1:80", "example.org:65535", "[::1]:1"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_address(text)) == text


def test_networks_are_listed_with_commas() -> None:
    assert parse_networks("10.0.0.0/8, ::1,") == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert parse_networks("") == ()


@pytest.mark.parametrize("text", ["everybody", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0;::1"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="addresses or networks"):
        parse_networks(text)
