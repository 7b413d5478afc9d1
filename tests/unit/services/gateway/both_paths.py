"""Send a request to the fast path and to the application alone, and hold their answers together."""

import re
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from recsys.auth.session_tokens import sign_session
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.fast_path.middleware import FastPath
from tests.unit.services.gateway.asgi_client import Client, Response
from tests.unit.services.gateway.conftest import World

# A session of ann's, keys by their names, and one that nobody has.
CALLERS = "all", "all", "ann", "read", "write", "public", "other", "wrong"


class Watched:
    """The fast path of a world, and whether it left the last request to the application."""

    def __init__(self, world: World) -> None:
        self.left_to_application = False
        self._application: ASGIApp = world.application
        self.app = FastPath(self._pass_on, world.application.state.dependencies)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.left_to_application = True
        await self._application(scope, receive, send)


def sent(world: World, app: ASGIApp, headers: Mapping[str, str], target: str, body: bytes) -> Any:
    """The status, headers, body and question of one answer, without what no two answers share."""
    world.recommender.asked.clear()
    answer = Client(app, world.runner, headers).send("POST", target, body)
    assert int(answer.headers["content-length"]) == len(answer.body)
    same = {k: v for k, v in answer.headers.items() if k != "content-length"}
    return answer.status, same, without_chance(answer), questions(world)


def without_chance(answer: Response) -> bytes:
    body = re.sub(rb'"recommendation_id":"[\w-]{16}"', b'"recommendation_id":""', answer.body)
    return re.sub(rb'"took_ms":[0-9.]+', b'"took_ms":0', body)


def questions(world: World) -> list[pb.Question]:
    for question in world.recommender.asked:
        question.number = question.budget_ms = 0
    return list(world.recommender.asked)


def headers_of(world: World, caller: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Request-ID": "r", "X-API-Key": caller}
    if caller in world.keys:
        headers["X-API-Key"] = world.keys[caller]
    elif caller == "ann":
        token = sign_session(world.session_secret, "ann", time.time() + 60)
        headers |= {"X-API-Key": world.keys["public"], "X-Session-Token": token}
    return headers


def answered_alike(
    world: World,
    target: str,
    body: bytes,
    headers: Mapping[str, str],
    failures: list[Exception] | None = None,
) -> tuple[int, bool]:
    """The status of the answer, and whether the fast path gave it; it is held to the ordinary."""
    watched, answers = Watched(world), []
    for app in (watched.app, world.application):
        world.recommender.failures = list(failures or ())
        answers.append(sent(world, app, headers, target, body))
    assert answers[0] == answers[1]
    return answers[0][0], not watched.left_to_application
