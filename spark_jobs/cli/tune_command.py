"""`recsys tune`: settings that suit a shop's own data."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.core.errors import ConfigurationError
from recsys.runtime.shop import load_shop
from recsys.stores.run_files import EVENTS
from recsys.training.settings import ModelSettings
from recsys.tuning import Tuned, Validation, hold_out, tune
from spark_jobs.cli.output import check_output, say
from spark_jobs.cli.tenant_option import Tenant
from spark_jobs.model_settings import save_settings, settings_text
from spark_jobs.session import spark_session
from spark_jobs.settings import BatchSettings, load
from spark_jobs.tune_on_spark import tune_on_spark


def tune_settings(
    output: Annotated[Path, typer.Option(dir_okay=False, help="Where to write the settings.")],
    minutes: Annotated[float, typer.Option(min=0.0, help="How long to search.")] = 30.0,
    journal: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="A file that keeps the trials, to go on later."),
    ] = None,
    spark: Annotated[
        bool,
        typer.Option(help="Search on the cluster of RECSYS_SPARK_MASTER, all with the journal."),
    ] = False,
    tenant: Tenant = None,
) -> None:
    """Search for model settings on the events that the last `recsys nightly` read.

    The newest tenth of the events is held out to compare settings by. What is found is written to
    a file for `recsys nightly --settings`, whose gate still judges the model by newer days. Several
    of these commands with the same journal search together.

    Example: recsys tune --minutes 30 --output settings.json
    """
    check_output(output)
    settings = load(BatchSettings)
    shop = load_shop(settings.shop_config)
    # Brings pandas along, which every command would wait for.
    from recsys.analysis.snapshot_log import snapshot_log

    log = snapshot_log(settings.run_folder(tenant or settings.tenant) / EVENTS, shop)
    start = ModelSettings()
    validation = hold_out(log, shop.half_life_days, shop.popularity_half_life_days, start.als.seed)
    say(f"{len(log):,} events; {validation.judged_users:,} users' newest ones are held out")
    if spark:
        found = _on_spark(settings, validation, start, minutes, journal)
    else:
        found = tune(validation, start, 60 * minutes, journal=journal, say=say)
    try:
        save_settings(output, found.settings)
    except OSError:
        # What took long to find is not lost for want of a place.
        print(settings_text(found.settings))
        raise
    say(
        f"{found.trials} trials: ndcg@20 {found.ndcg:.4f}, {found.default_ndcg:.4f} with the"
        f" defaults; train with: recsys nightly --settings {output}"
    )


def _on_spark(
    settings: BatchSettings,
    validation: Validation,
    start: ModelSettings,
    minutes: float,
    journal: Path | None,
) -> Tuned:
    if journal is None:
        raise ConfigurationError("--spark: name a --journal in a folder that all executors see")
    with spark_session(settings, "recsys tune") as session:
        return tune_on_spark(session, validation, start, 60 * minutes, journal.resolve())
