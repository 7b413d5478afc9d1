from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from recsys.config.address import Address, parse_address
from recsys.config.settings import (
    HostPort,
    ProcessSettings,
    Seconds,
    SettingPath,
    TenantName,
    load_settings,
    parse_networks,
)
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


class Shop(Settings):
    folder: SettingPath = Field(validation_alias="TEST_FOLDER")
    rules: SettingPath | None = Field(default=None, validation_alias="TEST_RULES")
    tenant: TenantName = Field(default="demo", validation_alias="TEST_TENANT")


@pytest.fixture
def shop_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables that a shop needs, to be changed."""
    monkeypatch.setenv("TEST_LISTEN", "127.0.0.1:80")
    monkeypatch.setenv("TEST_FOLDER", "/models")
    return monkeypatch


def test_a_newline_at_the_end_of_a_secrets_file_is_no_part_of_its_value(
    shop_variables: pytest.MonkeyPatch,
) -> None:
    shop_variables.setenv("TEST_LISTEN", "127.0.0.1:80\n")
    shop_variables.setenv("TEST_SECRET", "abc\r\n")
    shop_variables.setenv("TEST_FOLDER", " /models\n")
    settings = load_settings(Shop)
    assert (settings.listen, settings.folder) == (Address("127.0.0.1", 80), Path("/models"))
    assert settings.secret.get_secret_value() == "abc"


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_an_empty_folder_is_none_and_not_the_working_directory(
    shop_variables: pytest.MonkeyPatch, value: str
) -> None:
    shop_variables.setenv("TEST_FOLDER", value)
    with pytest.raises(ConfigurationError, match="TEST_FOLDER: is required and not set"):
        load_settings(Shop)
    shop_variables.setenv("TEST_FOLDER", "/models")
    shop_variables.setenv("TEST_RULES", value)
    assert load_settings(Shop).rules is None


def test_a_path_may_begin_with_the_home_that_no_shell_has_put_there(
    shop_variables: pytest.MonkeyPatch,
) -> None:
    shop_variables.setenv("HOME", "/home/ann")
    shop_variables.setenv("TEST_FOLDER", "~/models")
    assert load_settings(Shop).folder == Path("/home/ann/models")

    shop_variables.setenv("TEST_FOLDER", "~nobody-of-this-name/models")
    with pytest.raises(ConfigurationError, match="TEST_FOLDER: begins with ~, but there is no"):
        load_settings(Shop)


def test_an_empty_name_is_not_taken_for_that_of_another_shop(
    shop_variables: pytest.MonkeyPatch,
) -> None:
    shop_variables.setenv("TEST_TENANT", "")
    with pytest.raises(ConfigurationError, match="TEST_TENANT: must be"):
        load_settings(Shop)


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
