"""The scope of every route and RPC: the one table, held against OpenAPI and proto by a test."""

from collections.abc import Mapping

from recsys.auth.api_keys import Scope

# By method and template. What is not in here answers nobody.
ROUTE_SCOPES: Mapping[str, Scope] = {
    "POST /v1/events": Scope.EVENTS_WRITE,
    "POST /v1/users:merge": Scope.ADMIN,
    "DELETE /v1/users/{user_id}": Scope.ADMIN,
    "GET /v1/users/{user_id}": Scope.ADMIN,
    "PUT /v1/users/{user_id}": Scope.ADMIN,
    "PATCH /v1/users/{user_id}": Scope.ADMIN,
    "GET /v1/users/{user_id}/recommendations": Scope.READ,
    "GET /v1/recommendations": Scope.READ,
    "GET /v1/items/{item_id}/similar": Scope.READ,
    "POST /v1/placements/{placement}:recommend": Scope.READ,
    "POST /v1/placements:recommend": Scope.READ,
    "POST /v1/items:batchUpsert": Scope.CATALOGUE_WRITE,
    "POST /v1/items:rerank": Scope.READ,
    "GET /v1/items/{item_id}": Scope.READ,
    "PUT /v1/items/{item_id}": Scope.CATALOGUE_WRITE,
    "PATCH /v1/items/{item_id}": Scope.CATALOGUE_WRITE,
    "DELETE /v1/items/{item_id}": Scope.CATALOGUE_WRITE,
    # Of a server's key only, see below: a dashboard needs no key that can forget users.
    "GET /v1/reports/experiments": Scope.READ,
}

# Those that a public key may call, for the user of its session token alone. A user in the path is
# compared for every route; one in a body is the route's affair, so a route is put here with care.
PUBLIC_ROUTES = frozenset(
    {
        "POST /v1/events",
        "GET /v1/users/{user_id}/recommendations",
        "GET /v1/recommendations",
        "GET /v1/items/{item_id}/similar",
        "POST /v1/placements/{placement}:recommend",
        "POST /v1/placements:recommend",
        "POST /v1/items:rerank",
    }
)

_INGEST = "/recsys.rpc.v1.IngestService"
_RECOMMENDER = "/recsys.rpc.v1.RecommenderService"
# By full method. None: for gateways only, who ask for many shops at once.
RPC_SCOPES: Mapping[str, Scope | None] = {
    f"{_INGEST}/RecordEvents": Scope.EVENTS_WRITE,
    f"{_INGEST}/RecordEventBatches": None,
    f"{_INGEST}/MergeUsers": Scope.ADMIN,
    f"{_INGEST}/EraseUser": Scope.ADMIN,
    f"{_INGEST}/PutUser": Scope.ADMIN,
    f"{_INGEST}/GetUser": Scope.ADMIN,
    f"{_INGEST}/PatchUser": Scope.ADMIN,
    f"{_INGEST}/PutItems": Scope.CATALOGUE_WRITE,
    f"{_INGEST}/PutItem": Scope.CATALOGUE_WRITE,
    f"{_INGEST}/GetItem": Scope.READ,
    f"{_INGEST}/PatchItem": Scope.CATALOGUE_WRITE,
    f"{_INGEST}/DeleteItem": Scope.CATALOGUE_WRITE,
    f"{_INGEST}/ColdStartItems": Scope.READ,
    f"{_INGEST}/GetExperimentReport": Scope.READ,
    f"{_RECOMMENDER}/RecommendForUser": Scope.READ,
    f"{_RECOMMENDER}/SimilarItems": Scope.READ,
    f"{_RECOMMENDER}/RecommendForSession": Scope.READ,
    f"{_RECOMMENDER}/Recommend": Scope.READ,
    f"{_RECOMMENDER}/RecommendPage": Scope.READ,
    f"{_RECOMMENDER}/RerankItems": Scope.READ,
    f"{_RECOMMENDER}/StreamAnswers": None,
}
