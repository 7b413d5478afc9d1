"""The last report of experiments of each shop."""

import redis

from recsys.core.errors import NotFound
from recsys.core.experiment_report import ExperimentReport
from recsys.stores.documents import encode_document
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_bytes, translated_errors
from recsys.stores.report_document import decode_report, report_document


class RedisReports:
    """The Reports port."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def publish(self, tenant: str, report: ExperimentReport) -> None:
        with translated_errors():
            self._redis.set(keys.report(tenant), encode_document(report_document(report)))

    def latest(self, tenant: str) -> ExperimentReport | None:
        with translated_errors():
            document = self._redis.get(keys.report(tenant))
        if document is None:
            return None
        try:
            return decode_report(to_bytes(document))
        except ValueError as error:
            raise NotFound(f"the report cannot be read, make it anew: {error}") from error
