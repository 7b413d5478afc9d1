"""Around every request: its id, one line in the log, and an answer whatever happens."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.problems import INTERNAL, ProblemError, problem_response

HEADER = "X-Request-ID"
_SANE_ID = re.compile(r"[\x21-\x7e]{1,128}")
# What nginx made customary for a client that went away before its answer.
_CLIENT_WENT_AWAY = 499
# Asked several times a second by load balancers; logged only when debugging.
_PROBES = ("/livez", "/readyz")

_log = structlog.get_logger()


class RequestContext:
    """Names each request, logs it in one line, and turns what nobody foresaw into a problem.

    The line holds the route's template, not the path: user ids do not belong into logs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_named)
            except ClientDisconnect:
                status = _CLIENT_WENT_AWAY
            except Exception:
                _log.exception("request_failed", route=route_template(scope))
                if not status:
                    error = ProblemError(INTERNAL, "the log of the gateway says why")
                    answer = problem_response(error, scope["path"], request_id)
                    await answer(scope, receive, send_named)
            _log_served(scope, status, time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    """The caller's, so that one id runs through all logs; ours if it could harm them."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _log_served(scope: Scope, status: int, seconds: float) -> None:
    route = route_template(scope)
    log = _log.debug if route in _PROBES else _log.info
    duration_ms = round(seconds * 1000, 2)
    method = scope["method"]
    log("request_served", method=method, route=route, status=status, duration_ms=duration_ms)


def route_template(scope: Scope) -> str | None:
    """The path as its route names it, e.g. /v1/items/{item_id}; None where no route fits."""
    return getattr(scope.get("route"), "path", None)
