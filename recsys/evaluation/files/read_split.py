"""From the files of `recsys evaluate` to training and test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from recsys.config.shop import Shop
from recsys.core.errors import ConfigurationError
from recsys.core.wording import pluralize
from recsys.evaluation.files.event_file import (
    FileOptions,
    LoadedEvents,
    name_of,
    read_event_files,
)
from recsys.evaluation.protocol import Split, SplitMethod, given_split, split_log
from recsys.evaluation.relation import Relation

Say = Callable[[str], None]
_Files = tuple[Path, ...]
_Read = Callable[[_Files], LoadedEvents]

_ROWS_BETWEEN_LINES = 10_000_000
_WITHOUT_AGES = {
    Relation.USER_FUTURE: "each user's test comes after the user's own training, but not after all"
    " of training: only the order of a user's events counts, ages and trends are left out",
    Relation.UNRELATED: "the test is not of a time after the training: ages, trends and order are"
    " left out",
}


@dataclass(frozen=True)
class TwoLogs:
    """A split that somebody else has made."""

    train: _Files
    test: _Files


@dataclass(frozen=True)
class OneLog:
    """Events to split here."""

    events: _Files
    method: SplitMethod
    test_share: float


@dataclass(frozen=True)
class ReadSplit:
    """A split, and how it came about.

    Attributes:
        how: the method and its settings.
        left_out: rows without user or item, of "train" and "test"; those of one file are train's.
    """

    split: Split
    how: Mapping[str, Any]
    left_out: Mapping[str, int]


def read_split(
    files: TwoLogs | OneLog, shop: Shop, now_ms: int, say: Say, options: FileOptions
) -> ReadSplit:
    """Read the files, split where they are one, and say what times mean.

    Raises:
        InvalidInput, NoData, ConfigurationError: see the message.
    """
    read = partial(_read, shop=shop, now_ms=now_ms, say=say, options=options)
    found = _two(files, read) if isinstance(files, TwoLogs) else _one(files, read, say)
    if found.split.train.timestamps_ms is not None and found.split.relation in _WITHOUT_AGES:
        say(_WITHOUT_AGES[found.split.relation])
    return found


def _two(files: TwoLogs, read: _Read) -> ReadSplit:
    train, test = read(files.train), read(files.test)
    left_out = {"train": train.left_out, "test": test.left_out}
    return ReadSplit(given_split(train.log, test.log), {"method": "given"}, left_out)


def _one(files: OneLog, read: _Read, say: Say) -> ReadSplit:
    events = read(files.events)
    if events.log.timestamps_ms is None:
        raise ConfigurationError(
            f"--split {files.method} needs times, and {name_of(files.events)} has no timestamp:"
            " name its column, for example --mapping COLUMN=timestamp; one that only counts each"
            " user's events, 1, 2, 3 ..., is read with --time-unit s"
        )
    split = split_log(events.log, files.method, files.test_share)
    how: dict[str, Any] = {"method": files.method.value}
    if files.method is SplitMethod.GLOBAL_TIME:
        how["test_share"] = files.test_share
    trained = pluralize(len(split.train), "event")
    say(f"{files.method}: {trained} to train on, {len(split.test):,} to judge by")
    return ReadSplit(split, how, {"train": events.left_out, "test": 0})


def _read(
    paths: Sequence[Path], shop: Shop, now_ms: int, say: Say, options: FileOptions
) -> LoadedEvents:
    told, name = 0, name_of(paths)

    def on_rows(rows: int) -> None:
        nonlocal told
        if rows - told >= _ROWS_BETWEEN_LINES:
            told = rows
            say(f"{name}: {pluralize(rows, 'row')}")

    found = read_event_files(paths, shop, now_ms, options, on_rows)
    say(f"{name}: {pluralize(len(found.log), 'event')} read")
    if found.unused:
        say(f"{name}: columns not used: {', '.join(found.unused)}")
    if found.left_out:
        say(f"{name}: {pluralize(found.left_out, 'row')} without user_id or item_id left out")
    for reason, count in found.rejected.most_common():
        say(f"{name}: {pluralize(count, 'row')} left out: {reason}")
    return found
