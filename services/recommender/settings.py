"""Settings of the recommender, from its environment."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from recsys.config.settings import GrpcServiceSettings, SettingPath, TenantName


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


class RecommenderSettings(GrpcServiceSettings):
    # May carry a password.
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    # The shops this process serves, separated by commas; each has its model in memory.
    tenants: Annotated[tuple[TenantName, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=("demo",), min_length=1, validation_alias="RECSYS_TENANTS"
    )
    # The folder of TENANT.toml, for placements that gRPC callers name.
    shop_config: SettingPath | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")
    # "dns:///host:port" of ingest, for rules on what a shop says of its users. Without it these
    # rules are left out for gRPC callers, and answers are degraded.
    ingest_target: str | None = Field(default=None, validation_alias="RECSYS_INGEST_TARGET")
    max_calls: int = Field(default=1000, ge=1, le=100_000, validation_alias="RECSYS_MAX_CALLS")
    # What may be kept in memory of lists and answers, for each tenant; 0 keeps nothing.
    cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0, validation_alias="RECSYS_CACHE_BYTES")
