"""Around every RPC: the request's id in the logs, errors as statuses, metrics."""

import asyncio
import functools
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import structlog

from recsys.core.errors import (
    InvalidInput,
    InvalidMessage,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RecsysError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from recsys.runtime.grpc.errors import status_of
from recsys.runtime.grpc.messages import Deserializer, check, checked, lenient, strict
from recsys.runtime.metrics import RequestMetrics

REQUEST_ID_KEY = "x-request-id"

# Health checks and reflection look after themselves.
_FOREIGN = "/grpc."

# The caller's own affair, at whatever rate: no warnings of ours.
_REFUSALS = (
    InvalidInput, InvalidMessage, NotFound, PermissionDenied, QuotaExceeded, TooManyRequests,
    Unauthenticated,
)  # fmt: skip

_log = structlog.get_logger()

_Handler = Any  # grpc.RpcMethodHandler; its type parameters differ for every method
_Behaviour = Callable[..., Any]
_Details = grpc.HandlerCallDetails

# Raises for a call that may not be made: of its full method, its message (None of a stream) and its
# metadata.
Authorize = Callable[[str, object, Any], None]


def allow_all(method: str, request: object, metadata: Any) -> None:
    """Let everybody call: for services on a network of their own."""


class ThreadGuard(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """For servers that run each RPC on a thread.

    Args:
        max_wait_seconds: a call that has waited longer for its thread is refused. Its caller's time
            went on meanwhile, and doing it too late would only make the next ones late, too.
    """

    def __init__(
        self, requests: RequestMetrics, max_wait_seconds: float, authorize: Authorize
    ) -> None:
        self._requests = requests
        self._authorize = authorize
        self._max_wait_seconds = max_wait_seconds

    def intercept_service(
        self, continuation: Callable[[_Details], _Handler], handler_call_details: _Details
    ) -> _Handler:
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        behaviour = _behaviour_of(handler)
        guard = self._measured if _is_measured(handler, method) else self._watched
        return _with_behaviour(handler, guard(behaviour, method, handler), lenient)

    def _measured(self, behaviour: _Behaviour, method: str, _: _Handler) -> _Behaviour:
        # A call comes through here when it arrives, and is `guarded` when it has got its thread.
        arrived = time.perf_counter()

        def guarded(request: object, context: grpc.ServicerContext) -> object:
            self._requests.begin()
            code = grpc.StatusCode.OK
            with structlog.contextvars.bound_contextvars(request_id=_request_id(context)):
                try:
                    self._refuse_if_late(arrived)
                    check(request)
                    self._authorize(method, request, context.invocation_metadata())
                    return behaviour(request, context)
                except Exception as error:
                    log_failure(method, error)
                    code, details, metadata = status_of(error)
                    context.set_trailing_metadata(metadata)
                    return context.abort(code, details)
                finally:
                    self._requests.end(_route(method), code.name, arrived)

        return guarded

    def _watched(self, behaviour: _Behaviour, method: str, handler: _Handler) -> _Behaviour:
        """Refuse who may not call and what could not be read; all else is the method's affair."""

        # With the marks by which grpcio knows on which threads a method is to run.
        @functools.wraps(behaviour)
        def guarded(request: Any, context: grpc.ServicerContext, *rest: Any) -> object:
            def refuse(error: RecsysError) -> None:
                log_failure(method, error)
                code, details, _ = status_of(error)
                self._requests.count_failure(_route(method), code.name)
                context.abort(code, details)

            try:
                self._authorize(method, None, context.invocation_metadata())
            except RecsysError as error:
                refuse(error)
            if handler.request_streaming:
                return behaviour(checked(request, refuse), context, *rest)
            for readable in checked(iter([request]), refuse):
                return behaviour(readable, context, *rest)
            return None

        return guarded

    def _refuse_if_late(self, arrived: float) -> None:
        if time.perf_counter() - arrived > self._max_wait_seconds:
            raise Unavailable("service", "there are too many calls")


class AsyncGuard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """For servers that run RPCs on an event loop."""

    def __init__(self, requests: RequestMetrics, authorize: Authorize) -> None:
        self._requests = requests
        self._authorize = authorize

    async def intercept_service(
        self, continuation: Callable[[_Details], Awaitable[_Handler]], details: _Details
    ) -> _Handler:
        handler = await continuation(details)
        method = details.method
        if handler is None:
            return None
        behaviour = _behaviour_of(handler)
        if _is_measured(handler, method):
            return _with_behaviour(handler, self._measured(behaviour, method), lenient)
        watch = self._generator if inspect.isasyncgenfunction(behaviour) else self._coroutine
        # A stream is read by its method: what is raised then, is raised in there.
        reading = strict if handler.request_streaming else lenient
        return _with_behaviour(handler, watch(behaviour, method), reading)

    def _measured(self, behaviour: _Behaviour, method: str) -> _Behaviour:
        async def guarded(request: object, context: Any) -> object:
            begun, code = self._requests.begin(), grpc.StatusCode.OK
            with structlog.contextvars.bound_contextvars(request_id=_request_id(context)):
                try:
                    check(request)
                    self._authorize(method, request, context.invocation_metadata())
                    return await behaviour(request, context)
                except asyncio.CancelledError:
                    # The caller went away, or its time was up.
                    code = grpc.StatusCode.CANCELLED
                    raise
                except Exception as error:
                    log_failure(method, error)
                    code, details, metadata = status_of(error)
                    return await context.abort(code, details, metadata)
                finally:
                    self._requests.end(_route(method), code.name, begun)

        return guarded

    def _coroutine(self, behaviour: _Behaviour, method: str) -> _Behaviour:
        async def guarded(request: object, context: Any) -> object:
            try:
                check(request)
                self._authorize(method, None, context.invocation_metadata())
                return await behaviour(request, context)
            except Exception as error:
                await self._fail(error, method, context)
                return None

        return guarded

    def _generator(self, behaviour: _Behaviour, method: str) -> _Behaviour:
        async def guarded(request: object, context: Any) -> AsyncIterator[object]:
            try:
                check(request)
                self._authorize(method, None, context.invocation_metadata())
                async for response in behaviour(request, context):
                    yield response
            except Exception as error:
                await self._fail(error, method, context)

        return guarded

    async def _fail(self, error: Exception, method: str, context: Any) -> None:
        if isinstance(error, grpc.aio.AbortError):  # the method's own way of ending
            raise error
        if isinstance(error, grpc.aio.InternalError):
            # The connection broke while something was read or written: nobody is left to be told.
            _log.warning("stream_broken", method=method, reason=str(error).partition("\n")[0])
            raise asyncio.CancelledError from error
        log_failure(method, error)
        code, details, metadata = status_of(error)
        self._requests.count_failure(_route(method), code.name)
        await context.abort(code, details, metadata)


def _is_measured(handler: _Handler, method: str) -> bool:
    """Streams last as long as both ends like: their time says nothing."""
    return handler.unary_unary is not None and not method.startswith(_FOREIGN)


def _route(method: str) -> str:
    """ "RecordEvents" of "/recsys.rpc.v1.IngestService/RecordEvents"."""
    return method.rpartition("/")[2]


def _kind(handler: _Handler) -> str:
    """As grpc names it, e.g. "unary_stream"."""
    request, response = (
        "stream" if is_stream else "unary"
        for is_stream in (handler.request_streaming, handler.response_streaming)
    )
    return f"{request}_{response}"


def _behaviour_of(handler: _Handler) -> _Behaviour:
    behaviour: _Behaviour = getattr(handler, _kind(handler))
    return behaviour


def _with_behaviour(
    handler: _Handler,
    behaviour: _Behaviour,
    reading: Callable[[Deserializer | None], Deserializer | None],
) -> _Handler:
    make = getattr(grpc, f"{_kind(handler)}_rpc_method_handler")
    return make(behaviour, reading(handler.request_deserializer), handler.response_serializer)


def _request_id(context: Any) -> str | None:
    return next(
        (value for key, value in context.invocation_metadata() if key == REQUEST_ID_KEY), None
    )


def log_failure(method: str, error: Exception) -> None:
    """Leave a line about a call that failed, as loud as its kind asks for."""
    code = status_of(error)[0]
    if isinstance(error, _REFUSALS):
        # The caller's mistake; its words may hold ids, which do not belong into logs.
        _log.info("rpc_refused", method=method, code=code.name)
    elif code is grpc.StatusCode.INTERNAL:
        _log.error("rpc_failed", method=method, code=code.name, exc_info=error)
    else:
        _log.warning("rpc_failed", method=method, code=code.name, reason=str(error))
