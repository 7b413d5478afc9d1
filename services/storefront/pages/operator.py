"""The operator's page: what serves, how it does, what holds, and why an item is in a list."""

from ipaddress import ip_address

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from recsys.core.domain import identifier_problem
from recsys.core.experiment_report import RATES
from services.storefront.api import ApiRefused, ApiUnavailable, Json
from services.storefront.dependencies import dependencies_of
from services.storefront.pages.rendering import render

router = APIRouter()

_LISTED = 10


@router.get("/shop/operator")
async def operator(request: Request, user: str = "", placement: str = "home") -> HTMLResponse:
    if not _is_from_this_machine(request):
        raise HTTPException(404, "There is no such page.")
    operations = dependencies_of(request).operations
    answer, problem = await _ask(request, user.strip(), placement)
    report, report_problem = await _report(request)
    return render(
        request,
        "operator.html",
        serving=answer["model_version"] if answer else None,
        models=await operations.models(),
        gateways=await operations.gateways(),
        placements=operations.placements(),
        rules=operations.rules(),
        experiments=operations.experiments(),
        report=report,
        report_problem=report_problem,
        rates=RATES,
        answer=answer,
        problem=problem,
        user=user,
        placement=placement,
    )


async def _ask(request: Request, user_id: str, placement: str) -> tuple[Json | None, str]:
    """The list of a placement for a user, or for nobody; or why there is none."""
    if user_id and (reason := identifier_problem(user_id)):
        return None, f"The user {reason}."
    wanted = {"limit": _LISTED, **({"user_id": user_id} if user_id else {})}
    try:
        return await dependencies_of(request).api.recommend(placement, wanted), ""
    except ApiRefused as error:
        return None, f"The API refused this: {error}."
    except ApiUnavailable:
        return None, "The API does not respond."


async def _report(request: Request) -> tuple[Json | None, str]:
    """The last report of experiments, None before the first one; or why it cannot be read."""
    try:
        return await dependencies_of(request).api.experiment_report(), ""
    except ApiRefused as error:
        return None, f"The API refused the report: {error}."
    except ApiUnavailable:
        return None, "The API does not answer with the report now."


def _is_from_this_machine(request: Request) -> bool:
    """Whether neither the caller nor whom a balancer speaks for is of another machine."""
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    hosts = [request.client.host if request.client else "", *forwarded]
    try:
        return all(ip_address(host.strip()).is_loopback for host in hosts if host.strip())
    except ValueError:
        return False
