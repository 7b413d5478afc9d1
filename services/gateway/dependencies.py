"""Dependencies of the routes, wired in `main.py` or by a test."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from recsys.auth.api_keys import ApiKey
from recsys.core.event_types import EventTypesOf
from recsys.core.serving.experiments import Experiment
from recsys.core.serving.placement import Placement
from recsys.rpc.user_attributes import UserAttributes
from recsys.runtime.deadline import Deadline
from recsys.runtime.metrics import Metrics
from services.gateway.http.rate_limits import FailedKeys, RateLimits
from services.gateway.http.readiness import Readiness
from services.gateway.http.request_context import AccessLog
from services.gateway.upstream.ingest import CallContext, Ingest
from services.gateway.upstream.recommenders import Recommenders


class Keys(Protocol):
    """Says which key a text stands for."""

    def authenticate(self, text: str) -> ApiKey | None: ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything behind the routes.

    Attributes:
        event_types: those that any shop may send, for the description; ingest enforces each shop's.
        allowed_origins_of: pages that may call for a shop; for any shop: of None.
        event_types_of: those of a shop.
        windows_of: days of each window that a shop counts popularity in.
        placements_of: the placements of a shop, by their names.
        experiments_of: the experiments of a shop.
        user_attributes: what shops say of their users.
        now_ms: the current time in UTC milliseconds, by which rules hold or not.
        read_seconds, write_seconds: the budget of one request.
    """

    keys: Keys
    failed_keys: FailedKeys
    rate_limits: RateLimits
    recommender: Recommenders
    ingest: Ingest
    readiness: Readiness
    metrics: Metrics
    access_log: AccessLog
    event_types: Callable[[], Sequence[str]]
    allowed_origins_of: Callable[[str | None], Collection[str]]
    event_types_of: EventTypesOf
    windows_of: Callable[[str], Collection[int]]
    placements_of: Callable[[str], Mapping[str, Placement]]
    experiments_of: Callable[[str], Sequence[Experiment]]
    user_attributes: UserAttributes
    now_ms: Callable[[], int]
    read_seconds: float
    write_seconds: float


def dependencies_of(request: Request) -> Dependencies:
    return cast(Dependencies, request.app.state.dependencies)


async def _read_call(request: Request) -> CallContext:
    return CallContext(
        Deadline.after(dependencies_of(request).read_seconds), request.state.request_id
    )


async def _write_call(request: Request) -> CallContext:
    return CallContext(
        Deadline.after(dependencies_of(request).write_seconds), request.state.request_id
    )


# Name them after the body in a route's parameters: the clock starts when all before is there.
ReadContext = Annotated[CallContext, Depends(_read_call)]
WriteContext = Annotated[CallContext, Depends(_write_call)]
