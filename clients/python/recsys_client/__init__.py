"""Client of the recommender's REST API.

    from recsys_client import Client, Event, PlacementRequest

    with Client("https://recommendations.example", api_key) as client:
        shown = client.recommend("home", PlacementRequest(user_id="17850", limit=10))
        client.record_events([Event(user_id="17850", item_id="85123A", event_type="view")])

`AsyncClient` has the same methods to await. `EventQueue` and `AsyncEventQueue` send events in the
background, in batches. The tree of errors is drawn out in `recsys_client.errors`.
"""

from recsys_client.async_client import AsyncClient
from recsys_client.client import Client
from recsys_client.errors import (
    ApiError,
    EventQueueClosed,
    EventQueueFull,
    EventsNotSent,
    Forbidden,
    InvalidInput,
    NotFound,
    NotReached,
    RateLimited,
    RecsysError,
    Unavailable,
    UnexpectedAnswer,
    WrongKey,
)
from recsys_client.event_queue import AsyncEventQueue, EventQueue
from recsys_client.models import (
    Boost,
    Event,
    EventResult,
    EventsAnswer,
    ExplainedItem,
    Item,
    ItemBatchAnswer,
    ItemChanges,
    ItemFields,
    MergedUsers,
    PagePlacement,
    PageRecommendations,
    PageRequest,
    PlacedItem,
    PlacementRecommendations,
    PlacementRequest,
    Problem,
    ProblemDetails,
    Reason,
    RerankedItems,
    RerankRequest,
    SessionRecommendations,
    SimilarItems,
    UserRecommendations,
    WholeItem,
)
from recsys_client.retries import Retries

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncEventQueue",
    "Boost",
    "Client",
    "Event",
    "EventQueue",
    "EventQueueClosed",
    "EventQueueFull",
    "EventResult",
    "EventsAnswer",
    "EventsNotSent",
    "ExplainedItem",
    "Forbidden",
    "InvalidInput",
    "Item",
    "ItemBatchAnswer",
    "ItemChanges",
    "ItemFields",
    "MergedUsers",
    "NotFound",
    "NotReached",
    "PagePlacement",
    "PageRecommendations",
    "PageRequest",
    "PlacedItem",
    "PlacementRecommendations",
    "PlacementRequest",
    "Problem",
    "ProblemDetails",
    "RateLimited",
    "Reason",
    "RecsysError",
    "RerankRequest",
    "RerankedItems",
    "Retries",
    "SessionRecommendations",
    "SimilarItems",
    "Unavailable",
    "UnexpectedAnswer",
    "UserRecommendations",
    "WholeItem",
    "WrongKey",
]
