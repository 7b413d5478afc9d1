"""Settings of every shop: TENANT.toml in one folder, the shipped file for shops without one."""

import hashlib
import pwd
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from recsys.config.followed_file import FollowedFile, Interval
from recsys.config.shop import RequestLimits, Shop, load_shop
from recsys.core.domain import tenant_problem
from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventTypes
from recsys.core.quotas import Quotas
from recsys.core.serving.experiments import Experiment
from recsys.core.serving.placement import Placement, ScheduledRule

_SUFFIX = ".toml"
# Of a line of the log, like the names of the two others below.
SETTINGS_EVENT = "shop_settings"
RULES_EVENT, EXPERIMENTS_EVENT = "rules_changed", "experiments_changed"
# Enough to tell any two files of a shop apart.
_DIGEST_CHARACTERS = 12

_log = structlog.get_logger()


class Shops:
    """Settings of the shops, each of which follows its file while the process runs.

    A broken new file leaves that shop as it was, and the others follow theirs.

    Args:
        folder: of the files; None where every shop has the shipped settings.
        on_refused: called for every change that was not taken.
        clock: monotonic seconds.

    Raises:
        ConfigurationError: naming every fault of every file there is now.
    """

    def __init__(
        self,
        folder: Path | None,
        on_refused: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._on_refused = on_refused
        self._clock = clock
        self._shipped = load_shop()
        self._interval = Interval(clock)
        self._without_file: set[str] = set()
        self._files: dict[str, FollowedFile[Shop]] = {}
        problems = []
        for path in [] if folder is None else shop_files(folder):
            try:
                file = FollowedFile(path, read_shop_file, on_refused, clock=clock)
                self._files[path.stem] = file
                _log_settings(path.stem, path, changed=None)
            except ConfigurationError as error:
                problems.append(str(error))
        if problems:
            raise ConfigurationError("; ".join(problems))

    def of(self, tenant: str) -> Shop:
        """Return the settings of a shop as they are now."""
        self.follow()
        if file := self._files.get(tenant):
            return file.content
        if self._folder is not None and tenant not in self._without_file:
            self._without_file.add(tenant)
            _log.info("shop_without_file", tenant=tenant, folder=str(self._folder))
        return self._shipped

    def event_types_of(self, tenant: str) -> EventTypes:
        return self.of(tenant).event_types

    def windows_of(self, tenant: str) -> Collection[int]:
        return self.of(tenant).windows_days

    def placements_of(self, tenant: str) -> Mapping[str, Placement]:
        return self.of(tenant).placements

    def experiments_of(self, tenant: str) -> Sequence[Experiment]:
        return self.of(tenant).experiments

    def limits_of(self, tenant: str) -> RequestLimits:
        return self.of(tenant).limits

    def quotas_of(self, tenant: str) -> Quotas:
        return self.of(tenant).quotas

    def allowed_origins_of(self, tenant: str | None) -> Collection[str]:
        """Origins of pages that may call for this shop; None: for any."""
        if tenant is not None:
            return self.of(tenant).allowed_origins
        self.follow()
        return frozenset().union(*(file.content.allowed_origins for file in self._files.values()))

    def event_types(self) -> list[str]:
        """Names of the types that any shop may send, sorted."""
        self.follow()
        shops = [self._shipped, *(file.content for file in self._files.values())]
        return sorted({name for shop in shops for name in shop.event_types})

    def tenants(self) -> list[str]:
        """Tenants that have a file."""
        return sorted(self._files)

    def _listed_now(self) -> list[Path]:
        """The files there are; of a folder that is gone each file that is known says so."""
        try:
            return [] if self._folder is None else _listed(self._folder)
        except OSError:
            return []

    def follow(self) -> None:
        """Read the files again that are others than before, once in CHECK_EVERY_SECONDS."""
        if self._folder is None or not self._interval.is_due():
            return
        followed = partial(
            FollowedFile,
            read=read_shop_file,
            on_refused=self._on_refused,
            start=self._shipped,
            clock=self._clock,
        )
        new = [path for path in self._listed_now() if path.stem not in self._files]
        # A dictionary of its own: other threads may be going through the old one.
        self._files = self._files | {path.stem: followed(path) for path in new}
        for tenant, file in self._files.items():
            before = file.content
            file.follow()
            if file.content is not before:
                _log_settings(tenant, file.path, _changed(before, file.content))
                _log_changes(RULES_EVENT, tenant, before.rules, file.content.rules)
                _log_changes(
                    EXPERIMENTS_EVENT, tenant, before.experiments, file.content.experiments
                )


def _log_settings(tenant: str, path: Path, changed: Collection[str] | None) -> None:
    """Leave a trail of which file holds from now on; `recsys shops log` reads it.

    A file has no author. What it says is its owner, who may be a tool's, and when it was written.

    Args:
        changed: see `_changed`; None where the process has just started.
    """
    try:
        written = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST_CHARACTERS]
    except OSError:
        # Gone since it was read: the line of what comes in its place is next.
        return
    _log.info(
        SETTINGS_EVENT,
        tenant=tenant,
        file=str(path),
        digest=digest,
        owner=_name_of(written.st_uid),
        written=datetime.fromtimestamp(written.st_mtime, UTC).isoformat(timespec="seconds"),
        changed=None if changed is None else sorted(changed),
    )


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        # Of another machine, or a container's.
        return str(user)


def _changed(before: Shop, now: Shop) -> list[str]:
    """Names of the settings that differ; rules stand for themselves alone."""
    return [
        each.name
        for each in fields(Shop)
        if _without_rules(getattr(before, each.name)) != _without_rules(getattr(now, each.name))
    ]


def _without_rules(setting: object) -> object:
    if not isinstance(setting, dict):
        return setting
    return {
        name: replace(each, rules=()) if isinstance(each, Placement) else each
        for name, each in setting.items()
    }


def _log_changes(
    event: str,
    tenant: str,
    old: Sequence[ScheduledRule | Experiment],
    new: Sequence[ScheduledRule | Experiment],
) -> None:
    """Leave a trail of what held when, for whoever asks afterwards."""
    if old != new:
        _log.info(
            event,
            tenant=tenant,
            old=[_logged(each) for each in old if each not in new],
            new=[_logged(each) for each in new if each not in old],
        )


def _logged(setting: ScheduledRule | Experiment) -> dict[str, object]:
    if isinstance(setting, ScheduledRule):
        return asdict(setting)
    weights = {variant.name: variant.weight for variant in setting.variants}
    return {"name": setting.name, "is_running": setting.is_running, "weights": weights}


def shop_of(folder: Path | None, tenant: str, say: Callable[[str], None]) -> Shop:
    """Read the settings of one shop, for a job.

    Args:
        say: takes a line about whose settings they are, where that is not plain.

    Raises:
        ConfigurationError: naming every fault of its file.
    """
    if folder is None:
        return load_shop()
    paths = {path.stem: path for path in shop_files(folder)}
    if path := paths.get(tenant):
        return read_shop_file(path)
    say(f"{folder} has no {tenant}{_SUFFIX}: {tenant} has the shipped settings")
    return load_shop()


def shop_files(folder: Path) -> list[Path]:
    """List the files of shops.

    Raises:
        ConfigurationError: there is no such folder, or it cannot be read.
    """
    try:
        return _listed(folder)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigurationError(
            f"{folder} is no folder: RECSYS_SHOP_CONFIG names the folder that has TENANT.toml "
            "for each shop"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"cannot read the shop settings: {error}") from error


def read_shop_file(path: Path) -> Shop:
    """Read TENANT.toml.

    Raises:
        ConfigurationError: naming every fault, that of its name too.
    """
    if reason := tenant_problem(path.stem):
        raise ConfigurationError(f"{path}: a shop's file is named TENANT.toml; its name {reason}")
    return load_shop(path)


def _listed(folder: Path) -> list[Path]:
    # Not by `glob`, to which a folder that may not be read is an empty one.
    files = (path for path in folder.iterdir() if path.name.endswith(_SUFFIX))
    # Not the locks and drafts of editors.
    return sorted(path for path in files if not path.name.startswith("."))
