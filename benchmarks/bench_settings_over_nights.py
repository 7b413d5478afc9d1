"""Nights one after the other: `python -m benchmarks.bench_settings_over_nights`.

Of the last night's behaviour (`RECSYS_MODEL_STORE` and `RECSYS_TENANT` say whose) or a file's,
nights of before are made again: each searches for settings from those of the night before on, as
`recsys nightly` does, without its last days, and trains on all that had happened by then. Printed
for each night, beside a shop that stays with its first night's settings: the share of the first
twenty of every user's list that the night before had, too, and NDCG@20 of what was new to users in
the four weeks to come.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from recsys.analysis.shop_data import ShopData
from recsys.analysis.side_by_side import first_time_targets, side_by_side
from recsys.analysis.versions import Version, trained_version
from recsys.analysis.workplace import open_workplace
from recsys.clock import utc_now_ms
from recsys.config.shop import Shop, load_shop
from recsys.core.times import MS_PER_DAY
from recsys.evaluation import Mask, evaluate_lists
from recsys.evaluation.files.event_file import read_event_files
from recsys.training.settings import ModelSettings
from recsys.tuning import PLANS, FitEffort, fit_settings, hold_out
from spark_jobs.nightly.plan import DEFAULT_HOLDOUT_DAYS

_JUDGED_DAYS = 28
_METRIC = "ndcg_at_20"


@dataclass(frozen=True)
class _Night:
    """Two models of one moment: of the settings that a search found, and of the first night's."""

    found: Version
    first: Version
    settings: ModelSettings
    trials: int


def main() -> None:
    """Make the nights and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=Path, help="a file, instead of the last night's")
    parser.add_argument("--nights", type=int, default=6)
    parser.add_argument("--days", type=float, default=7.0, help="between two nights")
    arguments = parser.parse_args()
    data, shop = _read(arguments.events)
    last_ms = int(data.log.times_ms().max()) - _JUDGED_DAYS * MS_PER_DAY
    step_ms = arguments.days * MS_PER_DAY
    moments = [int(last_ms - step_ms * left) for left in reversed(range(arguments.nights))]
    print(machine())
    print("night  trials  changed  overlap  of first  ndcg@20  of first  gain")
    before: _Night | None = None
    for number, (night, moment) in enumerate(
        zip(_nights(data, shop, moments), moments, strict=True)
    ):
        print(f"{number:5}  {night.trials:6}  {_row(data, before, night, moment)}", flush=True)
        before = night


def _read(events: Path | None) -> tuple[ShopData, Shop]:
    if events is None:
        workplace = open_workplace()
        return workplace.last_run(), workplace.shop
    shop = load_shop()
    return ShopData(read_event_files([events], shop, utc_now_ms()).log, {}, {}), shop


def _nights(data: ShopData, shop: Shop, moments: list[int]) -> Iterator[_Night]:
    plan = PLANS[FitEffort.QUICK]
    start = ModelSettings().as_fixed_by(shop)
    first, settings = None, start
    for moment in moments:
        seen = data.log.only(data.log.times_ms() < moment - DEFAULT_HOLDOUT_DAYS * MS_PER_DAY)
        validation = hold_out(seen, shop, start, plan.size, Mask.EXCLUDED)
        found = fit_settings(validation, settings, FitEffort.QUICK, is_fitted=first is not None)
        settings = found.settings
        first = first or settings
        of_found = trained_version("found", data, shop, settings, moment)
        of_first = (
            of_found if settings == first else trained_version("first", data, shop, first, moment)
        )
        yield _Night(of_found, of_first, settings, len(found.trials))


def _row(data: ShopData, before: _Night | None, night: _Night, moment: int) -> str:
    until = moment + _JUDGED_DAYS * MS_PER_DAY
    future = replace(data, log=data.log.only(data.log.times_ms() < until))
    both = side_by_side(night.first.model, night.found.model)
    test = first_time_targets(future.log, moment, both)
    first, found = (evaluate_lists(lists[test.users], test) for lists in (both.old, both.new))
    gain = found.minus(first)[_METRIC]
    overlaps = (
        (np.nan, np.nan)
        if before is None
        else (_overlap(before.found, night.found), _overlap(before.first, night.first))
    )
    changed = before is not None and night.settings != before.settings
    return (
        f"{'yes' if changed else 'no':>7}  {overlaps[0]:7.3f}  {overlaps[1]:8.3f}"
        f"  {found.means[_METRIC]:7.4f}  {first.means[_METRIC]:8.4f}"
        f"  {gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
    )


def _overlap(before: Version, after: Version) -> float:
    return float(side_by_side(before.model, after.model).overlap().mean())


if __name__ == "__main__":
    main()
