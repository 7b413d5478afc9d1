"""Pages with the tracker, and the API that it calls, whose answers a test writes down."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from clients.generate import TRACKER

# As the gateway answers an origin that the shop names.
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-API-Key, X-Session-Token, Content-Type",
    "Access-Control-Expose-Headers": "Retry-After",
}
_PAGE = """<!doctype html><title>A shop</title>
<div id="seen" style="height: 100px"></div>
<div id="below" style="margin-top: 5000px; height: 100px"></div>
<script type="module">
  import { Tracker, forgetEvents } from "/tracker.js";
  window.forgetEvents = forgetEvents;
  window.rejected = [];
  const told = (event, problems) => window.rejected.push([event.item_id, problems]);
  window.startTracker = (userId, baseUrl = "", ...more) => {
    const onRejected = more.length ? more[0] : told;
    const keys = { apiKey: "public", sessionToken: "token" };
    window.tracker = new Tracker({ userId, baseUrl, ...keys, onRejected });
  };
  window.isLoaded = true;
</script>
"""


@dataclass
class Api:
    """What was sent, and how the next requests are answered.

    Attributes:
        batches: of events, as they came, with the tokens in `tokens` and the paths in `paths`.
        failures: status, and seconds of Retry-After, of the next answers; status 0: the connection
            is cut. Then events are accepted.
        rejected_item: whose events are rejected each by itself.
        may_answer: answers wait for it, up to ten seconds.
    """

    url: str = ""
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    failures: list[tuple[int, int]] = field(default_factory=list)
    rejected_item: str = ""
    may_answer: threading.Event = field(default_factory=threading.Event)

    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]

    def items(self) -> list[str]:
        return [event["item_id"] for event in self.events()]

    def answer(self, body: bytes, token: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        batch = json.loads(body)["events"]
        self.batches.append(batch)
        self.tokens.append(token)
        if self.failures:
            status, wait = self.failures.pop(0)
            headers = {"Content-Type": "application/problem+json"}
            headers |= {"Retry-After": str(wait)} if wait else {}
            problem = {"status": status, "title": "Not now", "detail": "come again"}
            return status, headers, problem
        results = [self._result(n, event) for n, event in enumerate(batch)]
        counts = {"accepted": 0, "duplicate": 0, "rejected": 0, "degraded": False}
        return 200, {"Content-Type": "application/json"}, counts | {"results": results}

    def _result(self, index: int, event: dict[str, Any]) -> dict[str, Any]:
        is_rejected = event["item_id"] == self.rejected_item
        return {
            "index": index,
            "status": "rejected" if is_rejected else "accepted",
            "event_id": event["event_id"],
            "problems": [{"field": "item_id", "reason": "is not wanted"}] if is_rejected else [],
        }


@contextmanager
def serve_pages() -> Iterator[Api]:
    """Serve a page at every path, and the API, from one origin."""
    api = Api()
    api.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/tracker.js":
                self._send(200, {"Content-Type": "text/javascript"}, TRACKER.read_bytes())
            else:
                self._send(200, {"Content-Type": "text/html"}, _PAGE.encode())

        def do_OPTIONS(self) -> None:
            self._send(200, _CORS, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            api.paths.append(self.path)
            status, headers, answer = api.answer(body, self.headers["X-Session-Token"])
            api.may_answer.wait(10)
            if status:
                self._send(status, headers | _CORS, json.dumps(answer).encode())

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Tests print what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
