"""Address of a Thrift server."""

from recsys.core.errors import ConfigurationError

_HIGHEST_PORT = 65535


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of "HOST:PORT".

    Raises:
        ConfigurationError: when `address` is not of that form.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        raise ConfigurationError(f"{address!r} is no HBase Thrift address: expected HOST:PORT")
    return host, int(port)
