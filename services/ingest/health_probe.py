"""Asks the durable store every now and then whether it answers, and says so by gRPC health."""

import threading
from collections.abc import Callable

import structlog

_log = structlog.get_logger()


class HealthProbe:
    """A thread that pings a store and reports each answer.

    Args:
        ping: raises when the store does not answer; must not wait long.
        report: told after every ping whether the store answered.
    """

    def __init__(
        self, ping: Callable[[], None], report: Callable[[bool], None], every_seconds: float
    ) -> None:
        self._ping = ping
        self._report = report
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health-probe", daemon=True)
        self._last: bool | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            answers = self._ask()
            self._report(answers)
            self._last = answers
            self._stopped.wait(self._every_seconds)

    def _ask(self) -> bool:
        """Whatever goes wrong means no: a probe that died would freeze the last answer."""
        try:
            self._ping()
        except Exception as error:
            if self._last is not False:
                _log.warning("store_does_not_answer", reason=str(error))
            return False
        if self._last is False:
            _log.info("store_answers_again")
        return True
