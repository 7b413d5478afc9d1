"""The JSON of recommendations, described; the recommenders write it, see their `rendering`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.limits import MAX_LIMIT
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.schemas.text_rules import ID_RULES, REQUEST_ID_RULES, TEXT_RULES

SourceName = Literal["stored", "fold_in", "neighbours", "popular", "new"]
SOURCES: dict[int, SourceName] = {
    pb.SOURCE_STORED: "stored",
    pb.SOURCE_FOLD_IN: "fold_in",
    pb.SOURCE_NEIGHBOURS: "neighbours",
    pb.SOURCE_POPULAR: "popular",
    pb.SOURCE_NEW: "new",
}

_ITEM_EXAMPLE: JsonDict = {
    "item_id": "85123A",
    "title": "WHITE HANGING HEART T-LIGHT HOLDER",
    "price": 2.55,
    "score": 0.92,
}
_COMMON_EXAMPLE: JsonDict = {
    "items": [_ITEM_EXAMPLE],
    "source": "fold_in",
    "model_version": "20111210T020000Z",
    "degraded": False,
    "request_id": "9f86d081884c7d659a2feaa0c55ad015",
}


_Id = Annotated[str, Field(json_schema_extra=ID_RULES)]


class ScoredItem(BaseModel):
    item_id: _Id
    title: Annotated[str, Field(json_schema_extra=TEXT_RULES)] | None = Field(
        description="Null when the catalogue has none."
    )
    price: float | None = Field(
        description="As the catalogue has it at this moment; null when it has none."
    )
    score: float | None = Field(
        description="Comparable within one response only; null for items that fill the list."
    )


class RecommendationResponse(BaseModel):
    items: list[ScoredItem] = Field(
        max_length=MAX_LIMIT,
        description="Best first. Fewer than `limit`, or none, when all others are excluded.",
    )
    source: SourceName = Field(
        description="`stored`: the nightly list; `fold_in`: scored again after recent events; "
        "`neighbours`: similar items; `popular`: popular items, such as for an unknown user, "
        "and in a new shop those of the catalogue."
    )
    model_version: str | None = Field(description="Null before the shop's first model.")
    degraded: bool = Field(
        description="True when a service failed, or the shop has no model yet: the list is less "
        "personal than it should be."
    )
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)


class UserRecommendations(RecommendationResponse):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "17850", **_COMMON_EXAMPLE}]}
    )

    user_id: _Id


class SimilarItems(RecommendationResponse):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"item_id": "22423", **_COMMON_EXAMPLE, "source": "neighbours"}]
        }
    )

    item_id: _Id


class SessionRecommendations(RecommendationResponse):
    model_config = ConfigDict(json_schema_extra={"examples": [_COMMON_EXAMPLE]})
