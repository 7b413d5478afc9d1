"""What the batch side needs to know, from the environment."""

from pathlib import Path

from pydantic import Field, SecretStr

from recsys.runtime.settings import ProcessSettings


class BatchSettings(ProcessSettings):
    """Where the stores are and how Spark runs."""

    tenant: str = Field(default="demo", validation_alias="RECSYS_TENANT")
    hbase_thrift: str = Field(default="127.0.0.1:9090", validation_alias="HBASE_THRIFT")
    # May carry a password.
    redis_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6390/0"), validation_alias="REDIS_URL"
    )
    # A folder that the driver and every executor see.
    model_store: Path = Field(default=Path("models"), validation_alias="RECSYS_MODEL_STORE")
    shop_config: Path | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")
    spark_master: str = Field(default="local[*]", validation_alias="RECSYS_SPARK_MASTER")
    spark_memory: str = Field(default="2g", validation_alias="RECSYS_SPARK_MEMORY")

    def run_folder(self, tenant: str) -> Path:
        """Where a nightly run keeps what one step leaves for the next."""
        return self.model_store / ".runs" / tenant
