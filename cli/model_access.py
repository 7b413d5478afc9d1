"""Open the model version that a command names, or the one that serves."""

from contextlib import suppress
from dataclasses import dataclass

from recsys.core.errors import NotFound, Unavailable
from recsys.core.model import TrainedModel
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from spark_jobs.settings import ModelAccessSettings, load


@dataclass(frozen=True)
class OpenedModel:
    """One version of the model store, read and verified."""

    version: str
    model: TrainedModel


def open_model(tenant: str | None, version: str | None) -> OpenedModel:
    """Open a version, or the one that serves, or served last where Redis does not say.

    Raises:
        NotFound, InvalidModel, ConfigurationError: see the message.
    """
    settings = load(ModelAccessSettings)
    tenant = tenant or settings.tenant
    files = ModelFiles(settings.model_store)
    if version is None:
        with suppress(Unavailable):
            version = serving_version(settings, tenant)
    version = version or _last_version(files, tenant)
    return OpenedModel(version, files.model(tenant, version))


def serving_version(settings: ModelAccessSettings, tenant: str) -> str | None:
    """The version the pointer names; None when there is none. Raises Unavailable."""
    if settings.redis_url is None:
        raise Unavailable("redis", "REDIS_URL is not set")
    with connect(settings.redis_url.get_secret_value()) as redis:
        return RedisPublishedModels(redis).current(tenant)


def _last_version(files: ModelFiles, tenant: str) -> str:
    """The one that served last, or the newest before any has. Raises NotFound without a model."""
    versions = files.versions(tenant)
    if not versions:
        raise NotFound(files.no_model(tenant))
    served = [version for version in files.last_two(tenant) if version in versions]
    return served[0] if served else versions[-1]
