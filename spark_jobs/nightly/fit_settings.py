"""Before training: settings that suit the shop, found on what came before the evaluated days."""

from pydantic import ValidationError

from recsys.analysis.snapshot_log import snapshot_log
from recsys.core.errors import ConfigurationError, NoData
from recsys.stores.manifest import Fit, FitTrial
from recsys.training.settings import ModelSettings, settings_entry, settings_of_entry
from recsys.tuning import PLANS, FitEffort, Fitted, Validation, fit_settings, hold_out
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.train_trials import chosen_trials


def found_settings(context: Context, split_ms: int) -> tuple[ModelSettings, Fit | None]:
    """The plan's settings, or better ones and how they were found.

    Args:
        split_ms: nothing from then on is looked at: the gate judges by it.
    """
    plan = context.plan
    if plan.effort is FitEffort.OFF:
        return plan.model, None
    validation = _validation(context, split_ms)
    if validation is None:
        return plan.model, None
    last = _last_fit(context)
    context.say(
        f"fitting settings ({plan.effort.value}) on {validation.judged_users:,} users"
        + (", from those of the serving version on" if last else "")
    )
    fitted = fit_settings(
        validation,
        last or plan.model,
        plan.effort,
        is_fitted=last is not None,
        train_many=chosen_trials(context),
        say=context.say,
    )
    context.say(
        f"{len(fitted.trials)} trials in {fitted.seconds:.0f} s: ndcg@20 {fitted.ndcg:.4f},"
        f" {fitted.start_ndcg:.4f} with the settings to begin with"
    )
    return fitted.settings, _entry(plan.effort, validation, fitted)


def _validation(context: Context, split_ms: int) -> Validation | None:
    plan, size = context.plan, PLANS[context.plan.effort].size
    shop = plan.shop
    log = snapshot_log(context.folder.events, shop, before_ms=split_ms, most=size.pairs)
    half_lives = shop.half_life_days, shop.popularity_half_life_days
    try:
        validation = hold_out(log, *half_lives, size, plan.model.als.seed)
    except NoData:
        context.say("too little behaviour to find settings by: training with those given")
        return None
    if validation.judged_users < shop.gate.min_judged_users:
        context.say(
            f"only {validation.judged_users:,} users to find settings by: training with those given"
        )
        return None
    return validation


def _last_fit(context: Context) -> ModelSettings | None:
    """What was found for the version that serves, if its settings were found at all."""
    serving = context.serving_manifest()
    if serving is None or serving.training.fit is None:
        return None
    try:
        return settings_of_entry(serving.training.settings)
    except (ValidationError, ConfigurationError) as error:
        context.say(f"the settings of {serving.version} cannot be used to begin with: {error}")
        return None


def _entry(effort: FitEffort, validation: Validation, fitted: Fitted) -> Fit:
    return Fit(
        effort=effort.value,
        judged_users=validation.judged_users,
        ndcg=fitted.ndcg,
        start_ndcg=fitted.start_ndcg,
        trials=tuple(
            FitTrial(stage=each.stage, ndcg=each.ndcg, settings=settings_entry(each.settings))
            for each in fitted.trials
        ),
        seconds=round(fitted.seconds, 2),
    )
