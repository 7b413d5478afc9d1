"""`recsys tune`: settings that suit a shop's own data."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import check_output, say
from cli.tenant_option import Tenant
from recsys.config.shops import shop_of
from recsys.core.wording import pluralize
from recsys.stores.run_files import EVENTS
from recsys.training.settings import ModelSettings
from recsys.tuning import PLANS, FitEffort, fit_settings, hold_out
from spark_jobs.model_settings import settings_text, write_model_settings
from spark_jobs.settings import ModelStoreSettings, load


def tune_settings(
    output: Annotated[Path, typer.Option(dir_okay=False, help="Where to write the settings.")],
    tenant: Tenant = None,
) -> None:
    """Search for model settings on the events that the last `recsys nightly` read.

    `recsys nightly` finds its settings by itself; this searches longer, and writes them to a file
    for `recsys nightly --settings`. The newest tenth of the events is held out to compare settings;
    the gate still evaluates the model.

    Example: recsys tune --output settings.json
    """
    check_output(output)
    settings = load(ModelStoreSettings)
    tenant = tenant or settings.tenant
    shop = shop_of(settings.shop_config, tenant, say)
    # Brings pandas along, which every command would wait for.
    from recsys.analysis.snapshot_log import snapshot_sample

    start = ModelSettings().as_fixed_by(shop)
    size = PLANS[FitEffort.THOROUGH].size
    events = settings.run_folder(tenant) / EVENTS
    log, user_share = snapshot_sample(events, shop, size.pairs)
    validation = hold_out(log, shop, start, size, user_share=user_share)
    judged = pluralize(validation.judged_users, "user")
    say(f"{pluralize(len(log), 'event')}; the newest ones of {judged} are held out")
    found = fit_settings(validation, start, FitEffort.THOROUGH, say=say)
    try:
        write_model_settings(output, found.settings)
    except OSError:
        # What took long to find is not lost for want of a place.
        print(settings_text(found.settings))
        raise
    say(
        f"{pluralize(len(found.trials), 'trial')}: ndcg@20 {found.ndcg:.4f},"
        f" {found.start_ndcg:.4f} with the defaults; train with: recsys nightly --settings {output}"
    )
