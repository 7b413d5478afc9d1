"""Translate failures of HBase and its client to `recsys.core.errors`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from thriftpy2.thrift import TException

from recsys.core.errors import NotSetUp, RecsysError, Unavailable

# Reads name the missing table in an exception of its own, writes only in this sentence.
_MISSING_TABLE = re.compile(
    r"TableNotFoundException: (\S+)|Failed \d+ actions?: ([a-z0-9_]+:[a-z_]+): \d+ time"
)
# What HBase says to a Thrift server that `recsys tables create` has not opened the tables to.
_DENIED = re.compile(r"AccessDeniedException: .*?table=(?!hbase:)([a-z0-9_]+:[a-z]+)")
_LONGEST_REASON = 300


@contextmanager
def translated() -> Iterator[None]:
    """Turn exceptions of Thrift and of the socket into ours.

    Raises:
        NotSetUp: for a table that does not exist, or which the Thrift server may not use; the
            message says what to run.
        Unavailable: for everything else that keeps HBase from answering.
    """
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("hbase", "it did not respond in time") from error
    except (TException, OSError, EOFError) as error:
        raise _translate(error) from error


def missing_table(name: str) -> NotSetUp:
    """Message for a tenant whose table does not exist."""
    return _not_set_up(name, "HBase has no table")


def _translate(error: Exception) -> RecsysError:
    reason = _reason(error)
    if missing := _MISSING_TABLE.search(reason):
        return missing_table(missing[1] or missing[2])
    if denied := _DENIED.search(reason):
        return _not_set_up(denied[1], "HBase's Thrift server may not use the table")
    return Unavailable("hbase", reason)


def _not_set_up(table: str, fault: str) -> NotSetUp:
    tenant = table.partition(":")[0]
    return NotSetUp(
        f"tenant {tenant} is not set up, {fault} {table}: "
        f"run recsys tables create --tenant {tenant} --admin HOST:PORT"
    )


def _reason(error: Exception) -> str:
    # Servers answer with a Java stack trace; its first line is the message, or announces it.
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    first, *others = text.splitlines() or [""]
    if first.rstrip().endswith(":"):
        first = " ".join([first.strip(), *filter(None, map(str.strip, others))][:2])
    return first[:_LONGEST_REASON]
