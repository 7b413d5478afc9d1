"""Files without a header line, whose first row would be taken for one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.core.errors import ConfigurationError
from recsys.importing.source import RowReader

_NUMBER_OR_DATE = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?|\d{4}-\d\d-\d\d.*")


@contextmanager
def columns_explained(source: RowReader, name: str) -> Iterator[None]:
    """Name the file without the columns that are needed, and tell when it seems to have no header.

    Raises:
        ConfigurationError: the one that was raised, or what to do about line 1.
    """
    try:
        yield
    except ConfigurationError as error:
        first = next((name for name in source.columns() if _NUMBER_OR_DATE.fullmatch(name)), None)
        if first is None:
            raise ConfigurationError(f"{name}: {error}") from error
        raise ConfigurationError(
            f"{name}: line 1 looks like data, not like names of columns ({first!r}): if it is, name"
            " them, for example --no-header --columns user_id,item_id,timestamp; otherwise:"
            f" {error}"
        ) from error
