"""Deadline and id of a request, for its calls to the services behind."""

from typing import Annotated

from fastapi import Depends, Request

from recsys.runtime.deadline import Deadline
from services.gateway.dependencies import dependencies_of
from services.gateway.upstream.ingest import CallContext


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
