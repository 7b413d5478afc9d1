"""Validation: a part of training that is held out to compare settings, never the test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from recsys.config.shop import Shop
from recsys.core.errors import NoData
from recsys.core.event_types import EventTypes
from recsys.core.wording import pluralize
from recsys.evaluation import Mask, TestSet, masked_by
from recsys.evaluation.score_functions import has_behaviour, is_known
from recsys.evaluation.splits import (
    held_out_targets,
    newest_holdout,
    random_holdout,
    split_time_ms,
    temporal_split,
)
from recsys.training.event_log import EventLog, pairs_of
from recsys.training.interactions import InteractionMatrix
from recsys.training.settings import ModelSettings
from recsys.tuning.event_weights import searched_types

# The newest tenth of events, or a tenth of every user's pairs where there is no time. With a fifth
# held out, what is tried on is another, sparser shop: on MovieLens-1M a frequency weight of 9 won
# there by 1 %, and lost by 1 % with a tenth held out, by 1.5 % on the test.
NEWEST_SHARE = 0.1
RANDOM_SHARE = 0.1


@dataclass(frozen=True)
class ValidationSize:
    """Size of the part of the data that is tried on.

    Attributes:
        pairs: of more than so many only a part is taken, see `_sample`.
        judged_users: more make a trial slower and its result hardly surer.
        scores: users are fewer where all their scores would be more than so many numbers.
        folds: parts held out in turn, of data without time: hundreds of trials on one random part
            find what suits its accidents.
        folded_pairs: fewer parts where they would have more pairs than this together.
    """

    pairs: int
    judged_users: int
    scores: int = 100_000_000
    folds: int = 1
    folded_pairs: int = 2_000_000


@dataclass(frozen=True)
class Fold:
    """Pairs to train on and a test set made of the rest.

    Attributes:
        mask: what lists leave out.
        log: the events that the pairs were made of, where they may be tried with other half-lives
            or weights.
    """

    pairs: InteractionMatrix
    test: TestSet
    mask: Mask
    log: EventLog | None = None

    def counted_by(self, settings: ModelSettings) -> "Fold":
        """The same users, items and test; events count what the settings say."""
        if self.log is None:
            return self
        log = self.log.with_weights(settings.event_weights)
        return replace(self, log=log).with_half_lives(*settings.half_lives)

    def with_half_lives(self, half_life_days: float, popularity_half_life_days: float) -> "Fold":
        """The same users, items and test by other half-lives."""
        if self.log is None:
            return self
        pairs = pairs_of(self.log, half_life_days, popularity_half_life_days)
        return replace(self, pairs=masked_by(self.mask, pairs))


@dataclass(frozen=True)
class Validation:
    """Folds that trials train on and are judged by, in the mean.

    Attributes:
        folds: one or more splits of the same log.
        timed: whether the split is by time, so that trends can be judged.
        searched_half_lives: names of the half-lives, as in ModelSettings, that may be tried:
            those that the shop does not fix, where it is known how old behaviour is.
        searched_weights: names of the types of events whose weights may be tried.
    """

    folds: tuple[Fold, ...]
    timed: bool
    searched_half_lives: frozenset[str] = frozenset()
    searched_weights: tuple[str, ...] = ()

    @property
    def remakes_pairs(self) -> bool:
        """Whether the search may change what events count."""
        return bool(self.searched_half_lives or self.searched_weights)

    @property
    def event_types(self) -> EventTypes:
        """What events count before the search; none where it cannot change that."""
        log = self.folds[0].log
        return {} if log is None else log.event_types

    @property
    def judged_users(self) -> int:
        """Users whose lists are judged, of one fold."""
        return len(self.folds[0].test)


def hold_out(
    log: EventLog,
    shop: Shop,
    settings: ModelSettings,
    size: ValidationSize,
    mask: Mask = Mask.EXCLUDED,
    *,
    user_share: float = 1.0,
) -> Validation:
    """Hold out what the data can be judged by: the newest days, the newest of each user, or a part.

    Where it is known what came first, only events that recommendations are judged by are held out,
    and such of them whose item a list may hold. Else pairs are, whatever was done; what a user has
    had besides is then left out of lists, since none of it is held out.

    Args:
        mask: what lists leave out.
        settings: that the search starts with.
        user_share: share of all users whose events the log has, less than 1 when only so many were
            read.

    Raises:
        ConfigurationError: when a weight is of a type that the shop does not have.
        NoData: when nobody has behaviour on both sides.
    """
    settings.refuse_unknown_types(shop)
    if not len(log):
        raise NoData("there is no behaviour to hold some of out: nothing to tune on")
    seed = settings.als.seed
    log = _sample(log, size.pairs, seed, user_share)
    timed = log.timestamps_ms is not None and log.has_ages
    weights = () if log.timestamps_ms is None else searched_types(log, shop)
    half_lives = _not_fixed(shop) if timed else frozenset()
    remade = bool(weights or half_lives)
    mask = Mask.ALL if log.timestamps_ms is None else mask
    folds = tuple(
        _fold(past, future, settings, size, mask, remade=remade)
        for past, future in _splits(log, size, seed)
    )
    return Validation(folds, timed, half_lives, weights)


def _splits(log: EventLog, size: ValidationSize, seed: int) -> Iterator[tuple[EventLog, EventLog]]:
    if log.timestamps_ms is None:
        pairs = len(np.unique(log.users.astype(np.int64) * len(log.item_ids) + log.items))
        for number in range(min(max(size.folded_pairs // pairs, 1), size.folds)):
            yield random_holdout(log, RANDOM_SHARE, seed + number)
    elif log.has_ages:
        yield temporal_split(log, split_time_ms(log, NEWEST_SHARE))
    else:
        yield newest_holdout(log, size.judged_users, seed)


def hold_out_if_judgeable(
    log: EventLog,
    shop: Shop,
    settings: ModelSettings,
    size: ValidationSize,
    mask: Mask,
    say: Callable[[str], None],
    *,
    user_share: float = 1.0,
) -> Validation | None:
    """`hold_out`; None, said, where too few users would judge settings."""
    try:
        validation = hold_out(log, shop, settings, size, mask, user_share=user_share)
    except NoData:
        say("too little behaviour to find settings by: training with those given")
        return None
    users = validation.judged_users
    if users < shop.gate.min_judged_users:
        say(f"only {pluralize(users, 'user')} to find settings by: training with those given")
        return None
    return validation


def _not_fixed(shop: Shop) -> frozenset[str]:
    names = "half_life_days", "popularity_half_life_days"
    return frozenset(name for name in names if getattr(shop, name) is None)


def _fold(
    past: EventLog,
    future: EventLog,
    settings: ModelSettings,
    size: ValidationSize,
    mask: Mask,
    *,
    remade: bool,
) -> Fold:
    """A fold that is trained on the past.

    Args:
        remade: whether its pairs may be made by other settings.
    """
    counted = past.with_weights(settings.event_weights)
    pairs = masked_by(mask, pairs_of(counted, *settings.half_lives))
    test = _possible(held_out_targets(future, pairs.users, pairs.items), pairs)
    test = test.only(is_known(test.users, has_behaviour(pairs)))
    if not len(test):
        raise NoData("no user has enough behaviour to hold some of it out: nothing to tune on")
    most = min(size.judged_users, max(size.scores // len(pairs.items), 1))
    test = _some_judged(test, most, settings.als.seed)
    return Fold(pairs, test, mask, past if remade else None)


def _sample(log: EventLog, most: int, seed: int, user_share: float) -> EventLog:
    """Some of the users, and of the items that these want most as many as fit them.

    A few users with all items would be another shop: one of which hardly anything is known of any
    item. A share s of the users, and the first n * sqrt(s) items, is between that and one of the
    same proportions, whose users would have lost most of what they did.

    Args:
        user_share: share of all users that the log has already been cut down to.
    """
    if len(log) > most:
        share = most / len(log)
        chosen = np.random.default_rng(seed).random(len(log.user_ids)) < share
        log, user_share = log.only(chosen[log.users]), user_share * share
    if user_share == 1:
        return log
    counts = np.bincount(log.items, minlength=len(log.item_ids))
    popular = np.argsort(-counts, kind="stable")
    kept = np.zeros(len(log.item_ids), np.bool_)
    kept[popular[: int(np.ceil((counts > 0).sum() * np.sqrt(user_share)))]] = True
    return log.only(kept[log.items])


def _some_judged(test: TestSet, most: int, seed: int) -> TestSet:
    if len(test) <= most:
        return test
    chosen = np.zeros(len(test), np.bool_)
    chosen[np.random.default_rng(seed).choice(len(test), most, replace=False)] = True
    return test.only(chosen)


def _possible(test: TestSet, pairs: InteractionMatrix) -> TestSet:
    """Without what is excluded: a list cannot hold it."""
    stride = max(test.known_items, int(test.items.max(initial=0)) + 1)
    owners = np.repeat(np.arange(len(pairs.users), dtype=np.int64), np.diff(pairs.indptr))
    never = (owners * stride + pairs.item_indices)[pairs.excluded]
    return test.only_pairs(~np.isin(test.pair_users * stride + test.items, never))
