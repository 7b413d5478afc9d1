"""Client of the recommender's public API, with which alone the shop works."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from recsys.core.limits import MAX_RERANKED_ITEMS

# The JSON of the API as it is: templates show what it says.
Json = dict[str, Any]

_log = structlog.get_logger()


class ApiUnavailable(Exception):
    """The API does not respond in time, or cannot now."""


class ApiRefused(Exception):
    """The API says that a request is wrong; the text is its reason."""


class Api:
    """Calls of the API over kept connections, each bounded by the client's timeouts."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def close(self) -> None:
        await self._client.aclose()

    async def recommend_page(
        self, requests: Sequence[Json], user_id: str | None = None
    ) -> list[Json]:
        """Fill several placements, no item twice.

        Raises:
            ApiUnavailable, ApiRefused
        """
        target = {} if user_id is None else {"user_id": user_id}
        body = {"requests": list(requests), **target}
        answer = await self._call("POST", "/v1/placements:recommend", body)
        return list(answer["responses"])

    async def recommend(self, placement: str, wanted: Json) -> Json:
        """Fill one placement.

        Raises:
            ApiUnavailable, ApiRefused
        """
        return await self._call("POST", f"/v1/placements/{_segment(placement)}:recommend", wanted)

    async def item(self, item_id: str) -> Json | None:
        """Read an item as the catalogue has it now; None when there is none.

        Raises:
            ApiUnavailable, ApiRefused
        """
        try:
            return await self._call("GET", f"/v1/items/{_segment(item_id)}")
        except _NotFound:
            return None

    async def items(self, item_ids: Iterable[str]) -> list[Json]:
        """Read several items at once, in this order, without those that are gone.

        Raises:
            ApiUnavailable, ApiRefused
        """
        found = await asyncio.gather(*map(self.item, item_ids))
        return [item for item in found if item is not None]

    async def rerank(self, item_ids: Sequence[str], user_id: str) -> Json:
        """Put items, of which the first 500 count, in the order of a user.

        Raises:
            ApiUnavailable, ApiRefused
        """
        body = {"user_id": user_id, "item_ids": list(item_ids[:MAX_RERANKED_ITEMS])}
        return await self._call("POST", "/v1/items:rerank", body)

    async def experiment_report(self) -> Json | None:
        """Read the last report of what came of recommendations; None before the first one.

        Raises:
            ApiUnavailable, ApiRefused
        """
        try:
            return await self._call("GET", "/v1/reports/experiments")
        except _NotFound:
            return None

    async def record(self, events: Sequence[Json]) -> None:
        """Record events, which are durable afterwards.

        Raises:
            ApiUnavailable
            ApiRefused: when any of them was rejected.
        """
        answer = await self._call("POST", "/v1/events", {"events": list(events)})
        if answer["rejected"]:
            raise ApiRefused(f"events rejected: {answer['rejected']} of {len(events)}")

    async def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            response = await self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            _log.warning("api_unavailable", reason=type(error).__name__)
            raise ApiUnavailable from error
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            _log.warning("api_unavailable", reason=f"status {response.status_code}")
            raise ApiUnavailable
        if response.status_code == httpx.codes.NOT_FOUND:
            raise _NotFound(_reason(response))
        if not response.is_success:
            raise ApiRefused(_reason(response))
        return dict(response.json())


class _NotFound(ApiRefused):
    """There is no such item, placement or report."""


def _reason(response: httpx.Response) -> str:
    try:
        problem = response.json()
        return str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code}"


def _segment(text: str) -> str:
    return quote(text, safe="")


def is_on_offer(item: Json, now_ms: int) -> bool:
    """Tell whether there is any of an item, and the time is within that in which it is shown."""
    publish_ms, expire_ms = item["publish_time"], item["expire_time"]
    is_published = publish_ms is None or publish_ms <= now_ms
    is_over = expire_ms is not None and expire_ms <= now_ms
    return bool(item["available"]) and item["quantity"] != 0 and is_published and not is_over
