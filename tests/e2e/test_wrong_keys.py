"""Many wrong keys from one address, through the balancer."""

import httpx

from services.gateway.http.rate_limits import FAILURES_AT_ONCE
from tests.e2e.shop import KNOWN_CUSTOMER, Shop, recommendations

QUESTION = recommendations(KNOWN_CUSTOMER)
GATEWAYS = 2


def test_who_sends_many_is_told_to_wait_and_the_right_key_is_answered(
    shop: Shop, api: httpx.Client
) -> None:
    url = shop.stack.settings.url
    # The balancer takes away what a client says of its own address.
    names = ({"X-API-Key": "rk_ab_cd", "X-Forwarded-For": f"192.0.2.{n}"} for n in range(200))
    with httpx.Client(base_url=url, trust_env=False) as client:
        answers = [client.get(QUESTION, headers=next(names)) for _ in range(100)]
    statuses = [answer.status_code for answer in answers]

    # Each gateway counts for itself, and forgives one failure every few seconds.
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= 2 * GATEWAYS * FAILURES_AT_ONCE
    told = answers[-1]
    assert told.status_code == 429
    assert int(told.headers["Retry-After"]) >= 1
    assert told.json()["type"] == "/problems/too-many-wrong-keys"
    assert [api.get(QUESTION).status_code for _ in range(10)] == [200] * 10
