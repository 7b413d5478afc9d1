"""What the recommender is told."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from recsys.runtime.settings import Address, ListenAddress, ProcessSettings


def _names(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class RecommenderSettings(ProcessSettings):
    """Environment of `python -m services.recommender`."""

    listen: ListenAddress = Field(
        default=Address("127.0.0.1", 50051), validation_alias="RECSYS_LISTEN"
    )
    redis_url: str = Field(default="redis://127.0.0.1:6390/0", validation_alias="REDIS_URL")
    # Shops served by this process, separated by commas.
    tenants: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=("demo",), validation_alias="RECSYS_TENANTS", min_length=1
    )
    max_calls: int = Field(default=1000, validation_alias="RECSYS_MAX_CALLS", ge=1, le=100_000)
    reflection: bool = Field(default=False, validation_alias="RECSYS_GRPC_REFLECTION")
