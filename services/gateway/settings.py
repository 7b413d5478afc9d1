"""Settings of the gateway, from its environment."""

from ipaddress import ip_network

from pydantic import Field, SecretStr

from recsys.config.settings import (
    HostPort,
    Networks,
    ProcessSettings,
    Seconds,
    ServiceToken,
    SettingPath,
)


class GatewaySettings(ProcessSettings):
    listen: HostPort = Field(validation_alias="RECSYS_LISTEN")
    # The file of hashed keys; `recsys keys create` makes it.
    api_keys: SettingPath = Field(validation_alias="RECSYS_API_KEYS")
    # "dns:///host:port", or "ipv4:a:port,b:port" for fixed replicas.
    recommender_target: str = Field(validation_alias="RECSYS_RECOMMENDER_TARGET", min_length=1)
    ingest_target: str = Field(validation_alias="RECSYS_INGEST_TARGET", min_length=1)
    service_token: ServiceToken = Field(
        default=SecretStr(""), validation_alias="RECSYS_SERVICE_TOKEN"
    )
    # The folder that ingest has: the description of the API lists the shops' types of event.
    shop_config: SettingPath | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")
    # The balancers in front, whose word is taken for which client they speak. By default one on the
    # same machine, as in the local stack.
    trusted_proxies: Networks = Field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1")),
        validation_alias="RECSYS_TRUSTED_PROXIES",
    )
    # How long a request may take from its body being read to its answer.
    read_seconds: Seconds = Field(default=1.0, validation_alias="RECSYS_READ_SECONDS")
    write_seconds: Seconds = Field(default=5.0, validation_alias="RECSYS_WRITE_SECONDS")
    # Questions to recommenders that may be under way at once; more are refused at once.
    max_pending: int = Field(default=1000, ge=1, validation_alias="RECSYS_MAX_PENDING")
    # How long to go on serving after SIGTERM, for the load balancer to see /readyz turn.
    drain_notice_seconds: Seconds = Field(
        default=2.0, validation_alias="RECSYS_DRAIN_NOTICE_SECONDS"
    )
