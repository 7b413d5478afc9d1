"""Before training: settings that suit the shop, found on what came before the evaluated days."""

from typing import NamedTuple

from pydantic import ValidationError

from recsys.analysis.snapshot_log import snapshot_sample
from recsys.core.errors import ConfigurationError
from recsys.core.wording import pluralize
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

# With so many times as many events, or so many times fewer, it is another shop, which may need
# settings far from those of before.
_GROWTH = 1.5


class _LastFit(NamedTuple):
    """Settings that a search found, and with how many events it looked everywhere."""

    settings: ModelSettings
    whole_at_events: int


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
    events = context.folder.snapshot().events
    last = _last_fit(context, events)
    context.say(
        f"fitting settings ({plan.effort.value}) on {pluralize(validation.judged_users, 'user')}"
        + (", from those of the serving version on" if last else "")
    )
    fitted = fit_settings(
        validation,
        last.settings if last else start,
        plan.effort,
        is_fitted=last is not None,
        train_many=chosen_trials(context),
        say=context.say,
    )
    context.say(
        f"{pluralize(len(fitted.trials), 'trial')} in {fitted.seconds:.0f} s:"
        f" ndcg@20 {fitted.ndcg:.4f}, {fitted.start_ndcg:.4f} with the settings to begin with"
    )
    whole_at_events = last.whole_at_events if last else events
    return fitted.settings, _entry(plan.effort, validation, fitted, whole_at_events)


def _validation(context: Context, start: ModelSettings, split_ms: int) -> Validation | None:
    plan, size = context.plan, PLANS[context.plan.effort].size
    log, user_share = snapshot_sample(
        context.folder.events, plan.shop, size.pairs, before_ms=split_ms
    )
    return hold_out_if_judgeable(
        *(log, plan.shop, start, size, Mask.EXCLUDED, context.say), user_share=user_share
    )


def _last_fit(context: Context, events: int) -> _LastFit | None:
    """What a search found that the serving version was trained with, and still suits the shop.

    Args:
        events: how many there are tonight.
    """
    serving = context.serving_manifest()
    if serving is None or serving.training.fit is None:
        return None
    whole_at_events = serving.training.fit.whole_at_events or serving.data.events
    if not whole_at_events / _GROWTH < events < whole_at_events * _GROWTH:
        context.say(
            f"settings are searched for anew: those of {serving.version} were found with"
            f" {whole_at_events:,} events, and there are {events:,}"
        )
        return None
    try:
        settings = settings_of_entry(serving.training.settings).as_fixed_by(context.plan.shop)
    except (ValidationError, ConfigurationError) as error:
        context.say(f"the settings of {serving.version} cannot be used to begin with: {error}")
        return None
    return _LastFit(settings, whole_at_events)


def _entry(
    effort: FitEffort, validation: Validation, fitted: Fitted, whole_at_events: int
) -> FitEntry:
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
        whole_at_events=whole_at_events,
    )
