"""wrk, for closed loops: it costs a fifth of what vegeta does and leaves the machine to answers.

It has no schedule, which a closed loop needs none of.
"""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.generator import Closed, Request
from benchmarks.serving.hits import NO_ANSWER

INSTALL = "wrk is needed: `apt install wrk`, or name it with --wrk"
_MARGIN_SECONDS = 30.0
_PERCENTS = (50, 95, 99)
_BAD_STATUS = "bad status"
# All connections take the next request of one list. What was found leaves as one line of JSON.
_SCRIPT = """
local lines, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match("([^\\t]*)\\t([^\\t]*)\\t(.*)")
    lines[#lines + 1] = wrk.format(method, path, nil, body ~= "" and body or nil)
  end
end
function request()
  at = at % #lines + 1
  return lines[at]
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\nFOUND {"count": %d, "microseconds": %d, "status": %d, "socket": %d, ' ..
    '"latencies": {"50": %d, "95": %d, "99": %d}}\\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Summary:
    """Results of wrk, with the figures of `Hits`.

    Attributes:
        errors: answers that were no good ones, whose statuses wrk does not tell, and requests
            without one, counted by name.
    """

    count: int
    errors: Counter[str]
    seconds: float
    latency_us: Mapping[int, float]

    @property
    def per_second(self) -> float:
        """Good answers."""
        return (self.count - self.errors.total()) / self.seconds

    def latency_ms(self, percent: int) -> float:
        return self.latency_us[percent] / 1000

    def late_ms(self, percent: int) -> float:
        """Never: nothing is due at a time."""
        del percent
        return 0.0


@dataclass(frozen=True, slots=True)
class Wrk:
    """The program."""

    program: str

    def attack(
        self,
        url: str,
        headers: Mapping[str, str],
        requests: Iterable[Request],
        load: Closed,
        seconds: float,
    ) -> Summary:
        """Send the requests in their order, from the first again after the last.

        Raises SystemExit if wrk fails.
        """
        with tempfile.TemporaryDirectory() as name:
            script, lines = Path(name, "script.lua"), Path(name, "requests")
            script.write_text(_SCRIPT, encoding="utf-8")
            lines.write_text("".join(map(_line, requests)), encoding="utf-8")
            named = [f"-H{header}: {value}" for header, value in headers.items()]
            size = ["-t1", f"-c{load.connections}", f"-d{max(1, round(seconds))}s"]
            done = subprocess.run(
                [self.program, *size, *named, f"-s{script}", url, "--", str(lines)],
                capture_output=True,
                text=True,
                timeout=seconds + _MARGIN_SECONDS,
            )
        if done.returncode or "FOUND" not in done.stdout:
            raise SystemExit(f"wrk failed: {(done.stderr or done.stdout)[-2000:]}")
        return read_summary(done.stdout)


def read_summary(output: str) -> Summary:
    """Read what the script wrote at the end."""
    found = json.loads(output.rpartition("FOUND ")[2])
    return Summary(
        # Requests without an answer are not among wrk's.
        count=found["count"] + found["socket"],
        errors=+Counter({_BAD_STATUS: found["status"], NO_ANSWER: found["socket"]}),
        seconds=found["microseconds"] / 1e6,
        latency_us={percent: found["latencies"][str(percent)] for percent in _PERCENTS},
    )


def find_wrk(named: str) -> Wrk:
    """Raises SystemExit, saying how to install it, where there is none."""
    program = shutil.which(named)
    if program is None:
        raise SystemExit(INSTALL)
    return Wrk(program)


def _line(request: Request) -> str:
    return f"{request.method}\t{request.path}\t{request.body.decode()}\n"
