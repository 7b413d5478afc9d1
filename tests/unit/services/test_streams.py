"""A gateway's questions and a recommender's answers, both real, with real gRPC between them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from recsys.config.address import Address
from recsys.core.limits import MAX_SESSION_ITEMS
from recsys.core.model import ItemModel
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    Target,
    UserTarget,
)
from recsys.core.vocabulary import Vocabulary
from recsys.rpc.questions import MAX_QUESTIONS, MAX_QUESTIONS_UNDER_WAY
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import (
    RecommenderServiceStub,
    add_RecommenderServiceServicer_to_server,
)
from recsys.runtime.grpc.async_server import AsyncServer
from recsys.runtime.grpc.server import MAX_MESSAGE_BYTES
from services.gateway.schemas.problems import BACKEND_FAILED, ProblemError
from services.gateway.upstream.recommenders import Recommenders
from services.gateway.upstream.replicas import ReplicaAddresses
from services.recommender.answer_batch import BatchAnswers
from services.recommender.model.shown_items import ShownItems
from tests.builders import an_item_model
from tests.unit.services.gateway.backends import LOOPBACK, RECOMMENDER
from tests.unit.services.recommender.shop import Shop

BALLOON = "\U0001f388"
LONGEST_TITLE = 1000 * BALLOON
ITEMS = 300
STREAM = f"/{RECOMMENDER}/StreamAnswers"


def longest_id(row: int) -> str:
    return f"{row:03}{253 * BALLOON}"


def items_with_the_longest_texts() -> ItemModel:
    return an_item_model(
        ITEMS,
        ids=Vocabulary(map(longest_id, range(ITEMS))),
        titles=(LONGEST_TITLE,) * ITEMS,
    )


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Two shops of which one has every text as long as it may be."""
    with Shop(tenants=("shop", "other"), items=items_with_the_longest_texts()) as shop:
        yield shop


@asynccontextmanager
async def recommender(shop: Shop) -> AsyncIterator[Address]:
    server = AsyncServer(RECOMMENDER, 100, shop.metrics.requests, reflection=False)
    add_RecommenderServiceServicer_to_server(shop.servicer, server.grpc)
    port = await server.start(LOOPBACK)
    await server.set_serving(True)
    shop.streams.ready.set()
    try:
        yield Address("127.0.0.1", port)
    finally:
        await server.grpc.stop(0)


@asynccontextmanager
async def gateway(address: Address) -> AsyncIterator[Recommenders]:
    # Nothing here is about time, and these answers take some.
    asking = Recommenders(ReplicaAddresses(f"ipv4:{address}"), seconds=60.0, max_pending=1000)
    try:
        async with asyncio.timeout(10):
            while not asking.is_ready():
                await asyncio.sleep(0.005)
        yield asking
    finally:
        await asking.close()


def ask_all(
    shop: Shop, questions: list[tuple[str, Target]], limit: int = 100
) -> list[pb.RenderedAnswer | BaseException]:
    """At once, by one gateway."""
    # Not returned: asyncio would print them, for a second.
    answers: list[pb.RenderedAnswer | BaseException] = []

    async def run() -> None:
        async with recommender(shop) as address, gateway(address) as asking:
            coming = (
                asking.ask(RecommendationRequest(tenant, about, limit))
                for tenant, about in questions
            )
            answers.extend(await asyncio.gather(*coming, return_exceptions=True))

    shop.wait(run())
    return answers


def document(answer: pb.RenderedAnswer | BaseException) -> dict[str, Any]:
    assert isinstance(answer, pb.RenderedAnswer), answer
    return json.loads(answer.json + b"}")  # type: ignore[no-any-return]


def test_64_answers_of_the_longest_titles_at_once_are_all_personal(shop: Shop) -> None:
    questions: list[tuple[str, Target]] = []
    for number in range(64):
        tenant, user_id = ("shop", "other")[number % 2], f"u{number}"
        shop.happens(user_id, longest_id(number), tenant=tenant)
        questions.append((tenant, UserTarget(user_id)))
    answers = ask_all(shop, questions)
    assert sum(len(answer.json) for answer in answers) > 2 * MAX_MESSAGE_BYTES  # type: ignore[union-attr]
    for answer in map(document, answers):
        assert (answer["source"], answer["degraded"]) == ("fold_in", False)
        assert len(answer["items"]) == 100
        assert answer["items"][0]["title"] == LONGEST_TITLE


def test_64_sessions_of_a_hundred_of_the_longest_ids_at_once_are_all_personal(shop: Shop) -> None:
    looked_at = tuple(map(longest_id, range(MAX_SESSION_ITEMS)))
    answers = ask_all(shop, [("shop", SessionTarget(looked_at))] * 64, limit=1)
    for answer in map(document, answers):
        assert (answer["source"], answer["degraded"]) == ("fold_in", False)
        assert answer["items"][0]["item_id"] not in looked_at


def popular_of(tenant: str) -> RecommendationRequest:
    return RecommendationRequest(tenant, UserTarget("ann"), 100)


def test_what_is_popular_in_sixty_shops_is_told_before_it_is_needed() -> None:
    tenants = [f"shop{number}" for number in range(60)]
    answers: list[pb.RenderedAnswer | None] = []

    async def run() -> None:
        async with recommender(shop) as address, gateway(address) as asking:
            async with asyncio.timeout(10):
                while asking._snapshots.answer(popular_of(tenants[-1])) is None:
                    await asyncio.sleep(0.005)
            assert asking.is_ready()
            answers.extend(asking._snapshots.answer(popular_of(tenant)) for tenant in tenants)

    with Shop(tenants=tenants, items=items_with_the_longest_texts()) as shop:
        shop.wait(run())
    told = [answer for answer in answers if answer]
    assert sum(len(answer.json) for answer in told) > 2 * MAX_MESSAGE_BYTES
    assert [len(document(answer)["items"]) for answer in told] == [100] * 60


def test_an_item_that_cannot_be_written_costs_nothing_but_the_answers_it_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = ShownItems._write

    def broken(fragments: ShownItems, item_index: int) -> bytes:
        return 1 // 0 if item_index == 3 else write(fragments, item_index)  # type: ignore[return-value]

    monkeypatch.setattr(ShownItems, "_write", broken)
    with Shop() as shop:
        # i3 is the neighbour of i1 and i2, and it is in ann's list, and popular.
        near_3, far, user = ask_all(
            shop,
            [("shop", ItemTarget("i2")), ("shop", ItemTarget("i3")), ("shop", UserTarget("ann"))],
            limit=2,
        )
    for failed in (near_3, user):
        assert isinstance(failed, ProblemError)
        assert failed.kind is BACKEND_FAILED
        assert failed.detail == "recommender failed"
    assert [item["item_id"] for item in document(far)["items"]] == ["i4", "i5"]


def test_a_request_counts_as_read_only_when_its_last_quick_answer_is_out(shop: Shop) -> None:
    """A gateway sends the next one then."""

    async def tell(stub: RecommenderServiceStub) -> list[tuple[int, int]]:
        questions = [a_question(number, limit=100) for number in range(MAX_QUESTIONS)]
        call = stub.StreamAnswers(iter([pb.StreamAnswersRequest(questions=questions)]))
        return [(len(message.answers), message.requests_read) async for message in call]  # type: ignore[attr-defined]

    told = [each for each in talk(shop, tell) if each[0]]
    assert sum(count for count, _ in told) == MAX_QUESTIONS
    assert len(told) > 1
    assert [read for _, read in told] == [0] * (len(told) - 1) + [1]


def test_titles_longer_than_the_catalogue_takes_are_cut() -> None:
    """They cannot come by the API; then one answer alone would be too large."""
    side = an_item_model(ITEMS, titles=(100_000 * BALLOON,) * ITEMS)
    with Shop(items=side) as shop:
        [answer] = ask_all(shop, [("shop", ItemTarget("i0"))])
    assert document(answer)["items"][0]["title"] == LONGEST_TITLE


def a_question(number: int = 1, **values: Any) -> pb.Question:
    defaults = {"tenant": "shop", "user_id": "ann", "limit": 2, "budget_ms": 1000}
    return pb.Question(number=number, **(defaults | values))


@asynccontextmanager
async def connected(shop: Shop) -> AsyncIterator[grpc.aio.Channel]:
    async with (
        recommender(shop) as address,
        grpc.aio.insecure_channel(str(address)) as channel,
    ):
        yield channel


def talk(shop: Shop, tell: Callable[[RecommenderServiceStub], Coroutine[Any, Any, Any]]) -> Any:
    """As another client of the protocol."""

    async def run() -> Any:
        async with connected(shop) as channel:
            return await tell(RecommenderServiceStub(channel))

    return shop.wait(run())


async def answers_to(
    stub: RecommenderServiceStub, *questions: pb.Question
) -> dict[int, pb.RenderedAnswer]:
    call = stub.StreamAnswers(iter([pb.StreamAnswersRequest(questions=questions)]))
    return {answer.number: answer async for message in call for answer in message.answers}  # type: ignore[attr-defined]


def test_each_odd_question_is_answered_for_itself() -> None:
    odd = {
        0: a_question(0),
        1: a_question(1, budget_ms=0),
        2: a_question(2, budget_ms=2**32 - 1),
        3: pb.Question(number=3, tenant="shop", limit=2),
        4: a_question(4, limit=0),
        5: a_question(5, limit=2**32 - 1),
        6: a_question(6, user_id=""),
        7: a_question(7, user_id=10_000 * BALLOON),
        8: a_question(8, tenant=""),
        9: a_question(9, tenant=100_000 * BALLOON),
        10: pb.Question(number=10, tenant="shop", limit=2, session=pb.SessionItems()),
        11: a_question(11, user_id="a\0b"),
        12: a_question(12, tenant="othershop"),
    }
    with Shop() as shop:
        found = talk(shop, lambda stub: answers_to(stub, *odd.values()))
    ok, invalid, not_set_up = 0, 3, 9
    assert {number: answer.error_code for number, answer in found.items()} == {
        **dict.fromkeys((0, 1, 2), ok),
        **dict.fromkeys((3, 4, 5, 6, 7, 8, 9, 10, 11), invalid),
        12: not_set_up,
    }
    assert all(len(answer.error_details.encode()) <= 500 for answer in found.values())


@pytest.mark.parametrize(
    ("message", "details"),
    [
        (b"\xff\xff\xff", "the request is not a valid StreamAnswersRequest"),
        # A user id that is not UTF-8.
        (b"\x0a\x04\x1a\x02\xff\xfe", "the request is not a valid StreamAnswersRequest"),
        (
            pb.StreamAnswersRequest(
                questions=[a_question(number) for number in range(MAX_QUESTIONS + 1)]
            ).SerializeToString(),
            "a request may hold 64 questions, and not 65",
        ),
    ],
)
def test_a_request_that_makes_no_sense_ends_its_stream_and_no_other(
    message: bytes, details: str
) -> None:
    async def tell(stub: RecommenderServiceStub, raw: Any) -> Any:
        other = stub.StreamAnswers()  # type: ignore[call-arg]
        await other.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [answer async for answer in raw(iter([message]))]
        await other.write(pb.StreamAnswersRequest(questions=[a_question()]))
        assert (await other.read()).answers[0].json
        return caught.value

    async def run() -> Any:
        async with connected(shop) as channel:
            return await tell(RecommenderServiceStub(channel), channel.stream_stream(STREAM))

    with Shop() as shop:
        error = shop.wait(run())
        labels = {"route": "StreamAnswers", "status": "INVALID_ARGUMENT"}
        counted = shop.metrics.registry.get_sample_value("recsys_requests_total", labels)
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, details)
    assert counted == 1


def test_of_a_client_that_reads_no_answers_only_so_many_questions_are_taken(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, taken = 20, []
    to = BatchAnswers.to

    async def counted(answers: BatchAnswers, questions: Any) -> Any:
        taken.append(len(questions))
        return await to(answers, questions)

    monkeypatch.setattr(BatchAnswers, "to", counted)

    async def tell(stub: RecommenderServiceStub) -> tuple[int, int]:
        call = stub.StreamAnswers()  # type: ignore[call-arg]
        questions = [a_question(number, limit=100) for number in range(MAX_QUESTIONS)]

        async def write_all() -> None:
            for _ in range(requests):
                await call.write(pb.StreamAnswersRequest(questions=questions))
            await call.done_writing()

        writing = asyncio.create_task(write_all())
        before = -1
        while before != len(taken):
            before = len(taken)
            await asyncio.sleep(0.5)
        answers = 0
        while (message := await call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
            answers += len(message.answers)
        await writing
        return sum(taken[:before]), answers

    unread, answered = talk(shop, tell)
    assert 0 < unread <= MAX_QUESTIONS_UNDER_WAY
    assert answered == requests * MAX_QUESTIONS
