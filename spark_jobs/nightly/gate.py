"""The gate: may a new version replace the one that serves?"""

from collections.abc import Iterator

from recsys.config.shop import GateLimits
from recsys.core.model import ItemModel
from recsys.core.ranking import Indices
from recsys.stores.manifest import Evaluation, Manifest, Reach

METRIC = "ndcg_at_20"
# The most popular items of the serving version, and among how many of the new one they must be.
_POPULAR, _POPULAR_AMONG = 100, 200
# With fewer in common a share says more about chance than about the order.
_MIN_COMPARED = 20


def refusals(
    new: Manifest, current: Manifest | None, kept_share: float | None, limits: GateLimits
) -> list[str]:
    """List what speaks against a version; nothing does when the list is empty.

    Args:
        current: the version that serves; None when there is none.
        kept_share: see `popular_kept`; None when it cannot be compared.
    """
    found = list(_judged_badly(new, current, limits))
    if new.reach and new.reach.recommendable_items == 0:
        found.append(
            f"it could recommend none of its {new.data.items:,} items: does the catalogue have them"
            " (recsys import items), and are they available?"
        )
    if current and new.reach and current.reach:
        found.extend(_collapsed(new.reach, current.reach, limits))
    if kept_share is not None and kept_share < limits.min_popular_kept:
        found.append(
            f"only {kept_share:.0%} of the serving version's most popular items are still popular,"
            f" at least {limits.min_popular_kept:.0%} must be (min_popular_kept)"
        )
    return found


def verdict(new: Manifest, current: Manifest | None, limits: GateLimits) -> str:
    """Describe the quality of a version that passes."""
    judged = new.evaluation
    if judged is None or judged.users < limits.min_judged_users:
        users = judged.users if judged else 0
        return f"not evaluated, and neither is what serves: only {users} users have held-out events"
    ours, popular = judged.model[METRIC], judged.popularity[METRIC]
    words = f"{METRIC} {ours:.4f} against popularity's {popular:.4f}"
    if current and _is_judged(current.evaluation, limits) and not _comparable(new, current):
        return f"{words}; not compared with {current.version}, which was evaluated on other days"
    return words


def popular_kept(old: ItemModel, new: ItemModel) -> float | None:
    """Share of the old most popular items that are still among the most popular ones.

    Items that may not be recommended any more are passed over. None when too few are left.
    """
    rows = [new.ids.index_of(old.ids.id_of(row)) for row in _most_popular(old, _POPULAR)]
    sold = {row for row in rows if row is not None and new.eligible[row]}
    if len(sold) < _MIN_COMPARED:
        return None
    return len(sold.intersection(_most_popular(new, _POPULAR_AMONG).tolist())) / len(sold)


def lost_catalogue(old: ItemModel, new: ItemModel) -> Iterator[str]:
    """List what speaks against a version whose catalogue is empty, if that of the old one was not.

    Without a catalogue everything that has events may be recommended, so no item seems lost.
    """
    if _has_catalogue(old) and not _has_catalogue(new):
        yield (
            "the catalogue is empty, and that of the serving version was not, so what is not sold"
            " any more could be recommended: recsys import items brings it back"
        )


def _has_catalogue(items: ItemModel) -> bool:
    return any(items.titles) or not items.eligible.all()


def _most_popular(items: ItemModel, n: int) -> Indices:
    return items.popular[items.eligible[items.popular]][:n]


def _judged_badly(new: Manifest, current: Manifest | None, limits: GateLimits) -> Iterator[str]:
    judged, before = new.evaluation, current.evaluation if current else None
    if judged is None:
        yield f"{new.version} was never evaluated: run `recsys nightly evaluate` first"
        return
    if judged.users < limits.min_judged_users:
        if _is_judged(before, limits):
            yield (
                f"it cannot be evaluated, but the serving version was: only {judged.users} users"
                f" have held-out events, {limits.min_judged_users} are needed (min_judged_users);"
                " are target events still coming in?"
            )
        return
    ours, popular = judged.model[METRIC], judged.popularity[METRIC]
    if ours <= popular:
        yield f"{METRIC} {ours:.4f} is not above popularity's {popular:.4f}"
    if current and before and _is_judged(before, limits) and _comparable(new, current):
        least = before.model[METRIC] * (1 - limits.max_ndcg_drop)
        if ours < least:
            yield (
                f"{METRIC} {ours:.4f} is more than {limits.max_ndcg_drop:.0%} below the"
                f" {before.model[METRIC]:.4f} of the serving version (max_ndcg_drop)"
            )


def _collapsed(new: Reach, current: Reach, limits: GateLimits) -> Iterator[str]:
    compared = (
        ("users with a personal list", "listed_users", limits.max_users_drop, "max_users_drop"),
        ("recommendable items", "recommendable_items", limits.max_items_drop, "max_items_drop"),
        ("user-item pairs that count", "counted_pairs", limits.max_pairs_drop, "max_pairs_drop"),
    )
    for words, name, most, limit in compared:
        before, now = getattr(current, name), getattr(new, name)
        if now < before * (1 - most):
            yield (
                f"{words} fall from {before:,} to {now:,}, by {1 - now / before:.0%}; at most"
                f" {most:.0%} may be lost at once ({limit})"
            )


def _is_judged(evaluation: Evaluation | None, limits: GateLimits) -> bool:
    return evaluation is not None and evaluation.users >= limits.min_judged_users


def _comparable(new: Manifest, current: Manifest) -> bool:
    """Tell whether both have as many held-out days: over fewer, users have fewer relevant items."""
    return round(new.holdout_days(), 2) == round(current.holdout_days(), 2)
