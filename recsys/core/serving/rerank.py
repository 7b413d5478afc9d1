"""Re-rank: choose and order the items of an answer by its controls, from more than it needs.

Candidates come from the generators, best first, and have a relevance that falls: scores within one
generator, and no more than the last of the generator before. Then, in this order,

- boosts and fatigue multiply it, by which candidates change places;
- caps pass over what exceeds them; where nothing else is left it fills the list up all the same,
  unless the caps are strict;
- diversity exchanges items for ones that are less alike, within the caps;
- pins take their positions, whatever the caps and the order.

Nothing here shows what may not be shown: every item comes from a generator's pipeline, or is a pin
that the pipeline lets pass.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from recsys.core.ranking import Indices
from recsys.core.serving.caps import Caps, within_caps
from recsys.core.serving.controls import Controls
from recsys.core.serving.diversity import Positions, diversified, unit_vectors
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import (
    PinnedItem,
    Ranked,
    Reason,
    Recommendations,
    Source,
    fallback_level,
)
from recsys.core.serving.row_catalogue import RowCatalogue

# A user's own list; where caps leave an answer short, many more.
MIN_POOL, MAX_POOL = 100, 2000
# Candidates for each place of a long answer.
_POOL_PER_PLACE = 2
# What diversity may choose from, for each place of the list: further down nothing fits the user.
_CANDIDATES_PER_PLACE = 3
# Share of the best score of a generator that its worst has at least: scores may be below zero, and
# what is multiplied must not be.
_LEAST_RELEVANCE = 1e-3

# Takes up to so many candidates, and counts those of the first generator.
TakePool = Callable[[int], tuple[list[Ranked], int]]


def rerank(
    query: Query, take: TakePool, limit: int, controls: Controls, pinned: Sequence[PinnedItem]
) -> Recommendations:
    """Choose up to `limit` items; their scores are not yet weighted.

    Args:
        pinned: those of the query that may be shown.
    """
    places = _pinned_places(pinned, limit)
    rows_of_pins = {pin.row for pin in places.values()}
    for size in (max(MIN_POOL, _POOL_PER_PLACE * limit), MAX_POOL):
        entries, from_first = take(size + len(places))
        pool = _Pool.of(query, entries, from_first, controls, rows_of_pins)
        taken = sorted({*rows_of_pins, *query.listed})
        caps = Caps.of(query.model.catalogue, pool.rows, controls, taken)
        chosen, allowed = within_caps(caps, limit - len(places), controls.strict)
        is_relaxed = len(chosen) > allowed
        if (not is_relaxed and len(chosen) == limit - len(places)) or len(entries) < size:
            break
    chosen = _diversified(query, pool, chosen, caps, limit, controls, sorted(rows_of_pins))
    return _answer(pool, np.sort(chosen), places, is_relaxed, controls)


def with_weights(answer: Recommendations) -> Recommendations:
    """Multiply scores by what boosts and fatigue say, a part of them called `rules`."""
    if all(weight == 1 for weight in answer.weights):
        return answer
    ranked, reasons = list(answer.ranked), list(answer.reasons)
    for place, (entry, weight) in enumerate(zip(answer.ranked, answer.weights, strict=True)):
        if weight == 1 or entry.score is None:
            continue
        # So that a boost lifts a score below zero, too.
        score = entry.score * weight if entry.score >= 0 else entry.score / weight
        ranked[place] = Ranked(entry.item_index, score, entry.source)
        if reasons:
            reason = reasons[place]
            parts = {**reason.score_parts, "rules": score - entry.score}
            reasons[place] = Reason(reason.code, reason.seeds, parts)
    return answer._replace(ranked=tuple(ranked), reasons=tuple(reasons))


@dataclass(frozen=True)
class _Pool:
    """c candidates by falling relevance, after boosts.

    Attributes:
        entries: candidates, as generators gave them.
        order: (c,) where each is among the entries.
        from_first: how many of these come from the first generator.
        rows: (c,) item rows.
        relevance: (c,) positive.
        weights: (c,) what boosts and fatigue multiply each score by.
        rules: names of the rules that boosted any.
    """

    entries: Sequence[Ranked]
    order: NDArray[np.intp]
    from_first: int
    rows: Indices
    relevance: NDArray[np.float32]
    weights: NDArray[np.float64]
    rules: tuple[str, ...]

    @classmethod
    def of(
        cls,
        query: Query,
        entries: Sequence[Ranked],
        from_first: int,
        controls: Controls,
        without: Collection[int],
    ) -> "_Pool":
        if without:
            kept = [entry.item_index not in without for entry in entries]
            entries, from_first = list(compress(entries, kept)), sum(kept[:from_first])
        rows = np.array([entry[0] for entry in entries], np.int32)
        weights, rules = _weights(query.model.catalogue, rows, controls)
        if controls.fatigue and query.tired:
            weights[np.isin(rows, list(query.tired))] *= controls.fatigue.factor
        relevance = falling_relevance(entries) * weights
        order = np.argsort(-relevance, kind="stable")
        return cls(
            *(entries, order, from_first, rows[order]),
            *(relevance[order].astype(np.float32), weights[order], rules),
        )


def falling_relevance(entries: Sequence[Ranked]) -> NDArray[np.float64]:
    """(c,) positive and falling: 1 for the first.

    Within a generator it falls as scores do, or as 1/rank where there are none, as behind what is
    popular within a window.
    """
    blocks, top = [np.empty(0)], 1.0
    for _, group in groupby(entries, key=itemgetter(2)):
        of_source = [entry[1] for entry in group]
        for scores in _with_and_without(of_source):
            values = 1.0 / np.arange(1, len(scores) + 1)
            if scores[0] is not None and scores[0] > 0:
                found = np.array(scores, np.float64)
                values = np.minimum.accumulate(np.maximum(found / found[0], _LEAST_RELEVANCE))
            blocks.append(top * values)
            top = float(blocks[-1][-1])
    return np.concatenate(blocks)


def _with_and_without(scores: list[float | None]) -> list[list[float | None]]:
    """The scores in pieces, of which each has none or all."""
    if None not in scores:
        return [scores]
    return [list(piece) for _, piece in groupby(scores, key=lambda score: score is None)]


def _weights(
    catalogue: RowCatalogue, rows: Indices, controls: Controls
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    weights, rules = np.ones(len(rows)), list[str]()
    for boost in controls.boosts:
        passes = catalogue.passing(boost.filter)[rows]
        if passes.any():
            weights[passes] *= boost.weight
            rules.append(boost.rule)
    return weights, tuple(name for name in rules if name)


def _pinned_places(pinned: Sequence[PinnedItem], limit: int) -> Mapping[int, PinnedItem]:
    """Pins by the place they take, from 0 on; of two for one place or item the first."""
    places, rows = dict[int, PinnedItem](), set[int]()
    for pin in pinned:
        if pin.position <= limit and pin.position - 1 not in places and pin.row not in rows:
            places[pin.position - 1] = pin
            rows.add(pin.row)
    return places


def _diversified(
    query: Query,
    pool: _Pool,
    chosen: Positions,
    caps: Caps,
    limit: int,
    controls: Controls,
    pinned: Sequence[int],
) -> Positions:
    exchanges = round(controls.diversity * limit)
    if not exchanges or not len(chosen):
        return chosen
    considered = min(len(pool.rows), max(_CANDIDATES_PER_PLACE * limit, int(chosen.max())) + 1)
    rows = np.concatenate([pool.rows[:considered], np.array(pinned, np.int32)])
    known = query.model.known(rows)
    vectors = unit_vectors(known.factors, known.places)
    found: Positions = diversified(
        vectors, pool.relevance[:considered], chosen, len(pinned), exchanges, caps
    )
    return found


def _answer(
    pool: _Pool,
    chosen: Positions,
    places: Mapping[int, PinnedItem],
    is_relaxed: bool,
    controls: Controls,
) -> Recommendations:
    origins = pool.order[chosen].tolist()
    ranked = [pool.entries[place] for place in origins]
    weights = pool.weights[chosen].tolist()
    source = ranked[0].source if ranked else Source.POPULAR
    from_first = sum(place < pool.from_first for place in origins)
    level = fallback_level(from_first, len(chosen))
    for place, pin in sorted(places.items()):
        ranked.insert(place, Ranked(pin.row, None, Source.PINNED))
        weights.insert(place, 1.0)
    pins = tuple(pin.rule for _, pin in sorted(places.items()) if pin.rule)
    return Recommendations(
        tuple(ranked),
        source,
        level,
        weights=tuple(weights),
        rules=tuple(dict.fromkeys((*controls.rules_of_exclusions, *pool.rules, *pins))),
        is_relaxed=is_relaxed,
    )
