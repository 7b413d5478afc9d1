"""Around the application: answers what is accepted, passes on the rest."""

from contextlib import suppress

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.dependencies import Dependencies
from services.gateway.fast_path.accepted_request import AcceptedRequest, header
from services.gateway.fast_path.get_requests import read_get
from services.gateway.fast_path.post_requests import Receiver, read_post
from services.gateway.http.request_context import HEADER, request_id_of
from services.gateway.schemas.problems import INTERNAL, ProblemError, problem_response

_JSON = (b"content-type", b"application/json")
_REQUEST_ID = HEADER.lower().encode()

_log = structlog.get_logger()


class FastPath:
    """Answers what it can; the application is asked for the rest."""

    def __init__(self, app: ASGIApp, dependencies: Dependencies) -> None:
        self._app = app
        self._dependencies = dependencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = None
        if scope["type"] == "http":
            # What goes wrong here goes wrong in the application too, which logs and answers it.
            with suppress(Exception):
                if scope["method"] in ("GET", "HEAD"):
                    accepted = read_get(self._dependencies, scope)
                elif scope["method"] == "POST":
                    receive = Receiver(receive)
                    accepted = await read_post(self._dependencies, scope, receive)
        if accepted is None:
            await self._app(scope, receive, send)
        else:
            await self._answer(accepted, scope, receive, send)

    async def _answer(
        self, accepted: AcceptedRequest, scope: Scope, receive: Receive, send: Send
    ) -> None:
        requests = self._dependencies.metrics.requests
        begun, status = requests.begin(), 200
        request_id = request_id_of((header(scope, _REQUEST_ID) or b"").decode("latin-1"))
        # For CORS, whose lists are the shops'.
        scope.setdefault("state", {})["key"] = accepted.key
        try:
            self._dependencies.rate_limits.check(accepted.key, scope)
            body = await accepted.respond(request_id)
            await _send(body, request_id, accepted.headers, send)
        except Exception as error:
            problem = _problem(error, accepted.route, request_id)
            status = problem.kind.status
            response = problem_response(problem, scope["raw_path"].decode("latin-1"), request_id)
            response.headers[HEADER] = request_id
            await response(scope, receive, send)
        seconds = requests.end(accepted.route, status, begun)
        self._dependencies.access_log.served(
            scope["method"], accepted.route, accepted.key, status, seconds, request_id
        )


def _problem(error: Exception, route: str, request_id: str) -> ProblemError:
    if isinstance(error, ProblemError):
        return error
    _log.error("request_failed", route=route, request_id=request_id, exc_info=error)
    return ProblemError(INTERNAL, "see the log of the gateway")


async def _send(
    body: bytes, request_id: str, more: tuple[tuple[bytes, bytes], ...], send: Send
) -> None:
    headers = [
        (b"content-length", b"%d" % len(body)),
        _JSON,
        *more,
        (_REQUEST_ID, request_id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
