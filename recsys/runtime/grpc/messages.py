"""Requests that are no message of their type: refused in our words instead of the library's.

grpcio reads a request before it calls the method, and what goes wrong with it is answered INTERNAL
or UNKNOWN, with names of Python's classes. So reading never fails here: it returns what the method
refuses.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from recsys.core.errors import InvalidMessage

Deserializer = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Malformed:
    """Stands for a request that could not be read."""

    error: InvalidMessage


def lenient(deserializer: Deserializer | None) -> Deserializer | None:
    """Read as this one does, and return `Malformed` for what it cannot read."""
    if deserializer is None:
        return None

    def read(data: bytes) -> object:
        try:
            return deserializer(data)
        except DecodeError:
            return Malformed(_not_a_message(deserializer))

    return read


def strict(deserializer: Deserializer | None) -> Deserializer | None:
    """Read as this one does, and raise `InvalidMessage` for what it cannot read."""
    if deserializer is None:
        return None

    def read(data: bytes) -> object:
        try:
            return deserializer(data)
        except DecodeError:
            raise _not_a_message(deserializer) from None

    return read


def check(request: object) -> None:
    """Raises InvalidMessage for a request that could not be read."""
    if isinstance(request, Malformed):
        raise request.error


def checked(requests: Iterator[object], refuse: Callable[[InvalidMessage], Any]) -> Iterator[Any]:
    """The requests of a stream up to one that could not be read, which is refused."""
    for request in requests:
        if isinstance(request, Malformed):
            refuse(request.error)
            return
        yield request


def _not_a_message(deserializer: Deserializer) -> InvalidMessage:
    # Generated code reads by a method of the message's class.
    message = getattr(deserializer, "__self__", None)
    return InvalidMessage(f"the request is not a valid {getattr(message, '__name__', 'message')}")
