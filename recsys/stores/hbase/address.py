"""Address of a Thrift server."""

from recsys.config.address import Address, parse_address
from recsys.core.errors import ConfigurationError


def thrift_address(text: str) -> Address:
    """Read "HOST:PORT" of a server to connect to.

    Raises:
        ConfigurationError: when `text` is not of that form, or names no port.
    """
    try:
        address = parse_address(text)
    except ValueError:
        address = None
    if address is None or address.port == 0:
        raise ConfigurationError(f"{text!r} is no HBase Thrift address: expected HOST:PORT")
    return address
