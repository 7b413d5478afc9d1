"""Generated from the API's description."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from typing import Annotated


class Boost(BaseModel):
    """Multiplies the scores of the items that a filter lets pass."""

    model_config = ConfigDict(
        extra="forbid",
    )
    filter: str
    """A condition on the catalogue as it is at this moment, like one of SQL: `price`, `brand`, `category` and `tag` (any of an item's) and `attributes.NAME` with `=`, `!=`, `<`, `<=`, `>`, `>=`, `IN (...)`, `IS NULL`, joined by `AND`, `OR`, `NOT` and parentheses. Texts stand in quotes. Only items that fulfil it are recommended, however few there are. For placements, and with a key that is not public, `user.NAME` stands for what the shop says of the user, as in `attributes.size = user.size`."""
    weight: float
    """Above one the items rise, below one they sink."""


class ErasedUser(BaseModel):
    """Result of an erasure."""

    removed_events: int
    """0 when there were none, or they had been removed before."""
    degraded: bool
    """True when the events are gone, but answers know the user until the request is sent again with Redis back, or the next model serves."""
    request_id: str


class Event(BaseModel):
    """An action of a user on an item."""

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: str
    item_id: str
    event_type: str
    """One of the types of the shop's settings, e.g. `view`."""
    event_id: str | None = None
    """Identity of the event: another with the same id within 90 days is a duplicate and changes nothing. Generated when missing."""
    timestamp: AwareDatetime | int | None = None
    """RFC 3339 with a zone, or an integer of UTC milliseconds since 1970. When missing, the time of arrival. Not before March 1973: so small a number counts seconds."""
    quantity: float | None = None
    price: float | None = None
    """Price of one unit."""
    order_id: str | None = None
    """Groups the lines of one basket."""
    context: dict[str, str] = {}
    """Where the event came from, such as a recommendation's id, a placement or a variant: kept with the event, and counted nowhere."""
    rating: float | None = None
    """Stars or points, on the scale that the shop's settings give the event's type: a `rating` has 0.5 to 5 unless they say otherwise. Events of types without a scale are rejected with one."""
    query: str | None = None
    """What the user had searched for, such as of a `search` that led to the item: kept with the event, and counted nowhere."""


class EventBatch(BaseModel):
    """Body of `POST /v1/events`."""

    model_config = ConfigDict(
        extra="forbid",
    )
    events: list[Event]


class ExperimentGroup(BaseModel):
    """The users of one variant."""

    variant: str
    users: int
    """Who were shown something."""
    expected: float
    """How many of the users of all groups it was to have by its weight."""


class ExperimentResponse(BaseModel):
    name: str
    variant: str


class Item(BaseModel):
    """An item as the catalogue has it."""

    title: str | None = None
    categories: list[str] = []
    """From broad to narrow."""
    brand: str | None = None
    price: float | None = None
    available: bool = True
    """False hides the item from all recommendations at once."""
    attributes: dict[str, str | float | bool] = {}
    """Replaced as a whole."""
    quantity: float | None = None
    """Pieces in stock: with 0 the item is not shown."""
    tags: list[str] = []
    """Labels without an order, for filters."""
    list_price: float | None = None
    """The price before a reduction."""
    publish_time: AwareDatetime | int | None = None
    """Before it the item is not shown. RFC 3339 with a zone, or UTC milliseconds since 1970, which it is read as."""
    expire_time: AwareDatetime | int | None = None
    """From it on the item is not shown. After `publish_time`."""
    create_time: AwareDatetime | int | None = None
    """When the shop got the item, by which it is `new` or not. Left out it stays as it was, by PUT too; an item that was not there gets the time at which it comes."""
    item_id: str


class ItemChanges(BaseModel):
    """The fields of an item that change: at least one."""

    model_config = ConfigDict(
        extra="forbid",
    )
    title: str | None = None
    categories: list[str] = []
    """From broad to narrow."""
    brand: str | None = None
    price: float | None = None
    available: bool = True
    """False hides the item from all recommendations at once."""
    attributes: dict[str, str | float | bool] = {}
    """Replaced as a whole."""
    quantity: float | None = None
    """Pieces in stock: with 0 the item is not shown."""
    tags: list[str] = []
    """Labels without an order, for filters."""
    list_price: float | None = None
    """The price before a reduction."""
    publish_time: AwareDatetime | int | None = None
    """Before it the item is not shown. RFC 3339 with a zone, or UTC milliseconds since 1970, which it is read as."""
    expire_time: AwareDatetime | int | None = None
    """From it on the item is not shown. After `publish_time`."""
    create_time: AwareDatetime | int | None = None
    """When the shop got the item, by which it is `new` or not. Left out it stays as it was, by PUT too; an item that was not there gets the time at which it comes."""


class ItemFields(BaseModel):
    """
    An item without its id, which stands in the path.

    PUT takes the default for a field that is missing, PATCH leaves it as it is.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    title: str | None = None
    categories: list[str] = []
    """From broad to narrow."""
    brand: str | None = None
    price: float | None = None
    available: bool = True
    """False hides the item from all recommendations at once."""
    attributes: dict[str, str | float | bool] = {}
    """Replaced as a whole."""
    quantity: float | None = None
    """Pieces in stock: with 0 the item is not shown."""
    tags: list[str] = []
    """Labels without an order, for filters."""
    list_price: float | None = None
    """The price before a reduction."""
    publish_time: AwareDatetime | int | None = None
    """Before it the item is not shown. RFC 3339 with a zone, or UTC milliseconds since 1970, which it is read as."""
    expire_time: AwareDatetime | int | None = None
    """From it on the item is not shown. After `publish_time`."""
    create_time: AwareDatetime | int | None = None
    """When the shop got the item, by which it is `new` or not. Left out it stays as it was, by PUT too; an item that was not there gets the time at which it comes."""


class MergedUsers(BaseModel):
    """Result of a merge."""

    moved_events: int
    """0 when there were none, or they had been moved before."""
    degraded: bool
    """True when the events are moved, but count only once Redis is back."""
    request_id: str


class Pin(BaseModel):
    """Puts an item that may be shown at a position, whatever its score."""

    model_config = ConfigDict(
        extra="forbid",
    )
    item_id: str
    position: int
    """1 for the first of the answer."""


class PlacementRequest(BaseModel):
    """
    What a placement is to show: to whom or beside what, and which items.

    At most one of `user_id`, `item_id` and `session_item_ids`; none where it does not matter who
    looks, as for what is popular.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: str | None = None
    item_id: str | None = None
    """The item of a product page."""
    session_item_ids: list[str] = []
    """Of a visitor without an id: the items viewed, in their order, or those of a basket. None of them is recommended."""
    limit: int = 20
    filter: str | None = None
    """A condition on the catalogue as it is at this moment, like one of SQL: `price`, `brand`, `category` and `tag` (any of an item's) and `attributes.NAME` with `=`, `!=`, `<`, `<=`, `>`, `>=`, `IN (...)`, `IS NULL`, joined by `AND`, `OR`, `NOT` and parentheses. Texts stand in quotes. Only items that fulfil it are recommended, however few there are. For placements, and with a key that is not public, `user.NAME` stands for what the shop says of the user, as in `attributes.size = user.size`."""
    category: list[str] = []
    """The path of a category page, from broad to narrow: only items that are in all of these categories. Beside a filter both hold."""
    exclude_item_ids: list[str] = []
    """Items that are not recommended."""
    diversity: float | None = None
    """0: by relevance alone; the higher, the more items give way to ones that are less alike. Instead of the placement's settings, like the next three."""
    max_per_category: int | None = None
    """Items of one category, the narrowest of an item's; 0 for any number."""
    max_per_brand: int | None = None
    """Items of one brand; 0 for any number."""
    strict: bool | None = None
    """True: rather fewer items than more of a category or brand than that. False: others fill the list up, and `relaxed` says so."""
    exclude_seen_days: float | None = None
    """Leave out what the user touched in so many days: by the newest 200 events, and all that exclude their item. Of `user_id`, or where the list is not for a user, as beside an item, of `visitor_id` or the user of the session token. Instead of the placement's settings."""
    exclude_event_types: list[str] | None = None
    """By events of these types; empty for all that count in recommendations. Beside `exclude_seen_days`, or that of the placement's settings."""
    page_token: str | None = None
    """`next_page_token` of the page before, of the same placement, user, item or session, and the same filter. No page has an item of another one, whatever model answers it."""
    boosts: Annotated[list[Boost], Field(validate_default=True)] = []
    """Beside the shop's own rules."""
    pins: Annotated[list[Pin], Field(validate_default=True)] = []
    """Behind those of the shop's own rules: of two for one position, or of one item, the first counts. A pin that is sold out, excluded or does not pass the filter is left out."""
    relax_filter: bool = False
    """True: where the filter and `category` let fewer items pass than `limit`, others fill the list up behind them, each with `relaxed`. What is excluded stays away."""
    window_days: int | None = None
    """What is popular and trending is that of so many days up to the last night, one of the windows that the shop's settings name; 0: of the half-life of popularity. Items of the window have a `score`, as a share of the first of the shop's; those that fill the list behind them have none. Instead of the placement's settings."""
    visitor_id: str | None = None
    """Who looks, where that is not `user_id`, as beside an item: it says which variant of an experiment is shown, which rules hold and whose events `exclude_seen_days` and the placement's `fatigue` go by, and nothing else."""
    explain: bool = True
    """Whether each item comes with its `reason` and `score_parts`."""


class Problem(BaseModel):
    field: str
    reason: str


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: str
    """Which kind of problem."""
    title: str
    status: int
    detail: str
    """What happened this time."""
    instance: str
    request_id: str
    """Name it when you ask for help."""
    problems: list[Problem] | None = None
    """The fields at fault."""


class RateInterval(BaseModel):
    """An estimate with its 95 % interval over users; null where too few users are behind it."""

    mean: float | None
    low: float | None
    high: float | None


class RejectedItem(BaseModel):
    """An item of the batch that was not stored."""

    index: int
    """Its place in the batch."""
    item_id: str | None
    """Null when it has no usable one."""
    problems: list[Problem]


class ReportedRates(BaseModel):
    click_rate: RateInterval
    """Of the items shown, those with an event of a positive weight."""
    cart_rate: RateInterval
    """Of the items shown, those put into a basket."""
    conversion: RateInterval
    """Of the users, those who ordered what they were shown."""
    revenue_per_user: RateInterval


class RerankRequest(BaseModel):
    """Items to be put in the order of a user or of a session: one of the two."""

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: str | None = None
    session_item_ids: list[str] = []
    """Of a visitor without an id: the items viewed, in their order."""
    item_ids: list[str]
    """In any order, as a search has found them; one that repeats counts once."""


class RerankedItems(BaseModel):
    item_ids: list[str]
    """All of them, each once, best first: by the user's scores, or by popularity for an unknown user. Those of which nothing is known come last, as they came."""
    unknown: list[str]
    """Those that the model does not know."""
    model_version: str | None
    """Null before the shop's first model."""
    degraded: bool
    """True when a service failed, or the shop has no model yet: the items may be as they came."""
    request_id: str
    user_id: str | None = None
    """Only when it was asked for."""


class SampleRatioMismatch(BaseModel):
    """A placement of an experiment whose groups are not of the sizes that were asked for."""

    placement: str
    experiment: str
    p_value: float
    """How likely chance makes such groups, or ones further off."""
    groups: list[ExperimentGroup]
    """Of all variants, in the order of the shop's settings."""


class Seed(BaseModel):
    item_id: str
    title: str | None
    """Null when the catalogue has none."""


class User(BaseModel):
    """A user as the shop describes it."""

    user_id: str
    attributes: dict[str, str | float | bool]


class UserChanges(BaseModel):
    """The attributes of a user that change."""

    model_config = ConfigDict(
        extra="forbid",
    )
    attributes: dict[str, str | float | bool | None]
    """Null removes one. Those that are not named stay."""


class UserFields(BaseModel):
    """What the shop says of a user, without the id, which stands in the path."""

    model_config = ConfigDict(
        extra="forbid",
    )
    attributes: dict[str, str | float | bool]


class UserMerge(BaseModel):
    """Two users that are one."""

    model_config = ConfigDict(
        extra="forbid",
    )
    source_user_id: str
    """Whose events move, such as an anonymous visitor; none do where both are one."""
    target_user_id: str
    """Who has them afterwards, such as a customer."""


class WholeItem(BaseModel):
    """An item of a batch: stored whole, with the default for a field that is missing."""

    model_config = ConfigDict(
        extra="forbid",
    )
    title: str | None = None
    categories: list[str] = []
    """From broad to narrow."""
    brand: str | None = None
    price: float | None = None
    available: bool = True
    """False hides the item from all recommendations at once."""
    attributes: dict[str, str | float | bool] = {}
    """Replaced as a whole."""
    quantity: float | None = None
    """Pieces in stock: with 0 the item is not shown."""
    tags: list[str] = []
    """Labels without an order, for filters."""
    list_price: float | None = None
    """The price before a reduction."""
    publish_time: AwareDatetime | int | None = None
    """Before it the item is not shown. RFC 3339 with a zone, or UTC milliseconds since 1970, which it is read as."""
    expire_time: AwareDatetime | int | None = None
    """From it on the item is not shown. After `publish_time`."""
    create_time: AwareDatetime | int | None = None
    """When the shop got the item, by which it is `new` or not. Left out it stays as it was, by PUT too; an item that was not there gets the time at which it comes."""
    item_id: str


class EventResult(BaseModel):
    """Result of the event at this place of the batch."""

    index: int
    status: str
    event_id: str | None
    """Null when it was rejected without a usable one."""
    problems: list[Problem]
    """Reasons of the rejection; empty otherwise."""


class EventsAnswer(BaseModel):
    """Results of a batch."""

    accepted: int
    duplicate: int
    rejected: int
    degraded: bool
    """True when the events are durable, but count only once Redis is back."""
    results: list[EventResult]
    """One for each event, in order."""
    request_id: str


class ItemBatch(BaseModel):
    """Body of `POST /v1/items:batchUpsert`."""

    model_config = ConfigDict(
        extra="forbid",
    )
    items: list[WholeItem]


class ItemBatchAnswer(BaseModel):
    """Results of a batch."""

    stored: int
    rejected: list[RejectedItem]
    request_id: str


class PagePlacement(BaseModel):
    """A placement of a page; without a target of its own it has that of the page."""

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: str | None = None
    item_id: str | None = None
    """The item of a product page."""
    session_item_ids: list[str] = []
    """Of a visitor without an id: the items viewed, in their order, or those of a basket. None of them is recommended."""
    limit: int = 20
    filter: str | None = None
    """A condition on the catalogue as it is at this moment, like one of SQL: `price`, `brand`, `category` and `tag` (any of an item's) and `attributes.NAME` with `=`, `!=`, `<`, `<=`, `>`, `>=`, `IN (...)`, `IS NULL`, joined by `AND`, `OR`, `NOT` and parentheses. Texts stand in quotes. Only items that fulfil it are recommended, however few there are. For placements, and with a key that is not public, `user.NAME` stands for what the shop says of the user, as in `attributes.size = user.size`."""
    category: list[str] = []
    """The path of a category page, from broad to narrow: only items that are in all of these categories. Beside a filter both hold."""
    exclude_item_ids: list[str] = []
    """Items that are not recommended."""
    diversity: float | None = None
    """0: by relevance alone; the higher, the more items give way to ones that are less alike. Instead of the placement's settings, like the next three."""
    max_per_category: int | None = None
    """Items of one category, the narrowest of an item's; 0 for any number."""
    max_per_brand: int | None = None
    """Items of one brand; 0 for any number."""
    strict: bool | None = None
    """True: rather fewer items than more of a category or brand than that. False: others fill the list up, and `relaxed` says so."""
    exclude_seen_days: float | None = None
    """Leave out what the user touched in so many days: by the newest 200 events, and all that exclude their item. Of `user_id`, or where the list is not for a user, as beside an item, of `visitor_id` or the user of the session token. Instead of the placement's settings."""
    exclude_event_types: list[str] | None = None
    """By events of these types; empty for all that count in recommendations. Beside `exclude_seen_days`, or that of the placement's settings."""
    page_token: str | None = None
    """`next_page_token` of the page before, of the same placement, user, item or session, and the same filter. No page has an item of another one, whatever model answers it."""
    boosts: Annotated[list[Boost], Field(validate_default=True)] = []
    """Beside the shop's own rules."""
    pins: Annotated[list[Pin], Field(validate_default=True)] = []
    """Behind those of the shop's own rules: of two for one position, or of one item, the first counts. A pin that is sold out, excluded or does not pass the filter is left out."""
    relax_filter: bool = False
    """True: where the filter and `category` let fewer items pass than `limit`, others fill the list up behind them, each with `relaxed`. What is excluded stays away."""
    window_days: int | None = None
    """What is popular and trending is that of so many days up to the last night, one of the windows that the shop's settings name; 0: of the half-life of popularity. Items of the window have a `score`, as a share of the first of the shop's; those that fill the list behind them have none. Instead of the placement's settings."""
    visitor_id: str | None = None
    """Who looks, where that is not `user_id`, as beside an item: it says which variant of an experiment is shown, which rules hold and whose events `exclude_seen_days` and the placement's `fatigue` go by, and nothing else."""
    explain: bool = True
    """Whether each item comes with its `reason` and `score_parts`."""
    placement: str
    """One of the shop's settings."""


class PageRequest(BaseModel):
    """Placements in the order of the page, the most important first."""

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: str | None = None
    """Whom the page is for. It is the `visitor_id` of requests about an item or a session that name none."""
    item_id: str | None = None
    """The item of a product page."""
    session_item_ids: list[str] = []
    """Of a visitor without an id: the items viewed, in their order, or those of a basket. None of them is recommended."""
    requests: list[PagePlacement]
    distinct: bool = True
    """Whether an item that a placement shows is in no later one."""


class Reason(BaseModel):
    """Why an item is recommended, for a line such as "because you bought ..."."""

    code: str
    """`because_you_bought`, `because_you_viewed`: the seeds explain at least half of the score, and the first of them was bought, or looked at; `similar_users`: the user's taste as a whole; `similar_to_item`: of the item that the request is about; else the `source`, such as `popular` or `new`."""
    seeds: list[Seed]
    """Items that explain most of the score, the strongest first."""


class ReportedDifference(BaseModel):
    """The rates of a variant less those of the first one of its experiment."""

    placement: str
    """As the `context` of impressions has it."""
    experiment: str
    """Empty without one."""
    variant: str
    """Empty without an experiment."""
    baseline: str
    """The variant compared with."""
    rates: ReportedRates


class ReportedOutcome(BaseModel):
    """What came of one placement, in one variant of an experiment or without any."""

    placement: str
    """As the `context` of impressions has it."""
    experiment: str
    """Empty without one."""
    variant: str
    """Empty without an experiment."""
    users: int
    """Who were shown something."""
    shown: int
    """Items, each once for every recommendation."""
    clicked: int
    """Of the items shown."""
    carted: int
    """Of the items shown."""
    orders: int
    """Lines of orders by these users of what they were shown."""
    revenue: float
    """What these sold."""
    rates: ReportedRates


class ExperimentReport(BaseModel):
    made_time: AwareDatetime
    """When the report was made."""
    age_seconds: int
    """How long ago that is."""
    start_time: AwareDatetime | None
    """Events from here on count; null: from the first one on."""
    end_time: AwareDatetime
    """Events before this count."""
    outcomes: list[ReportedOutcome]
    """By placement, experiment and variant."""
    outcomes_left_out: int
    """How many more outcomes there were, of the fewest users."""
    differences: list[ReportedDifference]
    """Of each variant from the first one of its experiment."""
    sample_ratio_mismatches: list[SampleRatioMismatch]
    """Whose differences are not to be trusted: a variant has lost users, or its weight was changed in that time."""


class ExplainedItem(BaseModel):
    item_id: str
    title: str | None
    """Null when the catalogue has none."""
    price: float | None
    """As the catalogue has it at this moment; null when it has none."""
    score: float | None
    """Comparable within one response only; null for items that fill the list."""
    source: str | None = None
    """Where this item comes from. Only with `explain=true`."""
    reason: Reason | None = None
    """Only with `explain=true`."""
    score_parts: dict[str, float] | None = None
    """What adds up to the score, such as `factors` and `neighbours`; empty where there is no score. Only with `explain=true`."""


class PlacedItem(BaseModel):
    item_id: str
    title: str | None
    """Null when the catalogue has none."""
    price: float | None
    """As the catalogue has it at this moment; null when it has none."""
    score: float | None
    """Comparable within one response only; null for items that fill the list."""
    source: str
    """Where this item comes from."""
    reason: Reason | None = None
    """Unless `explain` is false."""
    score_parts: dict[str, float] | None = None
    """What adds up to the score, such as `factors` and `neighbours`; empty where there is no score. Unless `explain` is false."""
    relaxed: bool = False
    """True of what the filter does not let pass, see `relax_filter`."""


class PlacementRecommendations(BaseModel):
    items: list[PlacedItem]
    """Best first. Fewer than `limit`, or none, when nothing else may be shown."""
    source: str
    """`stored`: the nightly list; `fold_in`: scored again after recent events; `neighbours`: similar items; `popular`: popular items, such as for an unknown user, and in a new shop those of the catalogue."""
    model_version: str | None
    """Null before the shop's first model."""
    degraded: bool
    """True when a service failed, or the shop has no model yet: the list is less personal than it should be."""
    request_id: str
    recommendation_id: str
    """Of this one answer, made anew for each: name it in the `context` of the events that come of it."""
    fallback_level: int
    """0: all items come from the first generator; 1: some come from a later one; 2: all do; 3: no recommender responded, or the shop has no model yet."""
    relaxed: bool
    """True when there is more of a category or brand than the caps allow, or what the filter does not let pass, since nothing else was left."""
    rules: list[str]
    """Names of the shop's rules that had a part in it."""
    took_ms: float
    """Milliseconds that it took the service."""
    placement: str
    experiment: ExperimentResponse | None
    """The variant that this shopper sees; null outside of experiments."""
    next_page_token: str
    """For the page after this one; empty after the last, and once the pages have shown 1,000 items."""
    user_id: str | None = None
    """Only when it was asked for."""
    item_id: str | None = None
    """Only when it was asked for."""


class SessionRecommendations(BaseModel):
    items: list[ExplainedItem]
    """Best first. Fewer than `limit`, or none, when all others are excluded."""
    source: str
    """`stored`: the nightly list; `fold_in`: scored again after recent events; `neighbours`: similar items; `popular`: popular items, such as for an unknown user, and in a new shop those of the catalogue."""
    model_version: str | None
    """Null before the shop's first model."""
    degraded: bool
    """True when a service failed, or the shop has no model yet: the list is less personal than it should be."""
    request_id: str
    recommendation_id: str | None = None
    """Only with `explain=true`, like the next ones."""
    fallback_level: int | None = None
    relaxed: bool = False
    """Of placements only, like `rules`."""
    rules: list[str] = []
    took_ms: float | None = None


class SimilarItems(BaseModel):
    items: list[ExplainedItem]
    """Best first. Fewer than `limit`, or none, when all others are excluded."""
    source: str
    """`stored`: the nightly list; `fold_in`: scored again after recent events; `neighbours`: similar items; `popular`: popular items, such as for an unknown user, and in a new shop those of the catalogue."""
    model_version: str | None
    """Null before the shop's first model."""
    degraded: bool
    """True when a service failed, or the shop has no model yet: the list is less personal than it should be."""
    request_id: str
    recommendation_id: str | None = None
    """Only with `explain=true`, like the next ones."""
    fallback_level: int | None = None
    relaxed: bool = False
    """Of placements only, like `rules`."""
    rules: list[str] = []
    took_ms: float | None = None
    item_id: str


class UserRecommendations(BaseModel):
    items: list[ExplainedItem]
    """Best first. Fewer than `limit`, or none, when all others are excluded."""
    source: str
    """`stored`: the nightly list; `fold_in`: scored again after recent events; `neighbours`: similar items; `popular`: popular items, such as for an unknown user, and in a new shop those of the catalogue."""
    model_version: str | None
    """Null before the shop's first model."""
    degraded: bool
    """True when a service failed, or the shop has no model yet: the list is less personal than it should be."""
    request_id: str
    recommendation_id: str | None = None
    """Only with `explain=true`, like the next ones."""
    fallback_level: int | None = None
    relaxed: bool = False
    """Of placements only, like `rules`."""
    rules: list[str] = []
    took_ms: float | None = None
    user_id: str


class PageRecommendations(BaseModel):
    responses: list[PlacementRecommendations]
    """One for each request, in order."""
    request_id: str
