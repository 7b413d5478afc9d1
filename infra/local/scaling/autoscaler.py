"""The dynamic mode: look how busy replicas are, and start or drain some, for as long as it runs."""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.local.errors import PreflightError, StartError
from infra.local.processes.program import Program, python_module
from infra.local.replicas import Service
from infra.local.scaling.policy import Policy, Recommendation, recommended, stabilized
from infra.local.scaling.scale import Change
from infra.local.servers.services import metrics_url
from infra.local.settings import Settings

NAME = "autoscaler"
BUSY_METRIC = "recsys_busy_ratio"
_READ_SECONDS = 1.0


class ScalableStack(Protocol):
    """The part of a stack that the autoscaler needs."""

    settings: Settings

    def running(self, service: Service) -> list[str]: ...

    def scale(self, service: Service, count: int) -> Change: ...


class Autoscaler:
    """Keeps a service between its policy's bounds; one `step` is one look and at most one change.

    Args:
        read_busy: the busy ratio that a URL of metrics shows; None if it shows none.
        clock: in seconds.
    """

    def __init__(
        self,
        stack: ScalableStack,
        service: Service,
        policy: Policy,
        read_busy: Callable[[str], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stack = stack
        self._service = service
        self._policy = policy
        self._read_busy = read_busy
        self._clock = clock
        self._history: deque[Recommendation] = deque()

    def step(self) -> str | None:
        """Scale once; return what was changed and why in a sentence, None if nothing was.

        Raises StackError if the stack does not run, or a new replica does not serve.
        """
        running = self._stack.running(self._service)
        busy = self._busy(running)
        wanted = self._wanted(len(running), busy)
        if wanted == len(running):
            return None
        change = self._stack.scale(self._service, wanted)
        said = ", ".join("silent" if one is None else f"{one:.2f}" for one in busy)
        return f"{self._service}: busy {said}, target {self._policy.target:g}: {change}"

    def _busy(self, running: Sequence[str]) -> list[float | None]:
        urls = [metrics_url(self._stack.settings, self._service, name) for name in running]
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self._read_busy, urls))

    def _wanted(self, running: int, busy: Sequence[float | None]) -> int:
        now = self._clock()
        if not self._history:
            # What runs is right until it has been watched for a while.
            self._history.append(Recommendation(now, running))
        self._history.append(Recommendation(now, recommended(busy, self._policy)))
        while self._history[0].at_seconds < now - self._policy.shrink_after_seconds:
            self._history.popleft()
        return stabilized(running, self._history, self._policy)


def run(stack: ScalableStack, policies: Mapping[Service, Policy], every_seconds: float) -> None:
    """Scale these services, one change after the other. Ends by a StackError: with the stack."""
    scalers = [
        Autoscaler(stack, service, policy, read_busy_ratio) for service, policy in policies.items()
    ]
    while True:
        for scaler in scalers:
            try:
                done = scaler.step()
            except (StartError, PreflightError) as error:
                done = str(error)
            if done:
                print(done, flush=True)
        time.sleep(every_seconds)


def read_busy_ratio(url: str) -> float | None:
    """The share of one core that a process used lately, by its metrics; None if it does not say."""
    try:
        # trust_env off: a proxy configured for the internet has no business on loopback.
        answer = httpx.get(url, timeout=_READ_SECONDS, trust_env=False)
        answer.raise_for_status()
        families = list(text_string_to_metric_families(answer.text))
    except (httpx.HTTPError, ValueError):
        return None
    values = [s.value for family in families for s in family.samples if s.name == BUSY_METRIC]
    return values[0] if values and math.isfinite(values[0]) else None


def program(settings: Settings) -> Program:
    """Runs with the stack where RECSYS_AUTOSCALE=on says so."""
    return Program(
        name=NAME,
        tier="edge",
        command=(*python_module("infra.local"), "autoscale", "--name", settings.name),
        ports=(),
        # It serves nobody: that it lives is all there is to see.
        probe=lambda: None,
    )
