"""The line each request leaves in the log, written in bulk.

The same members as a line of structlog, which would cost as much as a hot answer itself. Lines are
kept for a moment and written together; a process that is killed loses those of that moment.
"""

import asyncio
import json
import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii

from recsys.auth.api_keys import ApiKey

WRITE_EVERY_SECONDS = 0.1


class AccessLog:
    """Make it inside the running event loop.

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
