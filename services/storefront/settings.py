"""Settings of the demo shop, from its environment, and the file of its keys."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

from recsys.config.settings import HostPort, ProcessSettings, SettingPath, TenantName

# "http://a:1/metrics,http://b:1/metrics".
Urls = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(lambda text: text.split(",") if isinstance(text, str) else text),
]


class StorefrontSettings(ProcessSettings):
    listen: HostPort = Field(validation_alias="RECSYS_LISTEN")
    # Where the API is asked, by the shop's server; its pages call the host that they come from.
    api_url: str = Field(validation_alias="RECSYS_URL", pattern="^https?://")
    keys: SettingPath = Field(validation_alias="RECSYS_STOREFRONT_KEYS")
    # For the operator's page alone: the model store, the settings of shops, and where each gateway
    # shows its metrics.
    model_store: SettingPath | None = Field(default=None, validation_alias="RECSYS_MODEL_STORE")
    shop_config: SettingPath | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")
    gateway_metrics: Urls = Field(default=(), validation_alias="RECSYS_GATEWAY_METRICS")


_Secret = Annotated[str, Field(min_length=1, repr=False)]


class StorefrontKeys(BaseModel):
    """What an operator gives to a storefront.

    Attributes:
        api_key: of the shop's server: reads, and records purchases.
        public_key: stands in the pages, worth nothing without a session token.
        session_secret: signs those tokens.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    tenant: TenantName
    api_key: _Secret
    public_key: _Secret
    session_secret: _Secret
