"""The last report of experiments of each shop, in memory."""

from recsys.core.experiment_report import ExperimentReport


class MemoryReports:
    """`Reports` that last as long as the process."""

    def __init__(self) -> None:
        self._reports: dict[str, ExperimentReport] = {}

    def publish(self, tenant: str, report: ExperimentReport) -> None:
        self._reports[tenant] = report

    def latest(self, tenant: str) -> ExperimentReport | None:
        return self._reports.get(tenant)
