"""Reports for the shop's own eyes, made by jobs and read from where these published them."""

from fastapi import APIRouter, Depends, Request, Response

from recsys.rpc.v1 import ingest_pb2
from services.gateway.dependencies import ReadContext, dependencies_of
from services.gateway.http.etags import Preconditions, etag_of, is_known_to_caller
from services.gateway.http.query import only_parameters
from services.gateway.routes.authentication import Caller, authenticated
from services.gateway.routes.openapi import problem_responses, with_etag
from services.gateway.schemas.problems import NOT_FOUND, PRECONDITION_FAILED
from services.gateway.schemas.reports import ExperimentReport, from_message

router = APIRouter(
    tags=["reports"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses={**problem_responses(), **problem_responses(PRECONDITION_FAILED)},
)


@router.get(
    "/v1/reports/experiments",
    summary="Read what came of recommendations",
    response_model=ExperimentReport,
    responses={**problem_responses(NOT_FOUND), **with_etag("report")},
)
async def get_experiment_report(
    key: Caller, condition: Preconditions, call: ReadContext, request: Request
) -> Response:
    """Read clicks, baskets, orders and revenue by placement and variant, with 95 % intervals.

    It is the report that `recsys report --publish` made last, as a rule after each nightly run;
    nothing is counted now. Before the first one the answer is 404. For a server's key.
    """
    dependencies = dependencies_of(request)
    question = ingest_pb2.GetExperimentReportRequest(tenant=key.tenant)
    found = await dependencies.ingest.get_experiment_report(question, call)
    # Weak: the age within goes on, and the report stays the same.
    headers = {"ETag": f"W/{etag_of(found.revision)}", "Cache-Control": "private, no-cache"}
    if is_known_to_caller(condition, found.revision):
        return Response(status_code=304, headers=headers)
    report = from_message(found.report, dependencies.now_ms())
    return Response(report.model_dump_json(), headers=headers, media_type="application/json")
