"""A notebook's access to its shop: the environment names the model store and the tenant."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from recsys.analysis.shop_data import ShopData, read_last_run
from recsys.config.settings import ProcessSettings, TenantName, load_settings
from recsys.config.shop import Shop
from recsys.config.shops import shop_of
from recsys.core.errors import ConfigurationError, NotFound
from recsys.stores.model_files import ModelFiles


class _Settings(ProcessSettings):
    tenant: TenantName = Field(default="demo", validation_alias="RECSYS_TENANT")
    shop_config: Path | None = Field(default=None, validation_alias="RECSYS_SHOP_CONFIG")
    model_store: Path = Field(validation_alias="RECSYS_MODEL_STORE")


@dataclass(frozen=True)
class Workplace:
    """One shop: what its events mean, its model versions and the data of its last run."""

    tenant: str
    shop: Shop
    model_store: Path

    @property
    def models(self) -> ModelFiles:
        return ModelFiles(self.model_store)

    def newest_version(self) -> str:
        """Raises NotFound when there is no version yet."""
        versions = self.models.versions(self.tenant)
        if not versions:
            raise NotFound(
                f"no model of {self.tenant} in {self.model_store}: "
                f"run recsys nightly --tenant {self.tenant}"
            )
        return versions[-1]

    def last_run(self) -> ShopData:
        """Raises NotFound when no run has read the shop yet."""
        return read_last_run(self.model_store, self.tenant, self.shop)


def open_workplace() -> Workplace:
    """The workplace that the environment names.

    Raises:
        ConfigurationError: naming the variable at fault, and how to get those of the local stack.
    """
    try:
        settings = load_settings(_Settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error} (`make notebook` sets the local stack's)") from error
    return Workplace(
        settings.tenant, shop_of(settings.shop_config, settings.tenant, print), settings.model_store
    )
