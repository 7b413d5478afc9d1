"""Lists of recommendations on a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.storefront.api import Api, ApiRefused, ApiUnavailable, Json

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shelf:
    """A placement of the API and its heading.

    Attributes:
        only: the source of the items that go with the heading; None: whatever fills it up, too.
    """

    title: str
    request: Json
    only: str | None = None


@dataclass(frozen=True, slots=True)
class FilledShelf:
    """A heading with the API's answer."""

    title: str
    answer: Json


async def fill(
    api: Api, shelves: Sequence[Shelf], user_id: str | None = None
) -> list[FilledShelf] | None:
    """Fill the shelves of a page, without empty ones; None: the page must do without any."""
    try:
        answers = await api.recommend_page([shelf.request for shelf in shelves], user_id)
    except ApiUnavailable:
        return None
    except ApiRefused as error:
        # The settings of the shop lack a placement, for example: the page is good without it.
        _log.warning("shelves_refused", reason=str(error))
        return None
    filled = [
        FilledShelf(shelf.title, {**answer, "items": _fitting(shelf, answer)})
        for shelf, answer in zip(shelves, answers, strict=True)
    ]
    return [shelf for shelf in filled if shelf.answer["items"]]


def _fitting(shelf: Shelf, answer: Json) -> list[Json]:
    return [item for item in answer["items"] if shelf.only in (None, item["source"])]
