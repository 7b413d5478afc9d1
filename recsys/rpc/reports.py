"""Reports of experiments as messages."""

import hashlib

from recsys.core.experiment_report import (
    RATES,
    ExperimentReport,
    RateInterval,
    Rates,
    ReportedDifference,
    ReportedOutcome,
    SampleRatioMismatch,
)
from recsys.rpc.v1 import ingest_pb2 as pb

_REVISION_BYTES = 12


def from_report(report: ExperimentReport) -> pb.GetExperimentReportResponse:
    """Write a report, with its revision."""
    message = pb.ExperimentReport(
        made_ms=report.made_ms,
        start_ms=report.start_ms,
        end_ms=report.end_ms,
        outcomes=map(_from_outcome, report.outcomes),
        differences=map(_from_difference, report.differences),
        outcomes_left_out=report.outcomes_left_out,
        sample_ratio_mismatches=map(_from_mismatch, report.sample_ratio_mismatches),
    )
    written = message.SerializeToString(deterministic=True)
    revision = hashlib.blake2b(written, digest_size=_REVISION_BYTES).hexdigest()
    return pb.GetExperimentReportResponse(report=message, revision=revision)


def _from_outcome(outcome: ReportedOutcome) -> pb.ReportedOutcome:
    return pb.ReportedOutcome(**outcome.counts(), rates=_from_rates(outcome.rates))


def _from_difference(difference: ReportedDifference) -> pb.ReportedDifference:
    return pb.ReportedDifference(
        placement=difference.placement,
        experiment=difference.experiment,
        variant=difference.variant,
        baseline=difference.baseline,
        rates=_from_rates(difference.rates),
    )


def _from_mismatch(mismatch: SampleRatioMismatch) -> pb.SampleRatioMismatch:
    return pb.SampleRatioMismatch(
        placement=mismatch.placement,
        experiment=mismatch.experiment,
        p_value=mismatch.p_value,
        groups=(
            pb.ExperimentGroup(variant=each.variant, users=each.users, expected=each.expected)
            for each in mismatch.groups
        ),
    )


def _from_rates(rates: Rates) -> pb.ReportedRates:
    return pb.ReportedRates(**{name: _from_interval(rates[name]) for name in RATES})


def _from_interval(rate: RateInterval) -> pb.RateInterval:
    return pb.RateInterval(mean=rate.mean, low=rate.low, high=rate.high)
