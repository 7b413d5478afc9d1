"""Before training: settings that suit the shop, found on what came before the evaluated days."""

from pydantic import ValidationError

from recsys.analysis.snapshot_log import snapshot_sample
from recsys.core.errors import ConfigurationError
from recsys.evaluation import Mask
from recsys.stores.manifest import FitEntry, FitTrialEntry
from recsys.training.settings import ModelSettings, settings_entry, settings_of_entry
from recsys.tuning import (
    PLANS,
    FitEffort,
    Fitted,
    Validation,
    fit_settings,
    hold_out_if_judgeable,
)
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.train_trials import chosen_trials


def found_settings(context: Context, split_ms: int) -> tuple[ModelSettings, FitEntry | None]:
    """The plan's settings, or better ones and how they were found.

    Args:
        split_ms: nothing from then on is looked at: the gate judges by it.
    """
    plan = context.plan
    start = plan.model.as_fixed_by(plan.shop)
    if plan.effort is FitEffort.OFF:
        return start, None
    validation = _validation(context, start, split_ms)
    if validation is None:
        return start, None
    last = _last_fit(context)
    context.say(
        f"fitting settings ({plan.effort.value}) on {validation.judged_users:,} users"
        + (", from those of the serving version on" if last else "")
    )
    fitted = fit_settings(
        validation,
        last or start,
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


def _validation(context: Context, start: ModelSettings, split_ms: int) -> Validation | None:
    plan, size = context.plan, PLANS[context.plan.effort].size
    log, user_share = snapshot_sample(
        context.folder.events, plan.shop, size.pairs, before_ms=split_ms
    )
    return hold_out_if_judgeable(
        *(log, plan.shop, start, size, Mask.EXCLUDED, context.say), user_share=user_share
    )


def _last_fit(context: Context) -> ModelSettings | None:
    """Settings of the version that serves, if they were found by a search."""
    serving = context.serving_manifest()
    if serving is None or serving.training.fit is None:
        return None
    try:
        return settings_of_entry(serving.training.settings).as_fixed_by(context.plan.shop)
    except (ValidationError, ConfigurationError) as error:
        context.say(f"the settings of {serving.version} cannot be used to begin with: {error}")
        return None


def _entry(effort: FitEffort, validation: Validation, fitted: Fitted) -> FitEntry:
    return FitEntry(
        effort=effort.value,
        judged_users=validation.judged_users,
        ndcg=fitted.ndcg,
        start_ndcg=fitted.start_ndcg,
        trials=tuple(
            FitTrialEntry(stage=each.stage, ndcg=each.ndcg, settings=settings_entry(each.settings))
            for each in fitted.trials
        ),
        seconds=round(fitted.seconds, 2),
    )
