"""Requests of gRPC callers, those for a placement by the settings of the shop as they are now."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from recsys.clock import utc_now_ms
from recsys.config.shops import Shops
from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, NotFound
from recsys.core.event_types import unremembered
from recsys.core.popularity_windows import window_problem
from recsys.core.serving.placed_request import (
    USER_VALUES_NEED_PLACEMENT,
    AttributesOf,
    ShownPlacement,
    for_shopper,
    placed_request,
    seen_problem,
    shown_placement,
    unknown_placement,
)
from recsys.core.serving.request import RecommendationRequest, Target, UserTarget
from recsys.rpc.questions import request_of, target_of, wishes_of
from recsys.rpc.v1 import recommender_pb2 as pb


class WantedList(NamedTuple):
    """A request, and the placement that it is for, if it names one."""

    request: RecommendationRequest
    placement: ShownPlacement | None = None


class NamedPlacements:
    """Reads requests as gateways read those of REST.

    Args:
        attributes_of: what a shop says of a user.
        now_ms: UTC milliseconds, by which rules hold or not.
    """

    def __init__(
        self,
        shops: Shops,
        attributes_of: AttributesOf,
        now_ms: Callable[[], int] = utc_now_ms,
    ) -> None:
        self._shops = shops
        self._attributes_of = attributes_of
        self._now_ms = now_ms

    async def read(self, message: pb.RecommendRequest, page_user_id: str = "") -> WantedList:
        """Read a request.

        Args:
            page_user_id: whom the page of the request is for: its target where it has none, else
                its visitor where it names none. Empty: nobody.

        Raises:
            InvalidInput: naming every field that breaks a rule.
            NotFound: the shop has no such placement.
        """
        if page_user_id and message.WhichOneof("about") is None:
            message.user_id = page_user_id
        if not message.placement:
            self._check_unplaced(message)
            request = request_of(message)
            if page_user_id and request.asks_of_visitor and not request.visitor_id:
                request = replace(request, visitor_id=page_user_id)
            return WantedList(request)
        _check(message)
        tenant = message.tenant
        shop = self._shops.of(tenant)
        if message.placement not in shop.placements:
            raise NotFound(unknown_placement(message.placement, shop.placements))
        target = target_of(message) if message.WhichOneof("about") else None
        visitor, now_ms = _visitor(message, target) or page_user_id or None, self._now_ms()
        shown = shown_placement(
            message.placement, shop.placements, shop.experiments, tenant, visitor
        )
        own, wishes = await for_shopper(
            shown, wishes_of(message), tenant, visitor, now_ms, self._attributes_of
        )
        request = placed_request(
            tenant,
            target,
            visitor,
            wishes,
            own,
            shop.event_types,
            shop.windows_days,
            now_ms,
        )
        return WantedList(request, shown)

    def _check_unplaced(self, message: pb.RecommendRequest) -> None:
        wanted, shop = message.controls, self._shops.of(message.tenant)
        types = wanted.exclude_event_types
        reasons = {
            "window_days": window_problem(wanted.window_days, shop.windows_days),
            "exclude_event_types": unremembered(types, shop.event_types)
            or seen_problem(types, wanted.exclude_seen_days),
        }
        fields = wishes_of(message).fields_about_user
        reasons |= dict.fromkeys(fields, USER_VALUES_NEED_PLACEMENT)
        if any(reasons.values()):
            raise InvalidInput([FieldProblem(name, why) for name, why in reasons.items() if why])


def _check(message: pb.RecommendRequest) -> None:
    problems = []
    if message.generators:
        problems.append(FieldProblem("generators", "are those of the placement: name one of both"))
    if message.visitor_id and (reason := identifier_problem(message.visitor_id)):
        problems.append(FieldProblem("visitor_id", reason))
    if problems:
        raise InvalidInput(problems)


def _visitor(message: pb.RecommendRequest, target: Target | None) -> str | None:
    if message.visitor_id:
        return message.visitor_id
    return target.user_id if isinstance(target, UserTarget) else None
