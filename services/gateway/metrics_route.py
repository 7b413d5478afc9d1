"""Metrics for the monitoring inside; the load balancer refuses this path to storefronts."""

from fastapi import APIRouter, Request, Response

from recsys.runtime.metrics import CONTENT_TYPE
from services.gateway.dependencies import dependencies_of

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    body = dependencies_of(request).metrics.exposition()
    return Response(body, headers={"Content-Type": CONTENT_TYPE})
