from hypothesis import given
from hypothesis import strategies as st
from redis.connection import Connection

from recsys.core.vocabulary import encode_texts
from recsys.stores.redis.byte_runs import Runs, repeated, slices
from recsys.stores.redis.packed_commands import packed_commands

TEXTS = st.lists(st.text(max_size=300), max_size=9)


def runs(texts: list[str]) -> Runs:
    return slices(*encode_texts(texts))


def packed_by_redis_py(*arguments: str) -> bytes:
    return b"".join(Connection().pack_command(*arguments))


def sent(name: str, arguments: list[list[Runs]], rows_per_command: int) -> list[bytes]:
    commands = packed_commands(name, arguments, rows_per_command)
    return [command.start + bytes(command.arguments) for command in commands]


@given(TEXTS, st.integers(1, 5))
def test_keys_and_values_are_packed_as_redis_py_packs_them(texts: list[str], rows: int) -> None:
    keys = [repeated(b"prefix:", len(texts)), runs(texts)]
    values = [runs(texts), repeated(b"\r\n\0", len(texts)), runs(texts[::-1])]

    pairs = [
        (f"prefix:{text}", f"{text}\r\n\0{other}")
        for text, other in zip(texts, texts[::-1], strict=True)
    ]
    expected = [
        packed_by_redis_py("MSET", *sum(pairs[start : start + rows], ()))
        for start in range(0, len(pairs), rows)
    ]
    assert sent("MSET", [keys, values], rows) == expected


def test_a_command_of_keys_alone_has_one_argument_a_row() -> None:
    assert sent("EXISTS", [[runs(["ann", "🛒"])]], 500) == [
        packed_by_redis_py("EXISTS", "ann", "🛒")
    ]
