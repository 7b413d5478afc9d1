import queue

import pytest

from recsys.core.errors import Unavailable
from services.ingest.health_probe import HealthProbe


@pytest.mark.parametrize("failure", [Unavailable("hbase", "away"), ZeroDivisionError()])
def test_the_probe_follows_the_store_whatever_goes_wrong(failure: Exception) -> None:
    script: list[Exception | None] = [None, failure, failure, None]
    answers: queue.Queue[bool] = queue.Queue()

    def ping() -> None:
        if script and (error := script.pop(0)):
            raise error

    probe = HealthProbe(ping, answers.put, every_seconds=0.001)
    probe.start()
    assert [answers.get(timeout=5) for _ in range(4)] == [True, False, False, True]
    probe.stop()
