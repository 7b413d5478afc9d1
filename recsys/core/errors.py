"""Every error the system raises on purpose.

RecsysError
├── InvalidInput            the caller sent something that cannot be accepted; carries FieldProblems
│   └── DamagedFile         a file is broken or ends too early
├── TooManyRejected         so many rows of a file break rules that the file is not what was meant
├── InvalidMessage          a message cannot be read, or not be taken as a whole
├── Unauthenticated         nobody knows who is calling
├── PermissionDenied        the caller is known and may not do this
├── NotFound                a named thing does not exist
├── PreconditionFailed      a thing is no longer as the caller knew it; nothing was changed
├── TooManyRequests         the caller asks more often than it may
├── QuotaExceeded           a shop has as much as it may have
├── Unavailable             a dependency cannot answer now; trying again later may help
├── NoModel                 a shop has no model yet, so nothing personal can be said
├── NoData                  there is nothing to train on
├── InvalidModel            a model version is damaged or does not fit its manifest
├── GateRefused             a new model is worse than it may be; the old one stays
├── AlreadyRunning          another run holds the lock
├── LockLost                this run no longer holds the lock; what it made does not serve
└── ConfigurationError      a setting is missing or makes no sense
    ├── InvalidSettings     a file of settings breaks rules; carries FieldProblems
    └── NotSetUp            a tenant lacks what an operator makes once

Adapters translate their libraries' exceptions into these; each edge (HTTP, gRPC, command line) maps
them to its own words in one table.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class RecsysError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A problem with one field: its name (dotted path) and a reason that a caller can act upon."""

    field: str
    reason: str

    def __str__(self) -> str:
        # Of an input as a whole there is none to name.
        return f"{self.field}: {self.reason}" if self.field else self.reason


class InvalidInput(RecsysError):
    """Input that breaks a rule; `problems` names every field at fault."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class DamagedFile(InvalidInput):
    """A file whose content is broken or ends too early; what came before can be read."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__([FieldProblem(file, reason)])


class TooManyRejected(RecsysError):
    """So many rows of a file are rejected that most likely it is not what was meant."""


class InvalidMessage(RecsysError):
    """A message that cannot be read, or not be taken as a whole; no single field is at fault."""


class Unauthenticated(RecsysError):
    """The caller has shown nothing by which we know it."""


class PermissionDenied(RecsysError):
    """The caller may not do this; the message says what is missing."""


class NotFound(RecsysError):
    """The named thing does not exist."""


class PreconditionFailed(RecsysError):
    """A thing is not as a conditional request says it must be; nothing was changed."""


class TooManyRequests(RecsysError):
    """The caller asks more often than it may.

    Attributes:
        retry_after_seconds: when the next request will be let through.
    """

    def __init__(self, reason: str, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(reason)


class QuotaExceeded(RecsysError):
    """A shop has as much of something as its settings allow; the message says of what."""


class Unavailable(RecsysError):
    """A dependency cannot answer now.

    Attributes:
        dependency: which one, e.g. "hbase".
        reason: in words.
        retry_after_seconds: when a caller may sensibly try again.
    """

    def __init__(self, dependency: str, reason: str, retry_after_seconds: float = 1.0) -> None:
        self.dependency, self.reason = dependency, reason
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{dependency} is unavailable: {reason}")


class NoModel(RecsysError):
    """A shop has no model yet; the message says what makes one."""


class NoData(RecsysError):
    """There is nothing to train on."""


class InvalidModel(RecsysError):
    """A model version is damaged, incomplete or does not fit its manifest."""


class GateRefused(RecsysError):
    """The new model failed a quality check; the old version keeps serving."""


class AlreadyRunning(RecsysError):
    """Another run holds the lock."""


class LockLost(RecsysError):
    """This run no longer holds the lock, or another version serves than it was compared with."""


class ConfigurationError(RecsysError):
    """A setting is missing or makes no sense; the message says which and what to do."""


class InvalidSettings(ConfigurationError):
    """A file of settings breaks rules; `problems` names every setting at fault."""

    def __init__(self, file: str, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{file}: " + "; ".join(map(str, self.problems)))


class NotSetUp(ConfigurationError):
    """A tenant lacks what an operator makes once, such as tables; the message says what to run.

    Trying again does not help. Callers are told, other than of settings, which are our own affair.
    """
