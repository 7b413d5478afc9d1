"""Settings of the batch side, from the environment."""

from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr

from recsys.config.settings import ProcessSettings, SettingPath, TenantName, load_settings
from recsys.core.errors import ConfigurationError
from recsys.stores.run_files import run_folder

_Settings = TypeVar("_Settings", bound=ProcessSettings)


class TenantSettings(ProcessSettings):
    """Tenant that a command works on."""

    tenant: TenantName = Field(default="demo", validation_alias="RECSYS_TENANT")


class ShopSettings(TenantSettings):
    """Folder of the shops' settings."""

    shop_config: SettingPath | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")


class SparkSettings(ProcessSettings):
    """Settings of Spark."""

    spark_master: str = Field(default="local[*]", validation_alias="RECSYS_SPARK_MASTER")
    spark_memory: str = Field(
        default="2g", pattern="^[1-9][0-9]*[kmgtKMGT]$", validation_alias="RECSYS_SPARK_MEMORY"
    )
    # What the Python process of one task may take, beside the JVM's heap.
    task_memory_gib: float = Field(
        default=4.0, gt=0, allow_inf_nan=False, validation_alias="RECSYS_SPARK_TASK_MEMORY_GIB"
    )


class ImportSettings(ShopSettings):
    """Stores of behaviour and items, and the shop's configuration.

    The stores have no defaults: a run that reads from, or publishes to, another place than its
    operator thinks would look like a success.
    """

    hbase_thrift: str = Field(validation_alias="HBASE_THRIFT")


class CatalogueImportSettings(ImportSettings):
    """Redis too: recommendations follow items at once."""

    # May carry a password.
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")


class ReportSettings(ImportSettings, SparkSettings):
    """Behaviour in HBase, the shop's configuration, and Spark."""


class ModelStoreSettings(ShopSettings):
    """Folder of the models, and of what the last nightly run read."""

    # A folder that the driver and every executor see.
    model_store: SettingPath = Field(validation_alias="RECSYS_MODEL_STORE")

    def run_folder(self, tenant: str) -> Path:
        """Folder in which one step of a nightly run leaves its result for the next."""
        return run_folder(self.model_store, tenant)


class ModelAccessSettings(ModelStoreSettings):
    """Folder of the models, and Redis where it tells which of them serves."""

    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")


class BatchSettings(CatalogueImportSettings, SparkSettings, ModelStoreSettings):
    """Stores of models, on disk and in Redis."""

    # Of thrift2, which reads what was written in a range of time; without it all is read.
    hbase_thrift2: str | None = Field(default=None, validation_alias="HBASE_THRIFT2")


def load(kind: type[_Settings]) -> _Settings:
    """Read settings of this kind.

    Raises:
        ConfigurationError: naming every variable at fault, and where the local stack's come from.
    """
    try:
        return load_settings(kind)
    except ConfigurationError as error:
        hint = 'for the local stack: eval "$(.venv/bin/python -m infra.local env)"'
        raise ConfigurationError(f"{error} ({hint})") from error
