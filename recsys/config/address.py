"""HOST:PORT, read and written in one place."""

from dataclasses import dataclass

_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port to listen on or connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(value: object) -> Address:
    """Read "HOST:PORT"; an IPv6 host stands in brackets. Port 0 lets a listener choose.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, Address):
        return value
    host, _, port = str(value).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > _HIGHEST_PORT:
        raise ValueError("must be HOST:PORT")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))
