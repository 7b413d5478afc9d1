"""How long a request may take, and its id, for the questions it asks of the services behind."""

from typing import Annotated

from fastapi import Depends, Request

from recsys.runtime.deadline import Deadline
from services.gateway.backends import Call
from services.gateway.parts import parts_of


async def _read_call(request: Request) -> Call:
    return Call(Deadline.after(parts_of(request).read_seconds), request.state.request_id)


async def _write_call(request: Request) -> Call:
    return Call(Deadline.after(parts_of(request).write_seconds), request.state.request_id)


# Name them after the body in a route's parameters: the clock starts when all before is there.
ReadCall = Annotated[Call, Depends(_read_call)]
WriteCall = Annotated[Call, Depends(_write_call)]
