"""Responses of known model versions, and checks that each comes from one version alone."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import httpx

from tests.e2e.load import Answered
from tests.e2e.shop import TENANT, Shop, recommendations
from tests.eventually import eventually

_SETTLED_ANSWERS = 6
_MAX_TRIES, _PAUSE_SECONDS = 20, 0.1

# By version, then by path.
Expected = Mapping[str, Mapping[str, list[dict[str, Any]]]]


def expected_answers(
    shop: Shop, api: httpx.Client, versions: Iterable[str], paths: Sequence[str]
) -> Expected:
    """The items of each answer when nothing else but that version serves; the last one stays."""
    return {version: _answers_of(shop, api, version, paths) for version in versions}


def settle(shop: Shop, api: httpx.Client, version: str) -> None:
    """Move the pointer and wait until both recommenders answer from this version."""
    shop.published().activate(TENANT, version)
    eventually(lambda: _is_settled(api, version))


def mixed(answered: Iterable[Answered], expected: Expected) -> list[Answered]:
    """Answers with a thing that their version would not have answered to their question.

    Those that say they are degraded are less personal, and so others.
    """
    return [
        one
        for one in answered
        if not (body := one.body)["degraded"]
        and body["items"] != expected[body["model_version"]][one.path]
    ]


def are_their_own(answered: Iterable[Answered]) -> bool:
    """Each answer is to the request it came for, not to another one."""
    return all(_names_its_request(one, one.body) for one in answered)


def _names_its_request(one: Answered, body: Mapping[str, Any]) -> bool:
    about = body.get("user_id") or body["item_id"]
    in_header = one.response.headers[b"x-request-id"].decode()
    return f"/{about}/" in one.path and body["request_id"] == in_header == one.request_id


def _answers_of(
    shop: Shop, api: httpx.Client, version: str, paths: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    settle(shop, api, version)
    return {path: _undegraded_items(api, path) for path in paths}


def _undegraded_items(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Pass over what a stalled machine answers for a moment: it is not what the version answers."""
    for _ in range(_MAX_TRIES):
        body = api.get(path).json()
        if not body["degraded"]:
            return list(body["items"])
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError(f"degraded again and again: {path}")


def _is_settled(api: httpx.Client, version: str) -> bool:
    path = recommendations("a stranger")
    answers = [api.get(path).json()["model_version"] for _ in range(_SETTLED_ANSWERS)]
    return set(answers) == {version}
