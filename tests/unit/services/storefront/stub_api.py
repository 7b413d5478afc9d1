"""The recommender's API as a storefront sees it, in memory, with a few products."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

Json = dict[str, Any]

CAKESTAND = {
    "item_id": "22423",
    "title": "REGENCY CAKESTAND 3 TIER",
    "price": 12.75,
    "categories": [],
    "brand": None,
    "available": True,
    "quantity": None,
    "publish_time": None,
    "expire_time": None,
}
HEART = {**CAKESTAND, "item_id": "85123A", "title": "WHITE HANGING HEART T-LIGHT", "price": 2.55}
SLASHED = {**CAKESTAND, "item_id": "a/b ?<&>", "title": "<b>CAKE</b> & TIN", "price": None}
SOLD_OUT = {**CAKESTAND, "item_id": "gone", "title": "OLD LANTERN", "quantity": 0.0}
NOT_YET = {**CAKESTAND, "item_id": "not-yet", "publish_time": 4_000_000_000_000}
NO_LONGER = {**CAKESTAND, "item_id": "no-longer", "expire_time": 1_000_000_000_000}

RECOMMENDATION_ID = "q9Jb2xV0sTz3mKfA"


@dataclass
class StubApi:
    """Answers like the gateway, and keeps what it was asked and told.

    Attributes:
        source: of all items.
        report: the last one of experiments.
        failing: status of every answer, or an error of the connection; None: it works.
    """

    items: list[Json] = field(default_factory=lambda: [CAKESTAND, HEART, SLASHED])
    unlisted: list[Json] = field(default_factory=lambda: [SOLD_OUT, NOT_YET, NO_LONGER])
    source: str = "fold_in"
    failing: int | Exception | None = None
    report: Json | None = None
    asked: list[tuple[str, Json]] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url="http://api.example", transport=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if isinstance(self.failing, Exception):
            raise self.failing
        if self.failing is not None:
            return httpx.Response(self.failing, json={"detail": "as the test wants"})
        path = request.url.raw_path.decode()
        body = json.loads(request.content) if request.content else {}
        self.asked.append((path, body))
        return self._respond(path, body)

    def _respond(self, path: str, body: Json) -> httpx.Response:
        if path == "/v1/events":
            self.events += body["events"]
            return httpx.Response(200, json={"accepted": len(body["events"]), "rejected": 0})
        if path == "/v1/reports/experiments":
            return self._report()
        if path == "/v1/items:rerank":
            order = sorted(body["item_ids"], reverse=True)
            return httpx.Response(200, json={"item_ids": order, "model_version": "v1"})
        if path == "/v1/placements:recommend":
            answers = [self._placed(each["placement"], each) for each in body["requests"]]
            return httpx.Response(200, json={"responses": answers})
        if path.endswith(":recommend"):
            return httpx.Response(200, json=self._placed(path.split("/")[3].split(":")[0], body))
        return self._item(unquote(path.removeprefix("/v1/items/")))

    def _report(self) -> httpx.Response:
        if self.report is None:
            return httpx.Response(404, json={"detail": "there is no report yet"})
        return httpx.Response(200, json=self.report)

    def _item(self, item_id: str) -> httpx.Response:
        for item in [*self.items, *self.unlisted]:
            if item["item_id"] == item_id:
                return httpx.Response(200, json=item)
        return httpx.Response(404, json={"detail": "there is no such item"})

    def _placed(self, placement: str, wanted: Json) -> Json:
        listed = self.items if _passes(wanted.get("filter")) else []
        reason = {"code": "because_you_bought", "seeds": [{"item_id": "1", "title": "RED MUG"}]}
        parts = {"factors": 0.3, "neighbours": 0.62}
        scored = {"source": self.source, "reason": reason, "score": 0.92, "score_parts": parts}
        return {
            "items": [{**item, **scored} for item in listed],
            "placement": placement,
            "experiment": {"name": "mixed", "variant": "other"} if placement == "home" else None,
            "recommendation_id": RECOMMENDATION_ID,
            "model_version": "20111210T020000Z",
            "source": "fold_in",
            "took_ms": 1.44,
            "fallback_level": 0,
            "degraded": False,
            "rules": [],
            "next_page_token": "",
        }


def _passes(condition: str | None) -> bool:
    """All products are in one range of prices."""
    return condition in (None, "price >= 0 AND price < 1")
