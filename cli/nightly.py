"""`recsys nightly`: the batch run, whole or by steps."""

import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cli.output import say
from cli.period import DATES, period
from cli.tenant_option import Tenant
from recsys.config.shop import Shop
from recsys.config.shops import shop_of
from recsys.training.als import AlsSettings, Device
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort
from spark_jobs.model_settings import read_model_settings
from spark_jobs.nightly.plan import FitStrategy, Plan, Step, Strategy
from spark_jobs.nightly.run_folder import Window
from spark_jobs.settings import BatchSettings, load

# More than any shop is old; infinitely many are no moment.
MAX_HOLDOUT_DAYS = 36_500.0
_Settings = TypeVar("_Settings", AlsSettings, ModelSettings)


def nightly(
    steps: Annotated[list[Step] | None, typer.Argument(help="Steps to run. Default: all.")] = None,
    tenant: Tenant = None,
    start: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Read events from this time on, UTC.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Read events before this time, UTC.")
    ] = None,
    holdout_days: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=MAX_HOLDOUT_DAYS,
            help="Newest days to hold out for the evaluation. Default: as many as for the serving"
            " version, 28 for the first.",
        ),
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of NDCG a new model may lose. Default: the shop's settings.",
        ),
    ] = None,
    fit_settings: Annotated[
        FitEffort | None,
        typer.Option(
            help="Effort of the search for settings, on held-out behaviour. Default: quick; off"
            " when settings are given."
        ),
    ] = None,
    fit_strategy: Annotated[
        FitStrategy, typer.Option(help="Run trials in this process, or on Spark's executors.")
    ] = FitStrategy.AUTO,
    model_settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", dir_okay=False, help="File of model settings, as `recsys tune` writes it."
        ),
    ] = None,
    factors: Annotated[int | None, typer.Option(help="Length of the factors.")] = None,
    alpha: Annotated[
        float | None,
        typer.Option(help="Confidence that a strength of one adds. Default: from the data."),
    ] = None,
    regularization: Annotated[
        float | None, typer.Option(help="Lambda of a row over the confidence of its pairs.")
    ] = None,
    neighbour_weight: Annotated[
        float | None, typer.Option(help="Weight of item neighbours beside factors.")
    ] = None,
    iterations: Annotated[int | None, typer.Option(help="ALS iterations.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the first factors.")] = None,
    device: Annotated[Device | None, typer.Option(help="Device to train on.")] = None,
    strategy: Annotated[
        Strategy, typer.Option(help="Train in this process, or spread over Spark's executors.")
    ] = Strategy.AUTO,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Read all behaviour from HBase, not only what came since the last run."
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            help="Train even when nothing has changed, and publish even what the gate refuses; the"
            " manifest records it."
        ),
    ] = False,
) -> None:
    """Read behaviour, train, evaluate and publish a new model version.

    The new version serves only after it has passed the gate and all its records are in Redis; until
    then, and whenever a step fails, the old one goes on serving. Running again is always safe. The
    gate refuses (exit code 3) a model that does not beat popularity on the held-out days, is worse
    than the serving version, cannot be evaluated although that one was, or reaches far fewer users
    or items; its limits are in the shop's settings.

    Examples:

        recsys nightly

        recsys nightly --end 2011-12-10 --holdout-days 100

        recsys nightly --settings settings.json

        recsys nightly publish        (only that step, after a failed one)
    """
    settings = load(BatchSettings)
    # Brings Spark along, for which `--help` need not wait.
    from spark_jobs.nightly.run import run_nightly

    tenant = tenant or settings.tenant
    shop = shop_of(settings.shop_config, tenant, say)
    base = read_model_settings(model_settings, shop, say) if model_settings else ModelSettings()
    als = _changed(
        base.als,
        factors=factors,
        alpha=alpha,
        regularization=regularization,
        iterations=iterations,
        seed=seed,
        device=device,
    )
    model = _changed(replace(base, als=als), neighbour_weight=neighbour_weight)
    effort = FitEffort.QUICK if model == ModelSettings() else FitEffort.OFF
    plan = Plan(
        tenant=tenant,
        window=Window(*period(start, end, _tomorrow_ms())),
        shop=_with_max_drop(shop, max_drop),
        model=model,
        effort=fit_settings or effort,
        holdout_days=holdout_days,
        strategy=strategy,
        fit_strategy=fit_strategy,
        task_memory_bytes=int(settings.task_memory_gib * 2**30),
        full=full,
        force=force,
    )
    run_nightly(settings, plan, steps or list(Step), say)


def _with_max_drop(shop: Shop, max_drop: float | None) -> Shop:
    if max_drop is None:
        return shop
    return replace(shop, gate=replace(shop.gate, max_ndcg_drop=max_drop))


def _changed(settings: _Settings, **changes: object) -> _Settings:
    """The settings with those changes that were asked for."""
    asked = {name: value for name, value in changes.items() if value is not None}
    return replace(settings, **asked)  # type: ignore[arg-type]


def _tomorrow_ms() -> int:
    """Past the clock skew that events may have, so that none of now is left out."""
    return int((time.time() + 2 * 86400) * 1000)
