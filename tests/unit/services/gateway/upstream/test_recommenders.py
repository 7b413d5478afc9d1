"""Replicas that die, hang, drain and come back, with real gRPC between."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from recsys.config.address import Address
from recsys.core.errors import NoModel, Unavailable
from recsys.core.serving.request import ItemTarget, RecommendationRequest, SessionTarget, UserTarget
from recsys.rpc.questions import MAX_QUESTIONS
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.grpc.async_server import AsyncServer
from services.gateway.schemas.problems import NO_MODEL, OVERLOADED, UNAVAILABLE, ProblemError
from services.gateway.upstream import recommenders as module
from services.gateway.upstream import replica, standing_queue
from services.gateway.upstream.recommenders import Recommenders
from services.gateway.upstream.replicas import ReplicaAddresses
from tests.unit.services.gateway.backends import (
    ANSWER_JSON,
    SNAPSHOT,
    ScriptedRecommender,
    start_recommender,
    target_of,
)

ANN = UserTarget("ann")
THREE = RecommendationRequest("shop", ANN, 3)


@dataclass
class Replicas:
    """Two scripted recommenders, and a gateway's view of them."""

    scripts: list[ScriptedRecommender] = field(
        default_factory=lambda: [ScriptedRecommender([SNAPSHOT]) for _ in range(2)]
    )
    servers: list[AsyncServer] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)

    async def start(self) -> None:
        for script in self.scripts:
            server, address = await start_recommender(script)
            self.servers.append(server)
            self.addresses.append(address)

    async def kill(self, number: int) -> None:
        await self.servers[number].grpc.stop(0)

    async def restart(self, number: int) -> None:
        self.servers[number], _ = await start_recommender(
            self.scripts[number], self.addresses[number]
        )


@asynccontextmanager
async def gateway(
    seconds: float = 1.0, max_pending: int = 100
) -> AsyncIterator[tuple[Recommenders, Replicas]]:
    replicas = Replicas()
    await replicas.start()
    target = ReplicaAddresses(target_of(*replicas.addresses))
    asking = Recommenders(target, seconds, max_pending)
    try:
        await until(lambda: asking._replicas.count_free() == 2)
        yield asking, replicas
    finally:
        await asking.close()
        for server in replicas.servers:
            await server.grpc.stop(0)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def ask_many(asking: Recommenders, count: int) -> Coroutine[Any, Any, list[Any]]:
    async def ask() -> list[Any]:
        questions = (asking.ask(RecommendationRequest("shop", ANN, 20)) for _ in range(count))
        return await asyncio.gather(*questions, return_exceptions=True)

    return ask()


def test_many_questions_are_spread_over_the_replicas() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            answers = await ask_many(asking, 80)
            assert {answer.json for answer in answers} == {ANSWER_JSON}
            assert [script.requests for script in replicas.scripts] == [[40], [40]]

    asyncio.run(run())


def test_questions_of_a_replica_that_dies_are_answered_by_the_other() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            for script in replicas.scripts:
                script.seconds = 0.1
            asked = asyncio.create_task(ask_many(asking, 40))
            await until(lambda: all(script.asked for script in replicas.scripts))
            await replicas.kill(0)
            answers = await asked
            assert {answer.json for answer in answers} == {ANSWER_JSON}
            assert not any(answer.degraded for answer in answers)

    asyncio.run(run())


def test_a_call_that_fails_while_it_is_hung_up_is_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """gRPC then tells of the failure alone, and of no cancellation."""

    async def converse(*_: Any) -> bool:
        try:
            return await asyncio.sleep(60, True)
        except asyncio.CancelledError:
            code, none = grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(code, none, none) from None

    async def run() -> None:
        async with gateway() as (asking, replicas):
            monkeypatch.setattr(replica.Replica, "_converse", converse)
            await replicas.kill(0)
            await replicas.restart(0)
            await asyncio.sleep(0.3)
            await asyncio.wait_for(asking.close(), 3)

    asyncio.run(run())


def test_a_restarted_replica_is_asked_again() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            await replicas.kill(0)
            await until(lambda: asking._replicas.count_free() == 1)
            replicas.scripts[0].reset()
            await replicas.restart(0)
            await until(lambda: asking._replicas.count_free() == 2)
            await ask_many(asking, 80)
            assert replicas.scripts[0].asked

    asyncio.run(run())


def test_a_replica_that_was_away_for_long_is_found_soon() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            await replicas.kill(0)
            await asyncio.sleep(3)
            await replicas.restart(0)
            await until(lambda: asking.count_ready() == 2, 1)

    asyncio.run(run())


def test_a_silent_replica_is_ejected_and_its_questions_go_to_the_other() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            replicas.scripts[0].silent = True
            answers = await ask_many(asking, 80)
            assert {answer.json for answer in answers} == {ANSWER_JSON}
            seen = len(replicas.scripts[0].asked)
            assert seen == 40
            await ask_many(asking, 80)
            assert len(replicas.scripts[0].asked) == seen

    asyncio.run(run())


def test_with_no_replica_left_popular_items_answer_at_once_and_say_so() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            for number in range(2):
                await replicas.kill(number)
            await until(lambda: not asking.is_ready())
            answer = await asyncio.wait_for(asking.ask(THREE), timeout=0.1)
            document = json.loads(answer.json + b"}")
            assert [item["item_id"] for item in document["items"]] == ["0", "1", "2"]
            assert (document["source"], document["degraded"]) == ("popular", True)
            assert answer.degraded
            assert answer.source == pb.SOURCE_POPULAR

    asyncio.run(run())


def test_popular_items_that_stand_in_hold_none_of_those_asked_about() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            for number in range(2):
                await replicas.kill(number)
            await until(lambda: not asking.is_ready())
            for about, shown in (
                (ItemTarget("1"), ["0", "2", "3"]),
                (SessionTarget(("0", "2", "no such item")), ["1", "3", "4"]),
            ):
                answer = await asking.ask(RecommendationRequest("shop", about, 3))
                document = json.loads(answer.json + b"}")
                assert [item["item_id"] for item in document["items"]] == shown

    asyncio.run(run())


def test_questions_under_way_when_the_last_replica_dies_get_popular_items() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            for script in replicas.scripts:
                script.silent = True
            asked = asyncio.create_task(ask_many(asking, 40))
            await until(lambda: all(script.asked for script in replicas.scripts))
            for number in range(2):
                await replicas.kill(number)
            assert all(answer.degraded for answer in await asked)

    asyncio.run(run())


def test_a_tenant_nothing_is_known_of_is_unavailable_then() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            for number in range(2):
                await replicas.kill(number)
            await until(lambda: not asking.is_ready())
            with pytest.raises(ProblemError) as raised:
                await asking.ask(RecommendationRequest("othershop", ANN, 3))
            assert raised.value.kind is UNAVAILABLE
            assert raised.value.headers == {"Retry-After": "1"}

    asyncio.run(run())


def test_an_answer_that_takes_too_long_is_popular_items_in_time() -> None:
    async def run() -> None:
        async with gateway(seconds=0.3) as (asking, replicas):
            for script in replicas.scripts:
                script.seconds = 5.0
            answer = await asyncio.wait_for(asking.ask(THREE), timeout=0.6)
            assert answer.degraded

    asyncio.run(run())


def test_a_late_answer_of_one_replica_is_never_that_of_another_question() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            slow, quick = replicas.scripts
            slow.silent = True
            await ask_many(asking, 40)
            slow.silent = False
            # What it should have said long ago comes together with what it is asked now.
            answers = await ask_many(asking, 40)
            assert {answer.json for answer in answers} == {ANSWER_JSON}
            assert quick.asked

    asyncio.run(run())


def test_more_than_may_be_under_way_is_refused_at_once() -> None:
    async def run() -> None:
        async with gateway(max_pending=10) as (asking, replicas):
            for script in replicas.scripts:
                script.seconds = 0.1
            answers = await ask_many(asking, 30)
            refused = [answer for answer in answers if isinstance(answer, ProblemError)]
            assert len(refused) == 20
            assert {problem.kind for problem in refused} == {OVERLOADED}
            assert {problem.headers["Retry-After"] for problem in refused} == {"1"}
            # And afterwards there is room again.
            assert (await asking.ask(THREE)).json == ANSWER_JSON
            assert asking.pending() == 0

    asyncio.run(run())


def test_a_queue_that_stands_is_refused_more_until_it_moves_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing_queue, "INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr(standing_queue, "TARGET_SECONDS", 0.02)

    async def run() -> None:
        async with gateway(seconds=5.0, max_pending=10_000) as (asking, replicas):
            for script in replicas.scripts:
                script.seconds_per_request = 0.05
            # Four times what the two do, however fast that is here.
            asked = []
            for number in range(1, 51):
                asked.append(asyncio.create_task(ask_many(asking, 200)))
                while sum(len(script.asked) for script in replicas.scripts) < 50 * number:
                    await asyncio.sleep(0.001)
                    if all(task.done() for task in asked):
                        break
            answers = [answer for task in asked for answer in await task]
            refused = [answer for answer in answers if isinstance(answer, ProblemError)]
            assert {problem.kind for problem in refused} == {OVERLOADED}
            assert 0.3 < len(refused) / len(answers) < 0.9
            assert {a.json for a in answers if isinstance(a, pb.RenderedAnswer)} == {ANSWER_JSON}
            # An interval after the last who was refused there is room for a burst again.
            await asyncio.sleep(standing_queue.INTERVAL_SECONDS)
            assert {answer.json for answer in await ask_many(asking, 500)} == {ANSWER_JSON}

    asyncio.run(run())


@pytest.mark.parametrize("hung_seconds", [0.75, 1.5])
def test_a_stall_of_this_process_with_many_waiting_refuses_nobody_and_ejects_no_replica(
    hung_seconds: float,
) -> None:
    async def run() -> None:
        async with gateway(seconds=5.0, max_pending=1000) as (asking, _):
            before = asyncio.create_task(ask_many(asking, 300))
            while not all(each.is_busy for each in asking._replicas):
                await asyncio.sleep(0)
            time.sleep(hung_seconds * module.HUNG_SECONDS)
            after = await ask_many(asking, 200)
            answers = [*await before, *after]
            assert [answer for answer in answers if isinstance(answer, ProblemError)] == []
            assert not any(answer.degraded for answer in answers)

    with capture_logs() as lines:
        asyncio.run(run())
    assert "recommender_hung" not in [line["event"] for line in lines]


def test_a_replica_that_answers_piece_by_piece_is_not_taken_for_a_silent_one() -> None:
    async def run() -> None:
        async with gateway(seconds=5.0) as (asking, replicas):
            for script in replicas.scripts:
                # Each answer within the time, all together not.
                script.seconds_per_piece = module.HUNG_SECONDS / 2
            answers = await ask_many(asking, 10)
            assert {answer.json for answer in answers} == {ANSWER_JSON}

    with capture_logs() as lines:
        asyncio.run(run())
    assert "recommender_hung" not in [line["event"] for line in lines]


def test_a_replica_gets_no_more_questions_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HUNG_SECONDS", 10.0)
    monkeypatch.setattr(replica, "MAX_QUESTIONS_UNDER_WAY", 2 * MAX_QUESTIONS)

    async def run() -> None:
        async with gateway(seconds=10.0, max_pending=1000) as (asking, replicas):
            first, second = replicas.scripts
            first.seconds = second.seconds = 1.0
            answers = asyncio.create_task(ask_many(asking, 6 * MAX_QUESTIONS))
            await until(lambda: len(first.asked) + len(second.asked) >= 4 * MAX_QUESTIONS)
            await asyncio.sleep(0.1)
            assert len(first.asked) == len(second.asked) == 2 * MAX_QUESTIONS
            assert max(first.requests + second.requests) == MAX_QUESTIONS
            assert {answer.json for answer in await answers} == {ANSWER_JSON}

    asyncio.run(run())


def test_what_one_replica_cannot_answer_another_one_is_asked() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            replicas.scripts[0].failures = [Unavailable("model", "not loaded yet")]
            replicas.scripts[1].failures = []
            for _ in range(2):
                assert (await asking.ask(THREE)).json == ANSWER_JSON

    asyncio.run(run())


def test_a_replica_without_a_model_that_another_one_has_is_no_shop_without_a_model() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            replicas.scripts[0].failures = [NoModel("no model yet")]
            for _ in range(2):
                assert (await asking.ask(THREE)).json == ANSWER_JSON
            for script in replicas.scripts:
                script.failures = [NoModel("no model yet")]
            assert (await asking.ask(THREE)).degraded

    asyncio.run(run())


def test_a_shop_that_no_replica_has_a_model_of_is_told_from_an_outage() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            for script in replicas.scripts:
                script.without_model = True
            with pytest.raises(ProblemError) as raised:
                await asking.ask(RecommendationRequest("newshop", ANN, 3))
            assert raised.value.kind is NO_MODEL
            assert raised.value.detail == "no model yet: run `recsys nightly`"
            assert sum(len(script.asked) for script in replicas.scripts) == 1

    asyncio.run(run())


def test_a_replica_that_drains_is_asked_no_more_and_loses_nothing() -> None:
    async def run() -> None:
        async with gateway() as (asking, replicas):
            replicas.scripts[0].seconds = 0.1
            asked = asyncio.create_task(ask_many(asking, 40))
            await until(lambda: bool(replicas.scripts[0].asked))
            await replicas.scripts[0].drain()
            await until(lambda: replicas.scripts[0].ended == 1)
            assert {answer.json for answer in await asked} == {ANSWER_JSON}
            seen = len(replicas.scripts[0].asked)
            await ask_many(asking, 4)
            assert len(replicas.scripts[0].asked) == seen

    asyncio.run(run())


def test_a_question_that_is_asked_elsewhere_still_ends_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HUNG_SECONDS", 10.0)

    async def run() -> None:
        async with gateway(seconds=0.3) as (asking, replicas):
            for script in replicas.scripts:
                script.failures, script.seconds = [Unavailable("model", "not loaded yet")], 0.1
            asked = asyncio.create_task(asking.ask(THREE))
            await until(lambda: any(script.asked for script in replicas.scripts))
            for script in replicas.scripts:
                script.silent = True
            answer = await asyncio.wait_for(asked, timeout=1.0)
            assert answer.degraded
            assert sum(len(script.asked) for script in replicas.scripts) == 2

    asyncio.run(run())
