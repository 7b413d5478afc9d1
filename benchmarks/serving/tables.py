"""Measurements as Markdown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.serving.figures import (
    BASELINE,
    Measured,
    Target,
    cpu,
    late,
    middle,
    of,
    p50,
    p95,
    p99,
    ratio,
)

_NO_PART = "-"


def load_table(measured: Sequence[Measured], load: str) -> str:
    """One line a row: medians over the rounds, and ratios to the baseline within them."""
    here = [one for one in measured if one.load == load]
    rows = list(dict.fromkeys(one.row for one in here))
    kinds = list(dict.fromkeys(kind for one in here for kind in one.cpu_us))
    head = ["", "requests/s", "p50 ms", "p95 ms", "p99 ms", "sent late ms"]
    head += [f"{kind} us" for kind in kinds]
    head += ["total us", f"x {BASELINE}'s", f"p99 x {BASELINE}'s", "errors", "degraded"]
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [
        _line([row, *_figures(found, kinds), *_ratios(here, row, load), *faults(found)])
        for row in rows
        for found in [of(here, row, load)]
    ]
    return "\n".join([f"**{load}**", "", *lines])


def targets_table(measured: Sequence[Measured], targets: Sequence[Target]) -> str:
    lines = [_line(["target", "limit", "reached", ""]), _line(["---"] * 4)]
    for target in targets:
        limit = f"{'at least' if target.at_least else 'at most'} {target.limit:g}"
        lines.append(_line([target.text, limit, *_verdict(target, target.found(measured))]))
    return "\n".join(lines)


def _verdict(target: Target, found: float | None) -> tuple[str, str]:
    if found is None:
        return "not measured", "**no**"
    return f"{found:.2f}", "yes" if target.holds(found) else "**no**"


def _figures(rounds: Sequence[Measured], kinds: Sequence[str]) -> Iterator[str]:
    yield f"{middle(rounds, lambda one: one.per_second):,.0f}"
    for latency in (p50, p95, p99, late):
        yield f"{middle(rounds, latency):.2f}"
    for kind in kinds:
        has_part = kind in rounds[0].cpu_us
        yield f"{median(one.cpu_us[kind] for one in rounds):.0f}" if has_part else _NO_PART
    yield f"{middle(rounds, cpu):.0f}"


def _ratios(measured: Sequence[Measured], row: str, load: str) -> list[str]:
    against = [ratio(measured, row, BASELINE, load, figure) for figure in (cpu, p99)]
    return [_NO_PART if one is None else f"{one:.2f}" for one in against]


def faults(rounds: Sequence[Measured]) -> tuple[str, str]:
    """Errors, and answers of another kind than was to be measured, as they are to stand out."""
    asked = sum(one.requests for one in rounds)
    kinds = sum((Counter(one.errors) for one in rounds), Counter[str]())
    named = ", ".join(f"{count:,} with {kind}" for kind, count in kinds.items())
    others = sum(one.others for one in rounds)
    return (
        f"**{named} of {asked:,}**" if kinds else "0",
        f"**{others:,} of {asked:,}**" if others else "0",
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
