"""The JSON of recommendations."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.rpc.v1 import recommender_pb2 as pb

SourceName = Literal["stored", "fold_in", "neighbours", "popular"]
_SOURCES: dict[int, SourceName] = {
    pb.SOURCE_STORED: "stored",
    pb.SOURCE_FOLD_IN: "fold_in",
    pb.SOURCE_NEIGHBOURS: "neighbours",
    pb.SOURCE_POPULAR: "popular",
}

_ITEM_EXAMPLE: JsonDict = {
    "item_id": "85123A",
    "title": "WHITE HANGING HEART T-LIGHT HOLDER",
    "score": 0.92,
}
_COMMON_EXAMPLE: JsonDict = {
    "items": [_ITEM_EXAMPLE],
    "source": "fold_in",
    "model_version": "20111210T020000Z",
    "degraded": False,
    "request_id": "9f86d081884c7d659a2feaa0c55ad015",
}


class ScoredItem(BaseModel):
    item_id: str
    title: str | None = Field(description="Null when the catalogue has none.")
    score: float | None = Field(
        description="Compares within one answer only; null where the item fills the list up."
    )


class Answer(BaseModel):
    items: list[ScoredItem] = Field(description="Best first.")
    source: SourceName = Field(
        description="`stored`: the nightly list; `fold_in`: with what the shopper just did; "
        "`neighbours`: items alike; `popular`: what sells, e.g. for an unknown shopper."
    )
    model_version: str
    degraded: bool = Field(
        description="True when a part failed and the answer is less personal than it should be."
    )
    request_id: str


class UserRecommendations(Answer):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "17850", **_COMMON_EXAMPLE}]}
    )

    user_id: str


class SimilarItems(Answer):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"item_id": "22423", **_COMMON_EXAMPLE, "source": "neighbours"}]
        }
    )

    item_id: str


def for_user(user_id: str, answer: pb.Answer, request_id: str) -> UserRecommendations:
    return UserRecommendations(
        user_id=user_id,
        items=_items(answer),
        source=_SOURCES[answer.source],
        model_version=answer.model_version,
        degraded=answer.degraded,
        request_id=request_id,
    )


def for_item(item_id: str, answer: pb.Answer, request_id: str) -> SimilarItems:
    return SimilarItems(
        item_id=item_id,
        items=_items(answer),
        source=_SOURCES[answer.source],
        model_version=answer.model_version,
        degraded=answer.degraded,
        request_id=request_id,
    )


def _items(answer: pb.Answer) -> list[ScoredItem]:
    return [
        ScoredItem(
            item_id=item.item_id,
            title=item.title or None,
            score=item.score if item.HasField("score") else None,
        )
        for item in answer.items
    ]
