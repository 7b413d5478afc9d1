"""The JSON of a report of experiments: in Redis, and in the file of `recsys report --output`."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from recsys.core.experiment_report import (
    COUNTS,
    RATES,
    ExperimentGroup,
    ExperimentReport,
    RateInterval,
    Rates,
    ReportedDifference,
    ReportedOutcome,
    SampleRatioMismatch,
)

# One more where a field changes its meaning or goes; a new one has a default.
_FORMAT = 1


def report_document(report: ExperimentReport) -> dict[str, Any]:
    """Write a report."""
    return {"format": _FORMAT, **asdict(report)}


def decode_report(document: bytes | str) -> ExperimentReport:
    """Read a report; fields that a later release has added are left out.

    Raises:
        ValueError: it is none, or one that this release cannot read.
    """
    found = json.loads(document)
    try:
        if found["format"] != _FORMAT:
            raise ValueError(f"a report of format {found['format']}: this release reads {_FORMAT}")
        return ExperimentReport(
            made_ms=found["made_ms"],
            start_ms=found["start_ms"],
            end_ms=found["end_ms"],
            outcomes=tuple(_outcome(each) for each in found["outcomes"]),
            differences=tuple(_difference(each) for each in found["differences"]),
            outcomes_left_out=found["outcomes_left_out"],
            # Earlier releases did not keep them.
            sample_ratio_mismatches=tuple(
                _mismatch(each) for each in found.get("sample_ratio_mismatches", ())
            ),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a report: {error!r}") from error


def _outcome(found: Mapping[str, Any]) -> ReportedOutcome:
    counts = {name: found[name] for name in COUNTS}
    return ReportedOutcome(**counts, rates=_rates(found["rates"]))


def _difference(found: Mapping[str, Any]) -> ReportedDifference:
    return ReportedDifference(
        placement=found["placement"],
        experiment=found["experiment"],
        variant=found["variant"],
        baseline=found["baseline"],
        rates=_rates(found["rates"]),
    )


def _mismatch(found: Mapping[str, Any]) -> SampleRatioMismatch:
    return SampleRatioMismatch(
        placement=found["placement"],
        experiment=found["experiment"],
        p_value=found["p_value"],
        groups=tuple(
            ExperimentGroup(each["variant"], each["users"], each["expected"])
            for each in found["groups"]
        ),
    )


def _rates(found: Mapping[str, Any]) -> Rates:
    return {
        name: RateInterval(found[name]["mean"], found[name]["low"], found[name]["high"])
        for name in RATES
    }
