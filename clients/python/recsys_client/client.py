"""The client that blocks: `make clients` makes it."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from recsys_client import calls, models
from recsys_client.answers import read_answer
from recsys_client.calls import AnswerT, Call, ListOptions
from recsys_client.errors import NotReached, RecsysError
from recsys_client.retries import Retries
from recsys_client.sending import (
    READ_SECONDS,
    RETRIES,
    WRITE_SECONDS,
    CallSettings,
    build_request,
    key_headers,
)


class Client:
    """Calls of the API over kept connections.

    Args:
        base_url: such as `https://recommendations.example`.
        api_key: of the shop's server, with the scopes of what is called.
        read_seconds: for asking, all attempts together.
        write_seconds: for what is durable once it is answered.
        transport: for tests.

    Raises:
        ValueError: the key has white space or a character that no key has.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        read_seconds: float = READ_SECONDS,
        write_seconds: float = WRITE_SECONDS,
        retries: Retries = RETRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings = CallSettings(read_seconds, write_seconds, retries)
        self._http = httpx.Client(
            base_url=base_url, headers=key_headers(api_key), transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def recommend(
        self, placement: str, request: models.PlacementRequest
    ) -> models.PlacementRecommendations:
        """Fill a placement of the shop's settings."""
        return self._answer(calls.recommend(placement, request))

    def recommend_page(self, request: models.PageRequest) -> models.PageRecommendations:
        """Fill several placements for one page, no item twice."""
        return self._answer(calls.recommend_page(request))

    def recommend_for_user(
        self,
        user_id: str,
        **options: Unpack[ListOptions],
    ) -> models.UserRecommendations:
        """Recommend items to a user; popular ones to a user whom nobody knows."""
        return self._answer(calls.recommend_for_user(user_id, options))

    def recommend_for_session(
        self,
        item_ids: Sequence[str],
        **options: Unpack[ListOptions],
    ) -> models.SessionRecommendations:
        """Recommend items to somebody without an id, by what they looked at, the newest last."""
        return self._answer(calls.recommend_for_session(item_ids, options))

    def similar_items(
        self,
        item_id: str,
        **options: Unpack[ListOptions],
    ) -> models.SimilarItems:
        """Recommend items that go with one."""
        return self._answer(calls.similar_items(item_id, options))

    def rerank(self, request: models.RerankRequest) -> models.RerankedItems:
        """Put given items, such as those of a search, in the order of a user."""
        return self._answer(calls.rerank(request))

    def record_events(self, events: Sequence[models.Event]) -> models.EventsAnswer:
        """Record up to 1,000 events; each is accepted, a duplicate or rejected by itself.

        An event without an `event_id` gets one, so that it counts once whatever has to be repeated.
        """
        return self._answer(calls.record_events(events))

    def get_item(self, item_id: str) -> models.Item:
        """Read an item as the catalogue has it now."""
        return self._answer(calls.get_item(item_id))

    def put_item(self, item_id: str, fields: models.ItemFields) -> models.Item:
        """Store an item whole."""
        return self._answer(calls.put_item(item_id, fields))

    def change_item(self, item_id: str, changes: models.ItemChanges) -> models.Item:
        """Replace the fields that are set."""
        return self._answer(calls.change_item(item_id, changes))

    def remove_item(self, item_id: str) -> None:
        """Remove an item and hide it everywhere; one that is not there is no error."""
        self._answer(calls.remove_item(item_id))

    def put_items(self, items: Sequence[models.WholeItem]) -> models.ItemBatchAnswer:
        """Store up to 1,000 items whole; `rejected` names those that break a rule."""
        return self._answer(calls.put_items(items))

    def get_user(self, user_id: str) -> models.User:
        """Read what the shop says of a user."""
        return self._answer(calls.get_user(user_id))

    def put_user(self, user_id: str, fields: models.UserFields) -> models.User:
        """Say of a user this, and nothing else."""
        return self._answer(calls.put_user(user_id, fields))

    def change_user(self, user_id: str, changes: models.UserChanges) -> models.User:
        """Set the attributes that are named; None removes one."""
        return self._answer(calls.change_user(user_id, changes))

    def merge_users(self, source_user_id: str, target_user_id: str) -> models.MergedUsers:
        """Make what a visitor did the customer's. It cannot be taken back."""
        return self._answer(calls.merge_users(source_user_id, target_user_id))

    def erase_user(self, user_id: str) -> models.ErasedUser:
        """Forget a user. It cannot be taken back."""
        return self._answer(calls.erase_user(user_id))

    def experiment_report(self) -> models.ExperimentReport:
        """Read what came of recommendations, as `recsys report --publish` counted it last."""
        return self._answer(calls.experiment_report())

    def _answer(self, call: Call[AnswerT]) -> AnswerT:
        deadline = self._settings.deadline(call)
        attempt = 0
        while True:
            attempt += 1
            try:
                return read_answer(call, self._response(call, deadline))
            except RecsysError as error:
                wait = self._settings.wait_seconds(attempt, error, deadline)
                if wait is None:
                    raise
                time.sleep(wait)

    def _response(self, call: Call[Any], deadline: float) -> httpx.Response:
        try:
            return self._http.send(build_request(self._http, call, deadline))
        except httpx.HTTPError as error:
            raise NotReached(f"{call.method} {call.path}: {error!r}") from error
