"""Put given items in a user's order, for every route alike."""

from services.gateway.dependencies import Dependencies
from services.gateway.recommendations import checked, fetch_recommendations
from services.gateway.schemas.problems import refuse_other_users
from services.gateway.schemas.rerank import RerankRequest


async def fetch_reranked(
    dependencies: Dependencies,
    tenant: str,
    wanted: RerankRequest,
    acting: str | None,
    request_id: str,
) -> bytes:
    """Ask for the order of the items; return the body of the response.

    Args:
        acting: the user whom alone the caller may act for; None: any.

    Raises:
        ProblemError: naming every field at fault; for another user than `acting`; or see
            `fetch_recommendations`.
    """
    refuse_other_users(acting, [wanted.user_id])
    request = checked(tenant, wanted.target(), 1, reranked_item_ids=tuple(wanted.item_ids))
    return await fetch_recommendations(dependencies, request, request_id)
