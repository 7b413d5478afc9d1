"""Health, metrics and kinds of problem: routes for load balancers, monitoring and people."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from recsys.runtime.metrics import CONTENT_TYPE
from services.gateway.dependencies import dependencies_of
from services.gateway.routes.openapi import problem_responses
from services.gateway.schemas.problems import NOT_FOUND, PROBLEM_TYPES, UNAVAILABLE, ProblemError

router = APIRouter()


class Alive(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "ready", "parts": {"recommender": "no model yet", "ingest": "ready"}}
            ]
        }
    )

    status: Literal["ready"] = "ready"
    parts: dict[str, str]


class Kind(BaseModel):
    """One kind of problem."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"type": UNAVAILABLE.uri, "title": UNAVAILABLE.title, "status": 503}]
        }
    )

    type: str = Field(json_schema_extra={"format": "uri-reference"})
    title: str
    status: int = Field(ge=400, le=599)


@router.get("/livez", tags=["health"], summary="Is the process alive?")
async def livez() -> Alive:
    return Alive()


@router.get(
    "/readyz",
    tags=["health"],
    summary="Should requests be sent here?",
    responses=problem_responses(UNAVAILABLE),
)
async def readyz(request: Request) -> Ready:
    """Ready while any part behind the gateway answers, until the gateway is told to stop.

    A part is `ready` or `unavailable`; the recommender has `no model yet` until the first one of
    any shop is published, and recommendations are what is popular until then. It is `ready` with a
    remark while a replica keeps an older model, such as one that is not upgraded yet.
    """
    readiness = dependencies_of(request).readiness
    parts = readiness.parts()
    if not readiness.is_ready(parts):
        raise ProblemError(UNAVAILABLE, "send requests elsewhere", members={"parts": parts})
    return Ready(parts=dict(parts))


@router.get(
    "/problems/{name}",
    tags=["problems"],
    summary="Read what a kind of problem means",
    responses=problem_responses(NOT_FOUND),
)
async def problem(name: Annotated[str, Path(examples=["invalid-input"])]) -> Kind:
    """Describe the `type` of a problem."""
    for kind in PROBLEM_TYPES:
        if kind.name == name:
            return Kind(type=kind.uri, title=kind.title, status=kind.status)
    raise ProblemError(NOT_FOUND, "there is no such type of problem")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Metrics for the monitoring inside; the load balancer refuses this path to storefronts."""
    body = dependencies_of(request).metrics.exposition()
    return Response(body, headers={"Content-Type": CONTENT_TYPE})
