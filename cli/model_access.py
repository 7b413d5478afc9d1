"""Open the model version that a command names, or the one that serves."""

from dataclasses import dataclass

from recsys.core.errors import NotFound, Unavailable
from recsys.core.model import TrainedModel
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from spark_jobs.settings import BatchSettings, load


@dataclass(frozen=True)
class OpenedModel:
    """One version of the model store, read and verified."""

    version: str
    model: TrainedModel


def open_model(tenant: str | None, version: str | None) -> OpenedModel:
    """Open a version, or the one that serves, or the newest where nothing can serve.

    Raises:
        NotFound, InvalidModel, ConfigurationError: see the message.
    """
    settings = load(BatchSettings)
    tenant = tenant or settings.tenant
    files = ModelFiles(settings.model_store)
    version = version or serving_version(settings, tenant) or newest_version(files, tenant)
    return OpenedModel(version, files.model(tenant, version))


def serving_version(settings: BatchSettings, tenant: str) -> str | None:
    """The version the pointer names; None when there is none or Redis is away."""
    try:
        return RedisPublishedModels(connect(settings.redis_url.get_secret_value())).current(tenant)
    except Unavailable:
        return None


def newest_version(files: ModelFiles, tenant: str) -> str:
    """Raises NotFound when the tenant has no model."""
    versions = files.versions(tenant)
    if not versions:
        raise NotFound(f"tenant {tenant} has no model yet: run recsys nightly --tenant {tenant}")
    return versions[-1]
