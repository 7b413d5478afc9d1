"""Settings from the environment: typed, bounded, read once in `main()`."""

import ipaddress
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recsys.config.address import Address, parse_address
from recsys.config.faults import fault_reason
from recsys.core.domain import tenant_problem
from recsys.core.errors import ConfigurationError

_Settings = TypeVar("_Settings", bound="ProcessSettings")


def _parse_if_set(value: object) -> Address | None:
    return None if value is None else parse_address(value)


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(value: object) -> object:
    """Read "10.0.0.0/8,::1": networks and single addresses."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(
            ipaddress.ip_network(each.strip()) for each in value.split(",") if each.strip()
        )
    except ValueError as error:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, with commas") from error


Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(parse_networks)]


def _check_tenant(value: str) -> str:
    if reason := tenant_problem(value):
        raise ValueError(reason)
    return value


def expand_home(path: Path) -> Path:
    """Replace ~ by the home. Raises ValueError where there is none."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError("begins with ~, but there is no such home: name the folder") from error


# Nobody expands ~ in what systemd and Compose set, and a folder of that name would be made.
SettingPath = Annotated[Path, AfterValidator(expand_home)]
HostPort = Annotated[Address, NoDecode, BeforeValidator(parse_address)]
OptionalHostPort = Annotated[Address | None, NoDecode, BeforeValidator(_parse_if_set)]
TenantName = Annotated[str, AfterValidator(_check_tenant)]
# Guessing must be hopeless, whatever the operator makes it of.
_MIN_TOKEN_CHARACTERS = 16


def _check_token(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value()
    if secret and (len(secret) < _MIN_TOKEN_CHARACTERS or not secret.isascii()):
        raise ValueError(f"must have at least {_MIN_TOKEN_CHARACTERS} ASCII characters")
    return value


ServiceToken = Annotated[SecretStr, AfterValidator(_check_token)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class ProcessSettings(BaseSettings):
    """Settings of every process. Each field names its environment variable."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, validate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Strip the variables' values: files of secrets end with a newline, templates leave blanks.

        An empty value is none. Where a default would stand in for it, such as another shop's name,
        it stays, and is refused: somebody meant to say something else.
        """
        variables = {field.validation_alias: field for field in cls.model_fields.values()}
        found = {}
        for name, value in values.items():
            if not isinstance(value, str) or name not in variables:
                # Said by code, which means what it says.
                found[name] = value
            elif stripped := value.strip():
                found[name] = stripped
            elif not variables[name].is_required() and variables[name].default is not None:
                found[name] = ""
        return found

    # Which of several replicas a log line is of.
    instance: str = Field(
        default_factory=socket.gethostname,
        validation_alias="RECSYS_INSTANCE",
        min_length=1,
        max_length=64,
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias="RECSYS_LOG_LEVEL"
    )
    # How long requests under way may take to finish after SIGTERM.
    drain_seconds: Seconds = Field(default=10.0, validation_alias="RECSYS_DRAIN_SECONDS")


class GrpcServiceSettings(ProcessSettings):
    """Further settings of every gRPC service."""

    listen: HostPort = Field(validation_alias="RECSYS_LISTEN")
    # The secret that gateways and services share. With it a service answers gateways, and others by
    # their API keys; without it whoever reaches it, so its network must be its own.
    service_token: ServiceToken = Field(
        default=SecretStr(""), validation_alias="RECSYS_SERVICE_TOKEN"
    )
    # Only where there is a service token; without the file it answers gateways alone.
    api_keys: SettingPath | None = Field(default=None, validation_alias="RECSYS_API_KEYS")
    reflection: bool = Field(default=False, validation_alias="RECSYS_GRPC_REFLECTION")
    # Where to serve metrics over HTTP; nowhere when not set.
    metrics_listen: OptionalHostPort = Field(default=None, validation_alias="RECSYS_METRICS_LISTEN")


def load_settings(kind: type[_Settings]) -> _Settings:
    """Read settings of this kind from the environment.

    Raises:
        ConfigurationError: naming every variable at fault; values are left out, some are secret.
    """
    try:
        return kind()
    except ValidationError as error:
        faults = [f"{fault['loc'][0]}: {_reason(fault)}" for fault in error.errors()]
        raise ConfigurationError("; ".join(faults)) from None


def _reason(fault: Mapping[str, Any]) -> str:
    return "is required and not set" if fault["type"] == "missing" else fault_reason(fault)
