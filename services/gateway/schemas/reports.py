"""The JSON of reports."""

from datetime import datetime

from google.protobuf.message import Message
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.experiment_report import MAX_OUTCOMES
from recsys.core.times import utc_datetime
from recsys.rpc.v1 import ingest_pb2
from services.gateway.schemas.field_rules import CONTEXT_VALUE_RULES

_RATES_EXAMPLE: JsonDict = {
    "click_rate": {"mean": 0.125, "low": 0.1, "high": 0.15},
    "cart_rate": {"mean": 0.03, "low": 0.02, "high": 0.04},
    "conversion": {"mean": 0.06, "low": 0.05, "high": 0.07},
    "revenue_per_user": {"mean": 1.2, "low": 0.9, "high": 1.5},
}
_OUTCOME_EXAMPLE: JsonDict = {
    "placement": "home",
    "experiment": "diverse_home",
    "variant": "diverse",
    "users": 1000,
    "shown": 8000,
    "clicked": 1000,
    "carted": 240,
    "orders": 70,
    "revenue": 1200.0,
    "rates": _RATES_EXAMPLE,
}
_DIFFERENCE_EXAMPLE: JsonDict = {
    "placement": "home",
    "experiment": "diverse_home",
    "variant": "diverse",
    "baseline": "control",
    "rates": {
        "click_rate": {"mean": 0.025, "low": 0.001, "high": 0.049},
        "cart_rate": {"mean": 0.002, "low": -0.01, "high": 0.014},
        "conversion": {"mean": 0.01, "low": -0.004, "high": 0.024},
        "revenue_per_user": {"mean": 0.1, "low": -0.3, "high": 0.5},
    },
}
_MISMATCH_EXAMPLE: JsonDict = {
    "placement": "home",
    "experiment": "diverse_home",
    "p_value": 0.0004,
    "groups": [
        {"variant": "control", "users": 1160, "expected": 1080.0},
        {"variant": "diverse", "users": 1000, "expected": 1080.0},
    ],
}


class RateInterval(BaseModel):
    """An estimate with its 95 % interval over users; null where too few users are behind it."""

    mean: float | None
    low: float | None
    high: float | None


class ReportedRates(BaseModel):
    click_rate: RateInterval = Field(
        description="Of the items shown, those with an event of a positive weight."
    )
    cart_rate: RateInterval = Field(description="Of the items shown, those put into a basket.")
    conversion: RateInterval = Field(
        description="Of the users, those who ordered what they were shown."
    )
    revenue_per_user: RateInterval


class _Reported(BaseModel):
    """What an entry of a report is about."""

    placement: str = Field(
        json_schema_extra=CONTEXT_VALUE_RULES, description="As the `context` of impressions has it."
    )
    experiment: str = Field(json_schema_extra=CONTEXT_VALUE_RULES, description="Empty without one.")
    variant: str = Field(
        json_schema_extra=CONTEXT_VALUE_RULES, description="Empty without an experiment."
    )


class ReportedOutcome(_Reported):
    """What came of one placement, in one variant of an experiment or without any."""

    users: int = Field(ge=0, description="Who were shown something.")
    shown: int = Field(ge=0, description="Items, each once for every recommendation.")
    clicked: int = Field(ge=0, description="Of the items shown.")
    carted: int = Field(ge=0, description="Of the items shown.")
    orders: int = Field(ge=0, description="Lines of orders by these users of what they were shown.")
    revenue: float = Field(description="What these sold.")
    rates: ReportedRates


class ReportedDifference(_Reported):
    """The rates of a variant less those of the first one of its experiment."""

    baseline: str = Field(
        json_schema_extra=CONTEXT_VALUE_RULES, description="The variant compared with."
    )
    rates: ReportedRates


class ExperimentGroup(BaseModel):
    """The users of one variant."""

    variant: str = Field(json_schema_extra=CONTEXT_VALUE_RULES)
    users: int = Field(ge=0, description="Who were shown something.")
    expected: float = Field(
        ge=0, description="How many of the users of all groups it was to have by its weight."
    )


class SampleRatioMismatch(BaseModel):
    """A placement of an experiment whose groups are not of the sizes that were asked for."""

    placement: str = Field(json_schema_extra=CONTEXT_VALUE_RULES)
    experiment: str = Field(json_schema_extra=CONTEXT_VALUE_RULES)
    p_value: float = Field(
        ge=0, le=1, description="How likely chance makes such groups, or ones further off."
    )
    groups: list[ExperimentGroup] = Field(
        description="Of all variants, in the order of the shop's settings."
    )


class ExperimentReport(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "made_time": "2026-11-27T02:30:00Z",
                    "age_seconds": 3600,
                    "start_time": "2026-10-30T02:30:00Z",
                    "end_time": "2026-11-27T02:30:00Z",
                    "outcomes": [_OUTCOME_EXAMPLE],
                    "outcomes_left_out": 0,
                    "differences": [_DIFFERENCE_EXAMPLE],
                    "sample_ratio_mismatches": [_MISMATCH_EXAMPLE],
                }
            ]
        }
    )

    made_time: datetime = Field(description="When the report was made.")
    age_seconds: int = Field(ge=0, description="How long ago that is.")
    start_time: datetime | None = Field(
        description="Events from here on count; null: from the first one on."
    )
    end_time: datetime = Field(description="Events before this count.")
    outcomes: list[ReportedOutcome] = Field(
        max_length=MAX_OUTCOMES, description="By placement, experiment and variant."
    )
    outcomes_left_out: int = Field(
        ge=0, description="How many more outcomes there were, of the fewest users."
    )
    differences: list[ReportedDifference] = Field(
        max_length=MAX_OUTCOMES, description="Of each variant from the first one of its experiment."
    )
    sample_ratio_mismatches: list[SampleRatioMismatch] = Field(
        max_length=MAX_OUTCOMES,
        description="Whose differences are not to be trusted: a variant has lost users, or its"
        " weight was changed in that time.",
    )


def from_message(report: ingest_pb2.ExperimentReport, now_ms: int) -> ExperimentReport:
    return ExperimentReport(
        made_time=utc_datetime(report.made_ms),
        age_seconds=max(0, now_ms - report.made_ms) // 1000,
        start_time=utc_datetime(report.start_ms) if report.HasField("start_ms") else None,
        end_time=utc_datetime(report.end_ms),
        outcomes=[ReportedOutcome.model_validate(_fields(each)) for each in report.outcomes],
        outcomes_left_out=report.outcomes_left_out,
        differences=[
            ReportedDifference.model_validate(_fields(each)) for each in report.differences
        ],
        sample_ratio_mismatches=[_from_mismatch(each) for each in report.sample_ratio_mismatches],
    )


def _from_mismatch(message: ingest_pb2.SampleRatioMismatch) -> SampleRatioMismatch:
    return SampleRatioMismatch(
        placement=message.placement,
        experiment=message.experiment,
        p_value=message.p_value,
        groups=[ExperimentGroup.model_validate(_fields(each)) for each in message.groups],
    )


def _fields(message: Message) -> dict[str, object]:
    """All fields of a message, those within it too; None for what is not set."""
    found: dict[str, object] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None:
            value = _fields(value)
        elif field.has_presence and not message.HasField(field.name):
            value = None
        found[field.name] = value
    return found
