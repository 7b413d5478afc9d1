"""An instruction that numba lacks: ask for cache lines before they are needed.

Rows that are gathered from all over a large array come from memory or the last-level cache; asked
for early enough, they arrive while others are worked on.
"""

from typing import Any

from llvmlite import ir
from numba import literally, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from recsys.core.compiled import cached_njit

_CACHE_LINE_BYTES = 64


@cached_njit(nogil=True)
def prefetch_row(array, row, width):  # type: ignore[no-untyped-def]
    """Start bringing a row of `width` 32-bit numbers into the second-level cache."""
    literally(width)
    for offset in range(0, 4 * width, _CACHE_LINE_BYTES):
        _prefetch(array, row, offset)  # type: ignore[call-arg, arg-type]


@intrinsic
def _prefetch(_context: Any, array: types.Array, row: types.Integer, offset: types.Integer) -> Any:
    """The cache line that many bytes behind the start of a row."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        byte, i32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        found = context.make_array(signature.args[0])(context, builder, arguments[0])
        places = [
            context.cast(builder, value, kind, types.int64)
            for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        start = builder.mul(places[0], builder.extract_value(found.strides, 0))
        line = builder.gep(builder.bitcast(found.data, byte), [builder.add(start, places[1])])
        name, kind = "llvm.prefetch.p0", ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
        fetch = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        # To read (0), into the second-level cache (2), data (1).
        builder.call(fetch, [line, *(ir.Constant(i32, hint) for hint in (0, 2, 1))])
        return context.get_dummy_value()

    return types.void(array, row, offset), emit
