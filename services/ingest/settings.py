"""Settings of the ingest service."""

from pydantic import Field, SecretStr

from recsys.config.address import Address
from recsys.config.settings import GrpcServiceSettings, HostPort, SettingPath


class IngestSettings(GrpcServiceSettings):
    """Environment of `python -m services.ingest`.

    The stores have no defaults: acknowledged events must not end up elsewhere than thought.
    """

    listen: HostPort = Field(default=Address("127.0.0.1", 50061), validation_alias="RECSYS_LISTEN")
    hbase_thrift: HostPort = Field(validation_alias="HBASE_THRIFT")
    # May carry a password.
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    # The folder of TENANT.toml; without one all shops have the shipped settings.
    shop_config: SettingPath | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")
    # Each holds one connection to HBase while it works.
    threads: int = Field(default=16, validation_alias="RECSYS_INGEST_THREADS", ge=1, le=256)
