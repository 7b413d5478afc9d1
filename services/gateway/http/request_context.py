"""Around every request: its id, metrics, one line in the log, and an answer whatever happens."""

import asyncio
import itertools
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys.auth.api_keys import ApiKey
from recsys.runtime.metrics import UNKNOWN_ROUTE, RequestMetrics
from services.gateway.schemas.problems import INTERNAL, ProblemError, problem_response

HEADER = "X-Request-ID"
# `REQUEST_ID_RULES` in JSON Schema.
_SANE_ID = re.compile(r"[\x21-\x7e]{1,128}")
# What nginx made customary for a client that went away before its answer.
_CLIENT_WENT_AWAY = 499
# Asked again and again by load balancers and monitoring; logged only when debugging.
_PROBES = ("/livez", "/readyz", "/metrics")

_log = structlog.get_logger()


class RequestContext:
    """Names and counts each request, logs it, and turns what nobody foresaw into a problem.

    Log and metrics name the route's template, not the path: user ids do not belong there. Who
    called is told by the id of the key.
    """

    def __init__(self, app: ASGIApp, requests: RequestMetrics) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = self._requests.begin()
        method = scope["method"]
        if method == "HEAD":
            # Routed as the GET whose headers it asks for. A copy: the server leaves out the body
            # where its own scope says HEAD.
            scope = {**scope, "method": "GET"}
        request_id = request_id_of(Headers(scope=scope).get(HEADER, ""))
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
                    error = ProblemError(INTERNAL, "see the log of the gateway")
                    answer = problem_response(error, scope["path"], request_id)
                    await answer(scope, receive, send_named)
            route = route_template(scope)
            seconds = self._requests.end(route or UNKNOWN_ROUTE, status, begun)
            _log_served(method, route, scope["state"].get("key"), status, seconds)


def request_id_of(given: str) -> str:
    """The caller's, so that one id runs through all logs; ours if it could harm them."""
    return given if _SANE_ID.fullmatch(given) else next(_ids)


def _new_ids() -> Iterator[str]:
    """Ids no other process makes; nobody has to be kept from guessing them."""
    process = secrets.token_hex(10)
    return (f"{process}{number:012x}" for number in itertools.count())


_ids = _new_ids()


def _log_served(
    method: str, route: str | None, key: ApiKey | None, status: int, seconds: float
) -> None:
    log = _log.debug if route in _PROBES else _log.info
    log(
        "request_served",
        method=method,
        route=route,
        # Null for whoever has no valid key.
        key_id=key and key.key_id,
        tenant=key and key.tenant,
        status=status,
        duration_ms=round(seconds * 1000, 2),
    )


def route_template(scope: Scope) -> str | None:
    """The path as its route names it, e.g. /v1/items/{item_id}; None where no route fits."""
    return getattr(scope.get("route"), "path", None)


WRITE_EVERY_SECONDS = 0.1


class AccessLog:
    """The same line in bulk, for the fast path: one of structlog would cost as much as its answer.

    Lines are kept for a moment and written together; a process that is killed loses those of that
    moment. Make it inside the running event loop.

    Args:
        write: takes whole lines, e.g. of standard output.
    """

    def __init__(self, service: str, instance: str, write: Callable[[str], object]) -> None:
        self._origin = f'"service": {json.dumps(service)}, "instance": {json.dumps(instance)}'
        self._write = write
        self._lines: list[str] = []
        self._loop = asyncio.get_running_loop()
        self._second, self._stamp = 0, ""

    def served(
        self, method: str, route: str, key: ApiKey, status: int, seconds: float, request_id: str
    ) -> None:
        """Note one request; `route` is its template, for user ids do not belong into logs."""
        if not self._lines:
            self._loop.call_later(WRITE_EVERY_SECONDS, self.flush)
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._lines.append(
            f'{{{self._origin}, "method": "{method}", "route": "{route}", '
            f'"key_id": "{key.key_id}", "tenant": {encode_basestring_ascii(key.tenant)}, '
            f'"status": {status}, '
            f'"duration_ms": {seconds * 1000:.2f}, "event": "request_served", '
            f'"request_id": {encode_basestring_ascii(request_id)}, "level": "info", '
            f'"timestamp": "{self._stamp}.{int(now % 1 * 1e6):06d}Z"}}\n'
        )

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        if lines:
            self._write("".join(lines))
