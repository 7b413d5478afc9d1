"""Around every unary RPC: the request's id in the logs, errors as statuses, metrics."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import structlog

from recsys.core.errors import InvalidInput, NotFound, Unavailable
from recsys.runtime.grpc_errors import status_of
from recsys.runtime.metrics import RequestMetrics

REQUEST_ID_KEY = "x-request-id"

# Health checks and reflection look after themselves.
_FOREIGN = "/grpc."

_log = structlog.get_logger()

_Handler = Any  # grpc.RpcMethodHandler; its type parameters differ for every method
_Details = grpc.HandlerCallDetails


class ThreadGuard(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """For servers that run each RPC on a thread.

    Args:
        max_wait_seconds: a call that has waited longer for its thread is refused. Its caller's time
            went on meanwhile, and doing it too late would only make the next ones late, too.
    """

    def __init__(self, requests: RequestMetrics, max_wait_seconds: float) -> None:
        self._requests = requests
        self._max_wait_seconds = max_wait_seconds

    def intercept_service(
        self, continuation: Callable[[_Details], _Handler], handler_call_details: _Details
    ) -> _Handler:
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if not _is_guarded(handler, method):
            return handler
        behaviour = handler.unary_unary
        # A call comes through here when it arrives, and is `guarded` when it has got its thread.
        arrived = time.perf_counter()

        def guarded(request: object, context: grpc.ServicerContext) -> object:
            self._requests.begin()
            code = grpc.StatusCode.OK
            with structlog.contextvars.bound_contextvars(request_id=_request_id(context)):
                try:
                    self._refuse_if_late(arrived)
                    return behaviour(request, context)
                except Exception as error:
                    _log_failure(method, error)
                    code, details, metadata = status_of(error)
                    context.set_trailing_metadata(metadata)
                    return context.abort(code, details)
                finally:
                    self._requests.end(_route(method), code.name, arrived)

        return _with_behaviour(handler, guarded)

    def _refuse_if_late(self, arrived: float) -> None:
        if time.perf_counter() - arrived > self._max_wait_seconds:
            raise Unavailable("service", "there are too many calls")


class AsyncGuard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """For servers that run RPCs on an event loop."""

    def __init__(self, requests: RequestMetrics) -> None:
        self._requests = requests

    async def intercept_service(
        self, continuation: Callable[[_Details], Awaitable[_Handler]], details: _Details
    ) -> _Handler:
        handler = await continuation(details)
        method = details.method
        if not _is_guarded(handler, method):
            return handler
        behaviour = handler.unary_unary

        async def guarded(request: object, context: Any) -> object:
            begun, code = self._requests.begin(), grpc.StatusCode.OK
            with structlog.contextvars.bound_contextvars(request_id=_request_id(context)):
                try:
                    return await behaviour(request, context)
                except asyncio.CancelledError:
                    # The caller went away, or its time was up.
                    code = grpc.StatusCode.CANCELLED
                    raise
                except Exception as error:
                    _log_failure(method, error)
                    code, details, metadata = status_of(error)
                    return await context.abort(code, details, metadata)
                finally:
                    self._requests.end(_route(method), code.name, begun)

        return _with_behaviour(handler, guarded)


def _is_guarded(handler: _Handler, method: str) -> bool:
    return (
        handler is not None and handler.unary_unary is not None and not method.startswith(_FOREIGN)
    )


def _route(method: str) -> str:
    """ "RecordEvents" of "/recsys.rpc.v1.IngestService/RecordEvents"."""
    return method.rpartition("/")[2]


def _with_behaviour(handler: _Handler, behaviour: Callable[..., object]) -> _Handler:
    return grpc.unary_unary_rpc_method_handler(
        behaviour, handler.request_deserializer, handler.response_serializer
    )


def _request_id(context: Any) -> str | None:
    return next(
        (value for key, value in context.invocation_metadata() if key == REQUEST_ID_KEY), None
    )


def _log_failure(method: str, error: Exception) -> None:
    code = status_of(error)[0]
    if isinstance(error, InvalidInput | NotFound):
        # The caller's mistake; its words may hold ids, which do not belong into logs.
        _log.info("rpc_refused", method=method, code=code.name)
    elif code is grpc.StatusCode.INTERNAL:
        _log.error("rpc_failed", method=method, code=code.name, exc_info=error)
    else:
        _log.warning("rpc_failed", method=method, code=code.name, reason=str(error))
