"""The train step: one model on all of the snapshot, kept as a new version in the model store."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.config.shop import GateLimits
from recsys.core.event_types import with_weights
from recsys.core.model import ItemModel, ScoringParams, UserModel
from recsys.core.popularity_windows import PopularityWindow
from recsys.core.shop_time import ShopTime
from recsys.core.times import utc_datetime
from recsys.core.vocabulary import Vocabulary
from recsys.core.wording import pluralize
from recsys.stores.manifest import FORMAT, Data, FitEntry, Manifest, Reach, Training, params_entry
from recsys.training.baskets import bought_together
from recsys.training.build import BuiltModel, build_model
from recsys.training.interactions import InteractionMatrix
from recsys.training.settings import ModelSettings, settings_entry
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.fit import chosen_fit
from spark_jobs.nightly.fit_settings import found_settings
from spark_jobs.nightly.prepare_pairs import prepare_pairs
from spark_jobs.nightly.purchases import read_purchases, read_repurchases, read_shoppers
from spark_jobs.nightly.run_folder import CatalogueSnapshot, Snapshot

# Counts the changes of how a model is made of the same events: an equal version of an older rule is
# trained again.
RULES = 8


def train(context: Context) -> Manifest:
    """Train, store the version and remember it as the candidate.

    Raises:
        NotFound: when the read step has not run.
        NoData: when nothing in the snapshot has a positive weight.
    """
    snapshot = context.folder.snapshot()
    split_ms = snapshot.shop_time.days_before(context.holdout_days)
    settings, fit = found_settings(context, split_ms)
    pairs, built = train_before(
        context, settings, snapshot.window.end_ms, snapshot.shop_time, context.say
    )
    manifest = _manifest(context, snapshot, pairs, built, settings, fit)
    items = _with_partners(context, snapshot, built.items)
    items = _with_windows(context, snapshot, items)
    users = _with_repurchases(context, snapshot, built)
    manifest = context.models.save(manifest, items, users)
    context.folder.save_candidate(manifest.version)
    context.say(f"model {manifest.version} trained in {built.trained.seconds:.1f} s")
    return manifest


def train_before(
    context: Context,
    settings: ModelSettings,
    before_ms: int,
    shop_time: ShopTime,
    say: Callable[[str], None],
) -> tuple[InteractionMatrix, BuiltModel]:
    """Train on the events of the snapshot before a time."""
    catalogue = context.folder.catalogue()
    pairs = prepare_pairs(
        context.spark,
        context.folder.events,
        context.plan.shop,
        catalogue.titles,
        before_ms=before_ms,
        shop_time=shop_time,
        settings=settings,
    )
    if note := pairs.limit_note():
        say(note)
    users, items = pairs.shape
    sizes = (
        pluralize(users, "user"),
        pluralize(items, "item"),
        pluralize(len(pairs.strengths), "pair"),
    )
    say(", ".join(sizes))
    titles, eligible = item_columns(pairs.items, catalogue, say)

    def on_iteration(done: int) -> None:
        if done % 5 == 0 or done == settings.als.iterations:
            say(f"iteration {done} of {settings.als.iterations}")

    built = build_model(
        *(pairs, titles, eligible, settings, on_iteration, chosen_fit(context, say)),
        content=catalogue.content_of(pairs.items, before_ms) if catalogue.titles else None,
    )
    if built.content_r_squared is not None:
        say(content_line(built.content_r_squared))
    return pairs, built


def content_line(r_squared: float) -> str:
    """Say what content is worth; below zero, as among few items, it is worse than no guess."""
    share = "nothing" if r_squared <= 0 else f"{r_squared:.0%}"
    return f"content foresees {share} of the factors of held-out items"


def item_columns(
    items: Vocabulary, catalogue: CatalogueSnapshot, say: Callable[[str], None]
) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Titles and eligibility, one an item row.

    An item that is not in the catalogue cannot be sold and is not recommended; a shop without any
    catalogue recommends whatever its users touch.
    """
    titles = tuple(catalogue.titles.get(item_id, "") for item_id in items)
    if not catalogue.titles:
        say("the catalogue is empty: items have no titles and all may be recommended")
        return titles, np.ones(len(items), np.bool_)
    missing = sum(item_id not in catalogue.titles for item_id in items)
    if missing:
        left_out = pluralize(missing, "item with events is", "items with events are")
        say(f"{left_out} not in the catalogue, and never recommended")
    if missing > len(items) / 2:
        say(
            f"the catalogue has {pluralize(len(catalogue.titles), 'item')}, and most that have"
            " events are not among them: is it whole? recsys import items adds the others"
        )
    eligible = [catalogue.available.get(item_id, False) for item_id in items]
    return titles, np.array(eligible, np.bool_)


def _with_partners(context: Context, snapshot: Snapshot, items: ItemModel) -> ItemModel:
    purchases = read_purchases(
        context.spark,
        context.folder.events,
        context.plan.shop,
        items.ids,
        before_ms=snapshot.window.end_ms,
    )
    lists = bought_together(purchases, items.eligible)
    paired = int((lists.scores[:, 0] > 0).sum())
    context.say(f"{pluralize(paired, 'item is', 'items are')} bought together with others")
    return replace(items, partners=lists.items, partner_scores=lists.scores)


def _with_windows(context: Context, snapshot: Snapshot, items: ItemModel) -> ItemModel:
    shoppers = read_shoppers(
        context.spark,
        context.folder.events,
        context.plan.shop,
        items.ids,
        before_ms=snapshot.window.end_ms,
        shop_time=snapshot.shop_time,
    )
    windows = {
        days: PopularityWindow.counted(recent, past, items.popular)
        for days, (recent, past) in shoppers.items()
    }
    bought = (
        f"{len(window.popular):,} in {pluralize(days, 'day')}" for days, window in windows.items()
    )
    if windows:
        context.say(f"items bought lately: {', '.join(bought)}")
    return replace(items, windows=windows)


def _with_repurchases(context: Context, snapshot: Snapshot, built: BuiltModel) -> UserModel:
    found = read_repurchases(
        context.spark,
        context.folder.events,
        context.plan.shop,
        built.users.ids,
        built.items.ids,
        before_ms=snapshot.window.end_ms,
    )
    context.say(f"{pluralize(len(found.values.items), 'time')} a user bought an item again")
    return replace(built.users, repurchases=found)


def run_fingerprint(context: Context) -> str:
    """Equal when the same training would read the same data with the same settings."""
    plan, snapshot = context.plan, context.folder.snapshot()
    # What the gate allows does not change the model.
    shop = replace(plan.shop, gate=GateLimits())
    settings = repr((RULES, FORMAT, shop, plan.model, plan.effort, context.holdout_days))
    return hashlib.sha256(f"{snapshot.fingerprint}\n{settings}".encode()).hexdigest()


def _reach(pairs: InteractionMatrix, built: BuiltModel) -> Reach:
    counted = pairs.matrix()
    return Reach(
        listed_users=int((counted.getnnz(axis=1) > 0).sum()),
        recommendable_items=int(built.items.recommendable.sum()),
        counted_pairs=int(counted.nnz),
    )


def _manifest(
    context: Context,
    snapshot: Snapshot,
    pairs: InteractionMatrix,
    built: BuiltModel,
    settings: ModelSettings,
    fit: FitEntry | None,
) -> Manifest:
    plan = context.plan
    created = utc_datetime(context.now_ms())
    fingerprint = run_fingerprint(context)
    users, items = pairs.shape
    als, trained = settings.als, built.trained
    params = ScoringParams(
        alpha=trained.alpha,
        regularization=als.regularization,
        frequency_weight=als.frequency_weight,
        neighbour_weight=built.neighbour_weight,
        half_life_days=settings.half_life_days,
        event_types=with_weights(plan.shop.event_types, settings.event_weights),
        as_of_ms=snapshot.shop_time.as_of_ms,
        read_at_ms=snapshot.read_at_ms,
        end_ms=snapshot.window.end_ms,
        pauses=snapshot.shop_time.pauses,
        step_half_life=built.step_half_life,
        known_items=built.known_items,
        target_types=plan.shop.target_types,
    )
    return Manifest(
        version=f"{created:%Y%m%dT%H%M%SZ}-{fingerprint[:8]}",
        tenant=plan.tenant,
        created_at=created.isoformat(timespec="seconds"),
        recipe=params_entry(params),
        data=Data(
            events=snapshot.events,
            users=users,
            items=items,
            pairs=len(pairs.strengths),
            fingerprint=fingerprint,
        ),
        training=Training(
            settings=settings_entry(settings),
            backend=trained.backend,
            device=trained.device.value,
            versions=trained.versions,
            seconds=round(trained.seconds, 2),
            fit=fit,
            content_r_squared=built.content_r_squared,
        ),
        reach=_reach(pairs, built),
    )
