"""The JSON of recommendations, described; the recommenders write it, see their `rendering`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem
from recsys.core.limits import (
    DEFAULT_LIMIT,
    MAX_CATEGORY_LEVELS,
    MAX_EVENT_TYPES,
    MAX_EXCLUDED_ITEMS,
    MAX_FILTER_CHARACTERS,
    MAX_LIMIT,
    MAX_PAGE_TOKEN_CHARACTERS,
    MAX_RULES,
    MAX_SEEN_DAYS,
    MAX_SESSION_ITEMS,
    MAX_WINDOW_DAYS,
)
from recsys.core.serving.controls import MAX_WEIGHT, MIN_WEIGHT
from recsys.core.serving.lists import Source
from recsys.core.serving.request import ItemTarget, SessionTarget, Target, UserTarget
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.schemas.field_rules import (
    FILTER_RULES,
    ID_RULES,
    REQUEST_ID_RULES,
    TEXT_RULES,
)
from services.gateway.schemas.problems import invalid_input
from services.gateway.schemas.validation import read_body

# By their numbers in messages.
SOURCES = {pb.Source.Value(f"SOURCE_{source.name}"): source.value for source in Source}

_ITEM_EXAMPLE: JsonDict = {
    "item_id": "85123A",
    "title": "WHITE HANGING HEART T-LIGHT HOLDER",
    "price": 2.55,
    "score": 0.92,
}
_REASON_EXAMPLE: JsonDict = {
    "reason": {
        "code": "because_you_bought",
        "seeds": [{"item_id": "22423", "title": "REGENCY CAKESTAND 3 TIER"}],
    },
    "score_parts": {"factors": 0.3, "neighbours": 0.62},
}
_COMMON_EXAMPLE: JsonDict = {
    "items": [_ITEM_EXAMPLE],
    "source": "fold_in",
    "model_version": "20111210T020000Z",
    "degraded": False,
    "request_id": "9f86d081884c7d659a2feaa0c55ad015",
}


_Id = Annotated[str, Field(json_schema_extra=ID_RULES)]


class Seed(BaseModel):
    item_id: _Id
    title: str | None = Field(description="Null when the catalogue has none.")


class Reason(BaseModel):
    """Why an item is recommended, for a line such as "because you bought ..."."""

    code: str = Field(
        description="`because_you_bought`, `because_you_viewed`: the seeds explain at least half "
        "of the score, and the first of them was bought, or looked at; `similar_users`: the "
        "user's taste as a whole; `similar_to_item`: of the item that the request is about; else "
        "the `source`, such as `popular` or `new`."
    )
    seeds: list[Seed] = Field(
        max_length=3, description="Items that explain most of the score, the strongest first."
    )


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


class ExplainedItem(ScoredItem):
    source: Source | None = Field(
        default=None, description="Where this item comes from. Only with `explain=true`."
    )
    reason: Reason | None = Field(default=None, description="Only with `explain=true`.")
    score_parts: dict[str, float] | None = Field(
        default=None,
        description="What adds up to the score, such as `factors` and `neighbours`; empty where "
        "there is no score. Only with `explain=true`.",
    )


class PlacedItem(ExplainedItem):
    source: Source = Field(description="Where this item comes from.")
    relaxed: bool = Field(
        default=False, description="True of what the filter does not let pass, see `relax_filter`."
    )
    reason: Reason | None = Field(default=None, description="Unless `explain` is false.")
    score_parts: dict[str, float] | None = Field(
        default=None,
        description="What adds up to the score, such as `factors` and `neighbours`; empty where "
        "there is no score. Unless `explain` is false.",
    )


_RecommendationId = Annotated[
    str,
    Field(
        min_length=16,
        max_length=16,
        description="Of this one answer, made anew for each: name it in the `context` of the "
        "events that come of it.",
    ),
]
_FallbackLevel = Annotated[
    int,
    Field(
        ge=0,
        le=3,
        description="0: all items come from the first generator; 1: some come from a later one; "
        "2: all do; 3: no recommender responded, or the shop has no model yet.",
    ),
]
_TookMs = Annotated[float, Field(ge=0, description="Milliseconds that it took the service.")]


class RecommendationResponse(BaseModel):
    items: list[ExplainedItem] = Field(
        max_length=MAX_LIMIT,
        description="Best first. Fewer than `limit`, or none, when all others are excluded.",
    )
    source: Source = Field(
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
    recommendation_id: _RecommendationId | None = Field(
        default=None, description="Only with `explain=true`, like the next ones."
    )
    fallback_level: _FallbackLevel | None = None
    relaxed: bool = Field(default=False, description="Of placements only, like `rules`.")
    rules: list[str] = []
    took_ms: _TookMs | None = None


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


class Boost(BaseModel):
    """Multiplies the scores of the items that a filter lets pass."""

    model_config = ConfigDict(strict=True, extra="forbid")

    filter: str = Field(min_length=1, max_length=MAX_FILTER_CHARACTERS, description=FILTER_RULES)
    weight: float = Field(
        ge=MIN_WEIGHT,
        le=MAX_WEIGHT,
        allow_inf_nan=False,
        description="Above one the items rise, below one they sink.",
    )


class Pin(BaseModel):
    """Puts an item that may be shown at a position, whatever its score."""

    model_config = ConfigDict(strict=True, extra="forbid")

    item_id: _Id
    position: int = Field(ge=1, le=MAX_LIMIT, description="1 for the first of the answer.")


PLACEMENT_EXAMPLE: JsonDict = {
    "user_id": "17850",
    "limit": 10,
    "filter": 'category = "Candles" AND price <= 20',
    "exclude_item_ids": ["22423"],
    "diversity": 0.3,
    "max_per_brand": 2,
    "boosts": [{"filter": "price < 5", "weight": 1.5}],
}


class TargetFields(BaseModel):
    """Whom or what recommendations are for: one of three, or nobody."""

    user_id: _Id | None = None
    item_id: _Id | None = Field(default=None, description="The item of a product page.")
    session_item_ids: list[_Id] = Field(
        default=[],
        max_length=MAX_SESSION_ITEMS,
        description="Of a visitor without an id: the items viewed, in their order, or those of a "
        "basket. None of them is recommended.",
    )

    def target(self) -> Target | None:
        if self.user_id is not None:
            return UserTarget(self.user_id)
        if self.item_id is not None:
            return ItemTarget(self.item_id)
        return SessionTarget(tuple(self.session_item_ids)) if self.session_item_ids else None

    def target_problems(self) -> Iterator[FieldProblem]:
        targets = {"user_id": self.user_id, "item_id": self.item_id}
        named = [name for name, value in targets.items() if value is not None]
        if self.session_item_ids:
            named.append("session_item_ids")
        if len(named) > 1:
            yield FieldProblem(named[1], f"cannot stand beside {named[0]}")


class PlacementRequest(TargetFields):
    """What a placement is to show: to whom or beside what, and which items.

    At most one of `user_id`, `item_id` and `session_item_ids`; none where it does not matter who
    looks, as for what is popular.
    """

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [PLACEMENT_EXAMPLE]}
    )

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    filter: str | None = Field(
        default=None, min_length=1, max_length=MAX_FILTER_CHARACTERS, description=FILTER_RULES
    )
    category: list[_Id] = Field(
        default=[],
        max_length=MAX_CATEGORY_LEVELS,
        description="The path of a category page, from broad to narrow: only items that are in all "
        "of these categories. Beside a filter both hold.",
        examples=[["Home", "Candles"]],
    )
    exclude_item_ids: list[_Id] = Field(
        default=[], max_length=MAX_EXCLUDED_ITEMS, description="Items that are not recommended."
    )
    diversity: float | None = Field(
        default=None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0: by relevance alone; the higher, the more items give way to ones that are "
        "less alike. Instead of the placement's settings, like the next three.",
    )
    max_per_category: int | None = Field(
        default=None,
        ge=0,
        le=MAX_LIMIT,
        description="Items of one category, the narrowest of an item's; 0 for any number.",
    )
    max_per_brand: int | None = Field(
        default=None, ge=0, le=MAX_LIMIT, description="Items of one brand; 0 for any number."
    )
    strict: bool | None = Field(
        default=None,
        description="True: rather fewer items than more of a category or brand than that. False: "
        "others fill the list up, and `relaxed` says so.",
    )
    exclude_seen_days: float | None = Field(
        default=None,
        ge=0,
        le=MAX_SEEN_DAYS,
        allow_inf_nan=False,
        description="Leave out what the user touched in so many days: by the newest 200 events, "
        "and all that exclude their item. Of `user_id`, or where the list is not for a "
        "user, as beside an item, of `visitor_id` or the user of the session token. Instead of the "
        "placement's settings.",
    )
    exclude_event_types: list[_Id] | None = Field(
        default=None,
        max_length=MAX_EVENT_TYPES,
        description="By events of these types; empty for all that count in recommendations. Beside "
        "`exclude_seen_days`, or that of the placement's settings.",
    )
    page_token: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_PAGE_TOKEN_CHARACTERS,
        description="`next_page_token` of the page before, of the same placement, user, item or "
        "session, and the same filter. No page has an item of another one, whatever model answers "
        "it.",
    )
    boosts: list[Boost] = Field(
        default=[], max_length=MAX_RULES, description="Beside the shop's own rules."
    )
    pins: list[Pin] = Field(
        default=[],
        max_length=MAX_RULES,
        description="Behind those of the shop's own rules: of two for one position, or of one "
        "item, the first counts. A pin that is sold out, excluded or does not pass the filter is "
        "left out.",
    )
    relax_filter: bool = Field(
        default=False,
        description="True: where the filter and `category` let fewer items pass than `limit`, "
        "others fill the list up behind them, each with `relaxed`. What is excluded stays away.",
    )
    window_days: int | None = Field(
        default=None,
        ge=0,
        le=MAX_WINDOW_DAYS,
        description="What is popular and trending is that of so many days up to the last night, "
        "one of the windows that the shop's settings name; 0: of the half-life of popularity. "
        "Items of the window have a `score`, as a share of the first of the shop's; those that "
        "fill the list behind them have none. Instead of the placement's settings.",
        examples=[7],
    )
    visitor_id: _Id | None = Field(
        default=None,
        description="Who looks, where that is not `user_id`, as beside an item: it says which "
        "variant of an experiment is shown, which rules hold and whose events "
        "`exclude_seen_days` and the placement's `fatigue` go by, and nothing else.",
    )
    explain: bool = Field(
        default=True, description="Whether each item comes with its `reason` and `score_parts`."
    )

    def target_problems(self) -> Iterator[FieldProblem]:
        yield from super().target_problems()
        if self.visitor_id is not None and (reason := identifier_problem(self.visitor_id)):
            yield FieldProblem("visitor_id", reason)

    def visitor(self, target: Target | None) -> str | None:
        """Who looks, for experiments: as the request says, or the user whom it is for."""
        if self.visitor_id is not None:
            return self.visitor_id
        return target.user_id if isinstance(target, UserTarget) else None

    def user_ids(self) -> Iterator[str]:
        """Everybody whom it names."""
        for user_id in (self.user_id, self.visitor_id):
            if user_id is not None:
                yield user_id


PLACED_EXAMPLE: JsonDict = {
    **_COMMON_EXAMPLE,
    "items": [{**_ITEM_EXAMPLE, "source": "fold_in", **_REASON_EXAMPLE}],
    "placement": "home",
    "experiment": {"name": "diverse_home", "variant": "diverse"},
    "recommendation_id": "q9Jb2xV0sTz3mKfA",
    "fallback_level": 0,
    "relaxed": False,
    "rules": [],
    "next_page_token": "bNfQw1pVbi04NTEyM0E",
    "took_ms": 1.4,
    "user_id": "17850",
}


class ExperimentResponse(BaseModel):
    name: str
    variant: str


class PlacementRecommendations(RecommendationResponse):
    model_config = ConfigDict(json_schema_extra={"examples": [PLACED_EXAMPLE]})

    items: list[PlacedItem] = Field(  # type: ignore[assignment]  # each says more than it has to
        max_length=MAX_LIMIT,
        description="Best first. Fewer than `limit`, or none, when nothing else may be shown.",
    )
    placement: str
    experiment: ExperimentResponse | None = Field(
        description="The variant that this shopper sees; null outside of experiments."
    )
    recommendation_id: _RecommendationId
    fallback_level: _FallbackLevel
    relaxed: bool = Field(
        description="True when there is more of a category or brand than the caps allow, or what "
        "the filter does not let pass, since nothing else was left."
    )
    rules: list[str] = Field(description="Names of the shop's rules that had a part in it.")
    next_page_token: str = Field(
        description="For the page after this one; empty after the last, and once the pages have "
        "shown 1,000 items."
    )
    took_ms: _TookMs
    user_id: _Id | None = Field(default=None, description="Only when it was asked for.")
    item_id: _Id | None = Field(default=None, description="Only when it was asked for.")


def read_placement(body: object) -> PlacementRequest:
    """Read what a placement is to show.

    Raises:
        ProblemError: naming every field at fault.
    """
    wanted = read_body(PlacementRequest, body)
    if problems := list(wanted.target_problems()):
        raise invalid_input(problems)
    return wanted
