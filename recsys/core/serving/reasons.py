"""Reasons for recommended items: what the user did that explains their scores."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from recsys.core.compiled import compiled
from recsys.core.explanation import Explanation, explain
from recsys.core.recency import faded
from recsys.core.serving.added import AddedItems
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import Ranked, Reason, Recommendations, Source

# A storefront has room for one or two of them.
_MAX_SEEDS = 3
# Where so few items explain less of a score, it is rather the taste as a whole.
_LEAST_SHARE_OF_SEEDS = 0.5
# Scored by the whole model for the user.
_PERSONAL = frozenset({Source.STORED, Source.FOLD_IN})


def with_reasons(query: Query, answer: Recommendations) -> Recommendations:
    """Give each item its reason, and the score that its parts add up to.

    A stored score is rounded, and so may differ from that by a thousandth.
    """
    rows = [entry.item_index for entry in answer.ranked if entry.source in _PERSONAL]
    personal: Iterator[Reason] = iter(())
    if rows and query.personal.history.strengths.any():
        model, history = query.model, query.personal.history
        seen, wanted = model.known(history.items), model.known(np.array(rows, np.int32))
        found = explain(model.items, model.params, history, seen, wanted)
        for added in (model.returned, model.newcomers):
            found = _with_neighbours_of(added, query, found, rows)
        personal = _personal_reasons(found, query.bought)
    ranked, reasons = list[Ranked](), list[Reason]()
    for entry in answer.ranked:
        reason = next(personal, None) if entry.source in _PERSONAL else None
        if reason is None:
            reason = _plain_reason(query, entry)
        else:
            entry = Ranked(entry.item_index, sum(reason.score_parts.values()), entry.source)
        ranked.append(entry)
        reasons.append(reason)
    return answer._replace(ranked=tuple(ranked), reasons=tuple(reasons))


def _plain_reason(query: Query, entry: Ranked) -> Reason:
    code, part = entry.source.value, entry.source.value
    seeds: tuple[int, ...] = ()
    if entry.source in _PERSONAL:
        code, part = "similar_users", "factors"
    elif entry.source is Source.NEIGHBOURS:
        code, part = "similar_users", "neighbours"
        if query.seed is not None:
            code, seeds = "similar_to_item", (query.seed,)
    elif entry.source is Source.BOUGHT_TOGETHER:
        seeds = _bought_with(query, entry.item_index)
    return Reason(code, seeds, {} if entry.score is None else {part: entry.score})


def _bought_with(query: Query, row: int) -> tuple[int, ...]:
    """The items of the request that an item goes with best."""
    items = query.model.items
    if items.partners is None or items.partner_scores is None:
        return ()
    seeds = np.array(query.seeds, np.intp)
    scores = (items.partner_scores[seeds] * (items.partners[seeds] == row)).sum(axis=1)
    strongest = np.argsort(-scores, kind="stable")[:_MAX_SEEDS]
    return tuple(seeds[strongest[scores[strongest] > 0]].tolist())


def _personal_reasons(found: Explanation, bought: Collection[int]) -> Iterator[Reason]:
    parts = found.by_factors + found.by_neighbours
    strongest = strongest_columns(parts, _MAX_SEEDS)
    best = parts[np.arange(len(parts))[:, np.newaxis], strongest]
    explained = best.sum(axis=1) >= _LEAST_SHARE_OF_SEEDS * parts.sum(axis=1)
    columns = found.seeds[strongest], best, explained
    sums = found.by_factors.sum(axis=1), found.by_neighbours.sum(axis=1)
    for seeds, values, is_explained, factors, neighbours in zip(
        *(column.tolist() for column in (*columns, *sums)), strict=True
    ):
        named = tuple([seed for seed, value in zip(seeds, values, strict=True) if value > 0])
        code = "similar_users"
        if named and is_explained:
            code = "because_you_bought" if named[0] in bought else "because_you_viewed"
        yield Reason(code, named, {"factors": factors, "neighbours": neighbours})


@compiled
def strongest_columns(parts, n):  # type: ignore[no-untyped-def]
    """The columns of the n highest values of each row, best first, equal ones in order."""
    count = min(n, parts.shape[1])
    found = np.empty((len(parts), count), np.int64)
    for row in range(len(parts)):
        taken = 0
        for column in range(parts.shape[1]):
            place = taken
            while place > 0 and parts[row, column] > parts[row, found[row, place - 1]]:
                place -= 1
            if place == count:
                continue
            taken = min(taken + 1, count)
            for later in range(taken - 1, place, -1):
                found[row, later] = found[row, later - 1]
            found[row, place] = column
    return found


def _with_neighbours_of(
    added: AddedItems, query: Query, found: Explanation, rows: list[int]
) -> Explanation:
    """Add the neighbours of items that no list of neighbours names."""
    model, seeds = query.model, found.seeds
    places = np.flatnonzero(np.isin(rows, added.rows))
    if not len(places):
        return found
    history = faded(query.personal.history, model.params.step_half_life)
    strengths = history.strengths[history.strengths != 0]
    neighbours = found.by_neighbours.copy()
    for place in places.tolist():
        alike = added.scores_beside(rows[place], seeds)
        weight = model.params.neighbour_weight * found.trend[place]
        neighbours[place] = weight * strengths * alike
    return replace(found, by_neighbours=neighbours)
