"""The API's routes: what is sent, and what comes back. No IO, so that both clients share them."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypedDict, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from recsys_client import models

AnswerT = TypeVar("AnswerT", bound=BaseModel)
Parameters = dict[str, str | int | Sequence[str]]


class ListOptions(TypedDict, total=False):
    """What the simple lists take; the API's description explains each."""

    limit: int | None
    filter: str | None
    exclude_item_ids: Sequence[str] | None
    explain: bool


@dataclass(frozen=True, slots=True)
class Call(Generic[AnswerT]):
    """One request. Each may be repeated: it reads, replaces, or has ids that count once.

    Attributes:
        answer: what a good answer is read as.
        is_write: whether it waits for something to be durable.
        is_batch: with parts that are rejected each by itself; 422 when all are, with the same
            answer.
    """

    method: str
    path: str
    answer: type[AnswerT]
    params: Parameters = field(default_factory=dict)
    body: BaseModel | None = None
    is_write: bool = False
    is_batch: bool = False

    def json(self) -> bytes | None:
        """The body, without what the caller has not set.

        NaN stands in it as such: the API names its field. pydantic's own JSON would say null, and a
        price be lost without a word.
        """
        if self.body is None:
            return None
        return json.dumps(self.body.model_dump(mode="json", exclude_unset=True)).encode()


class Nothing(BaseModel):
    """The answer of a route that answers without a body."""


def recommend(
    placement: str, request: models.PlacementRequest
) -> Call[models.PlacementRecommendations]:
    path = f"/v1/placements/{_segment(placement)}:recommend"
    return Call("POST", path, models.PlacementRecommendations, body=request)


def recommend_page(request: models.PageRequest) -> Call[models.PageRecommendations]:
    return Call("POST", "/v1/placements:recommend", models.PageRecommendations, body=request)


def recommend_for_user(user_id: str, options: ListOptions) -> Call[models.UserRecommendations]:
    path = f"{_user(user_id)}/recommendations"
    return Call("GET", path, models.UserRecommendations, _parameters(options))


def recommend_for_session(
    item_ids: Sequence[str], options: ListOptions
) -> Call[models.SessionRecommendations]:
    params = {"item_id": item_ids, **_parameters(options)}
    return Call("GET", "/v1/recommendations", models.SessionRecommendations, params)


def similar_items(item_id: str, options: ListOptions) -> Call[models.SimilarItems]:
    return Call("GET", f"{_item(item_id)}/similar", models.SimilarItems, _parameters(options))


def rerank(request: models.RerankRequest) -> Call[models.RerankedItems]:
    return Call("POST", "/v1/items:rerank", models.RerankedItems, body=request)


def record_events(events: Sequence[models.Event]) -> Call[models.EventsAnswer]:
    body = models.EventBatch(events=[with_id(event) for event in events])
    return Call(
        *("POST", "/v1/events", models.EventsAnswer), body=body, is_write=True, is_batch=True
    )


def with_id(event: models.Event) -> models.Event:
    """The event with an id, by which it counts once however often it is sent."""
    return event if event.event_id else event.model_copy(update={"event_id": uuid.uuid4().hex})


def get_item(item_id: str) -> Call[models.Item]:
    return Call("GET", _item(item_id), models.Item)


def put_item(item_id: str, fields: models.ItemFields) -> Call[models.Item]:
    return Call("PUT", _item(item_id), models.Item, body=fields, is_write=True)


def change_item(item_id: str, changes: models.ItemChanges) -> Call[models.Item]:
    return Call("PATCH", _item(item_id), models.Item, body=changes, is_write=True)


def remove_item(item_id: str) -> Call[Nothing]:
    return Call("DELETE", _item(item_id), Nothing, is_write=True)


def put_items(items: Sequence[models.WholeItem]) -> Call[models.ItemBatchAnswer]:
    path, body = "/v1/items:batchUpsert", models.ItemBatch(items=list(items))
    return Call("POST", path, models.ItemBatchAnswer, body=body, is_write=True, is_batch=True)


def get_user(user_id: str) -> Call[models.User]:
    return Call("GET", _user(user_id), models.User)


def put_user(user_id: str, fields: models.UserFields) -> Call[models.User]:
    return Call("PUT", _user(user_id), models.User, body=fields, is_write=True)


def change_user(user_id: str, changes: models.UserChanges) -> Call[models.User]:
    return Call("PATCH", _user(user_id), models.User, body=changes, is_write=True)


def merge_users(source_user_id: str, target_user_id: str) -> Call[models.MergedUsers]:
    body = models.UserMerge(source_user_id=source_user_id, target_user_id=target_user_id)
    return Call("POST", "/v1/users:merge", models.MergedUsers, body=body, is_write=True)


def erase_user(user_id: str) -> Call[models.ErasedUser]:
    return Call("DELETE", _user(user_id), models.ErasedUser, is_write=True)


def experiment_report() -> Call[models.ExperimentReport]:
    return Call("GET", "/v1/reports/experiments", models.ExperimentReport)


def _parameters(options: ListOptions) -> Parameters:
    """The options as query parameters; None is as if not given.

    Raises:
        TypeError: there is no such option. A filter that nobody looks at would let everything pass.
    """
    if unknown := options.keys() - ListOptions.__annotations__.keys():
        known = ", ".join(ListOptions.__annotations__)
        raise TypeError(f"{min(unknown)} is no option of a list; there are {known}")
    params: Parameters = {}
    if (limit := options.get("limit")) is not None:
        params["limit"] = limit
    if (text := options.get("filter")) is not None:
        params["filter"] = text
    if (item_ids := options.get("exclude_item_ids")) is not None:
        params["exclude_item_id"] = item_ids
    if options.get("explain"):
        params["explain"] = "true"
    return params


def _user(user_id: str) -> str:
    return f"/v1/users/{_segment(user_id)}"


def _item(item_id: str) -> str:
    return f"/v1/items/{_segment(item_id)}"


def _segment(text: str) -> str:
    """
    Raises:
        TypeError, ValueError: it is no id; without one, the path is another route's.
    """
    if not isinstance(text, str):
        raise TypeError(f"an id is a str, not {type(text).__name__}: {text!r}")
    if not text:
        raise ValueError("an id must not be empty")
    # Unencoded, "." and ".." are ways through folders, and the path becomes another route's.
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")
