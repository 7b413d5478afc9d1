"""Rows of the benchmark's tables, each a list of requests to one chain."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import httpx

from benchmarks.serving.chains import Answered, Chain
from benchmarks.serving.generator import Request
from benchmarks.serving.made_up_shop import MadeUpShop, let_look_around
from infra.local.servers.tables import DEMO_TENANT
from recsys.stores.redis.connect import Redis

LIMIT = 20
READING = ("haproxy", "gateway", "recommender", "redis")
WRITING = ("haproxy", "gateway", "ingest", "redis", "hbase")
_POSTERS = 2000
_BATCHES = 200_000
# Of a large shop, as many as come to be asked while a row is measured, and more.
MAX_USERS = 25_000
# As many as the cache of a recommender holds, at some 5 KB each, with room to spare.
KEPT_USERS = 4_000
_TIMEOUT_SECONDS = 10.0

Prepare = Callable[[int], None]


@dataclass(frozen=True)
class Row:
    """Requests to a chain.

    Attributes:
        kinds: of the processes that have a part in the answer.
        expected: members that every answer must have, with their values.
        prepare: done before each time it is measured, with a seed that is another one every time.
        encoding: what is asked for; without compression, since it is the balancer's largest work.
    """

    name: str
    chain: Chain
    kinds: Sequence[str]
    requests: Sequence[Request]
    expected: Mapping[str, object]
    prepare: Prepare | None = None
    encoding: str = "identity"
    http2: bool = False

    @property
    def headers(self) -> dict[str, str]:
        headers = {"X-API-Key": self.chain.key, "Accept-Encoding": self.encoding}
        if self.requests[0].body:
            headers["Content-Type"] = "application/json"
        return headers

    def check(self) -> None:
        """Raises SystemExit if the answers are not what the row is to measure."""
        if self.prepare:
            self.prepare(0)
        for answer in self._answers(20):
            if problem := _problem(answer, self.expected):
                raise SystemExit(f"{self.name}: {answer.url} answers {problem}")

    def answers(self) -> Counter[Answered]:
        """Count the responses so far; empty where nobody counts them."""
        counted = self.chain.counts_answers and "source" in self.expected
        return self.chain.answers() if counted else Counter()

    def others(self, answers: Counter[Answered]) -> int:
        """Count those that were degraded or from another source than the row is about."""
        return answers.total() - answers[str(self.expected.get("source")), "false"]

    def answer_bytes(self) -> int:
        """The length of an answer's body as it comes over the network."""
        return next(self._answers(1)).num_bytes_downloaded

    def _answers(self, count: int) -> Iterator[httpx.Response]:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            for request in Random(1).sample(self.requests, min(count, len(self.requests))):
                url, body = self.chain.url + request.path, request.body or None
                yield client.request(request.method, url, content=body, headers=self.headers)


def hello(chain: Chain) -> Row:
    return Row("hello", chain, ("haproxy", "gateway"), [Request("/v1/hello")], {})


def stored(name: str, chain: Chain, shop: MadeUpShop, max_users: int = KEPT_USERS) -> Row:
    """Lists of the nightly job, of users of the first half of the shop's."""
    users = shop.user_ids()[: min(shop.users // 2, max_users)]
    requests = [Request(recommendations(user_id)) for user_id in users]
    return Row(name, chain, READING, requests, {"source": "stored", "degraded": False})


def fold_in(name: str, chain: Chain, shop: MadeUpShop, client: Redis) -> Row:
    """Users of the other half, each with other events every time: nothing is known beforehand."""
    requests = [Request(recommendations(user_id)) for user_id in _active(shop)]
    expected = {"source": "fold_in", "degraded": False}
    prepare = partial(let_look_around, client, DEMO_TENANT, shop, _active(shop))
    return Row(name, chain, READING, requests, expected, prepare)


def placed(name: str, chain: Chain, shop: MadeUpShop, client: Redis) -> Row:
    """`fold_in` by a placement, with all that a request may wish for."""
    wishes = {
        "limit": LIMIT,
        "filter": "price < 50",
        "diversity": 0.5,
        "max_per_brand": 2,
        "max_per_category": 3,
        "boosts": [{"filter": 'category = "c1"', "weight": 1.5}],
    }
    bodies = [json.dumps({"user_id": user_id, **wishes}).encode() for user_id in _active(shop)]
    requests = [Request("/v1/placements/home:recommend", "POST", body) for body in bodies]
    return replace(fold_in(name, chain, shop, client), requests=requests)


def similar(name: str, chain: Chain, shop: MadeUpShop) -> Row:
    requests = [
        Request(f"/v1/items/{item_id}/similar?limit={LIMIT}") for item_id in shop.item_ids()
    ]
    return Row(name, chain, READING, requests, {"source": "neighbours", "degraded": False})


def events(
    name: str, chain: Chain, shop: MadeUpShop, per_batch: int, *, with_ids: bool = False
) -> Row:
    """Batches of events of shoppers whom the other rows do not ask for.

    Args:
        with_ids: each event has an id that no other of the row has; a row is repeated sooner than
            ids are forgotten, so most are those of duplicates by then.
    """
    random = Random(1)

    def event(number: int) -> dict[str, str]:
        user_id, item = f"poster-{random.randrange(_POSTERS)}", random.randrange(shop.items)
        event_id = {"event_id": f"{name} {number}"} if with_ids else {}
        return {"user_id": user_id, "item_id": f"item-{item:07}", "event_type": "view", **event_id}

    batches = _BATCHES if with_ids else _POSTERS
    bodies = [
        json.dumps({"events": [event(batch * per_batch + n) for n in range(per_batch)]}).encode()
        for batch in range(batches)
    ]
    requests = [Request("/v1/events", "POST", body) for body in bodies]
    expected = {"degraded": False} if with_ids else {"accepted": per_batch, "degraded": False}
    return Row(name, chain, WRITING, requests, expected)


def recommendations(user_id: str) -> str:
    return f"/v1/users/{user_id}/recommendations?limit={LIMIT}"


def _active(shop: MadeUpShop) -> list[str]:
    """Users of whom rows do something before they are measured."""
    return shop.user_ids()[-min(shop.users // 2, MAX_USERS) :]


def _problem(answer: httpx.Response, expected: Mapping[str, object]) -> str | None:
    if answer.status_code != httpx.codes.OK:
        return f"{answer.status_code}: {answer.text[:200]}"
    body = answer.json()
    wrong = {name: body.get(name) for name, value in expected.items() if body.get(name) != value}
    if "items" in expected or "source" in expected:
        wrong |= {} if len(body["items"]) == LIMIT else {"items": len(body["items"])}
    return str(wrong) if wrong else None
