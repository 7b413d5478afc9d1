"""Answers to a batch of questions, ready for REST."""

from collections.abc import Awaitable, Iterable, Sequence

import structlog

from recsys.core.errors import NoModel, RecsysError
from recsys.core.serving.lists import Source
from recsys.core.serving.pipeline import similar_items
from recsys.core.serving.request import ItemTarget
from recsys.rpc.questions import request_of
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.grpc.errors import status_of
from services.recommender.asked import Asked
from services.recommender.model.answer_cache import Rendered, Rendering
from services.recommender.model.follower import ModelFollower
from services.recommender.model.serving import Serving
from services.recommender.rendering import render
from services.recommender.user_lists import UserLists
from services.recommender.user_result import UserResult

SOURCES = {source: pb.Source.Value(f"SOURCE_{source.name}") for source in Source}
# All unknown items are answered alike. No item has an empty id.
_UNKNOWN_ITEM = ""

_log = structlog.get_logger()


class BatchAnswers:
    """Responses to a batch: at once where a list is at hand, later where one must be scored."""

    def __init__(self, follower: ModelFollower, user_lists: UserLists) -> None:
        self._follower = follower
        self._user_lists = user_lists

    async def to(
        self, questions: Iterable[pb.Question]
    ) -> tuple[list[pb.RenderedAnswer], list[Awaitable[pb.RenderedAnswer]]]:
        """The quick answers, and the slow ones to be waited for; each question has one of either.

        One that cannot be answered gets its own error and never fails the others.
        """
        quick: list[pb.RenderedAnswer] = []
        slow: list[Awaitable[pb.RenderedAnswer]] = []
        about_users: list[tuple[pb.Question, Asked]] = []

        def place(question: pb.Question, found: UserResult | Awaitable[UserResult]) -> None:
            if isinstance(found, UserResult):
                quick.append(_answer(question, found))
            else:
                slow.append(_answer_later(question, found))

        for question in questions:
            try:
                found = self._without_store(question)
                if isinstance(found, Asked):
                    about_users.append((question, found))
                elif isinstance(found, pb.RenderedAnswer):
                    quick.append(found)
                else:
                    place(question, found)
            except Exception as error:
                quick.append(_failure(question, error))
        for question, user in await self._of_users(about_users):
            if isinstance(user, Exception):
                quick.append(_refusal(question, user))
                continue
            try:
                place(question, user)
            except Exception as error:
                quick.append(_failure(question, error))
        return quick, slow

    def _without_store(
        self, question: pb.Question
    ) -> pb.RenderedAnswer | UserResult | Awaitable[UserResult] | Asked:
        """The answer where it is at hand, else who is to be looked up."""
        serving = self._follower.serving(question.tenant)
        request = request_of(question)
        if isinstance(request.target, ItemTarget) and request.is_plain:
            return _similar(question, request.target.item_id, serving)
        asked = Asked.of(serving, request, question.budget_ms / 1000)
        return asked if request.needs_user_lookup else self._user_lists.of_items(asked)

    async def _of_users(
        self, about: Sequence[tuple[pb.Question, Asked]]
    ) -> list[tuple[pb.Question, UserResult | Awaitable[UserResult] | Exception]]:
        """Look users up. A failure here fails these questions, not the stream that they came by."""
        if not about:
            return []
        try:
            found = await self._user_lists.find([asked for _, asked in about])
        except Exception as error:
            _log.exception("user_lookup_failed")
            return [(question, error) for question, _ in about]
        return [(question, each) for (question, _), each in zip(about, found, strict=True)]


def _similar(question: pb.Question, item_id: str, serving: Serving) -> pb.RenderedAnswer:
    model = serving.model
    row = model.shown.row_of(item_id)
    key = _UNKNOWN_ITEM if row is None else item_id
    kept = model.similar.get(key) or Rendered()
    before = kept.rendering

    def write() -> Rendering:
        return render(similar_items(serving.now, row, question.limit), model, degraded=False)

    rendering = kept.get(serving.catalogue_number, question.limit, write)
    if rendering is not before:
        model.similar.put(key, kept)
    return _message(question, rendering, degraded=False)


def _answer(question: pb.Question, found: UserResult) -> pb.RenderedAnswer:
    return _message(question, found.rendered(), degraded=found.degraded)


async def _answer_later(question: pb.Question, found: Awaitable[UserResult]) -> pb.RenderedAnswer:
    try:
        return _answer(question, await found)
    except Exception as error:
        return _failure(question, error)


def _message(question: pb.Question, rendering: Rendering, *, degraded: bool) -> pb.RenderedAnswer:
    return pb.RenderedAnswer(
        number=question.number,
        json=rendering.json,
        source=SOURCES[rendering.source],
        degraded=degraded,
    )


def _failure(question: pb.Question, error: Exception) -> pb.RenderedAnswer:
    if not isinstance(error, RecsysError):
        _log.error("question_failed", about=question.WhichOneof("about"), exc_info=error)
    return _refusal(question, error)


def _refusal(question: pb.Question, error: Exception) -> pb.RenderedAnswer:
    code, details, _ = status_of(error)
    return pb.RenderedAnswer(
        number=question.number,
        error_code=code.value[0],
        error_details=details,
        no_model=isinstance(error, NoModel),
    )
