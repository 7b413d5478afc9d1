"""Content as a sparse matrix: a row an item, a column for each thing that items have in common.

Columns are each prefix of the category path, the brand, each word of the title, the level of the
price, and each attribute with its value, a number by its level. What only one item has tells
nothing of others and gets no column. An entry is the column's inverse document frequency, rows have
length one: two rows' product is their cosine, to which a rare word in common adds more than a
frequent one (Salton & Buckley, "Term-Weighting Approaches in Automatic Text Retrieval", 1988).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags

from recsys.training.content.item_content import ItemContent

# The most frequent ones: what a regression costs grows with them, what the rarest add does not.
MAX_FEATURES = 50_000
_MIN_ITEMS = 2
# Of a number, each with as many items as the others.
_LEVELS = 10
# Letters, marks (which belong to the letter before them in many scripts) and digits.
_BETWEEN_WORDS = r"[^\pL\pM\pN]+"
# A character that no id may contain, so that no category can look like a path.
_STEP = "\0"


@dataclass(frozen=True)
class _Family:
    """Features of one kind: item rows (e,), and for each entry a text or number that names it."""

    rows: NDArray[np.int64]
    names: pa.Array


def content_matrix(content: ItemContent) -> csr_matrix:
    """The (n, f) float32 matrix of n items, f at most MAX_FEATURES; a row without any is zero."""
    rows, columns, width = _entries(content)
    counts = coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(content), width))
    matrix = _frequent(counts.tocsr())
    items = np.maximum(matrix.getnnz(axis=0), 1)
    matrix.data = np.log1p(len(content) / items).astype(np.float32)[matrix.indices]
    return unit_rows(matrix)


def unit_rows(matrix: csr_matrix) -> csr_matrix:
    """Each row divided by its length; a row of zeros stays one."""
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64).ravel()
    scale = np.where(squares > 0, squares, 1.0) ** -0.5
    return (diags(scale) @ matrix).astype(np.float32).tocsr()


def _entries(content: ItemContent) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Item rows and column numbers of all features, and how many columns there are."""
    rows, columns, width = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for family in _families(content):
        encoded = family.names.dictionary_encode()
        rows.append(family.rows)
        columns.append(encoded.indices.to_numpy().astype(np.int64) + width)
        width += len(encoded.dictionary)
    return np.concatenate(rows), np.concatenate(columns), width


def _frequent(counts: csr_matrix) -> csr_matrix:
    """The columns of enough items, the most frequent first where there are too many."""
    items = counts.getnnz(axis=0)
    kept = np.argsort(-items, kind="stable")[:MAX_FEATURES]
    return counts[:, np.sort(kept[items[kept] >= _MIN_ITEMS])]


def _families(content: ItemContent) -> Iterator[_Family]:
    yield from _category_prefixes(content.categories)
    yield _present(content.brand)
    yield _words(content.title)
    yield _levels(np.arange(len(content)), content.price.to_numpy(zero_copy_only=False))
    yield from _attributes(content.attributes)


def _category_prefixes(paths: pa.Array) -> Iterator[_Family]:
    lengths = pc.fill_null(pc.list_value_length(paths), 0).to_numpy(zero_copy_only=False)
    for length in range(1, lengths.max(initial=0) + 1):
        rows = np.flatnonzero(lengths >= length)
        prefixes = pc.list_slice(paths.take(pa.array(rows)), 0, length)
        yield _Family(rows, pc.binary_join(prefixes, _STEP))


def _present(values: pa.Array) -> _Family:
    rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    return _Family(rows, values.take(pa.array(rows)))


def _words(titles: pa.Array) -> _Family:
    words = pc.split_pattern_regex(pc.utf8_lower(titles), _BETWEEN_WORDS)
    rows = pc.list_parent_indices(words).to_numpy()
    names = pc.list_flatten(words)
    written = pc.greater(pc.utf8_length(names), 0)
    return _Family(rows[written.to_numpy(zero_copy_only=False)], names.filter(written))


def _levels(rows: NDArray[np.int64], numbers: NDArray[np.float64]) -> _Family:
    """Decile of each number; NaN has none."""
    known = np.isfinite(numbers)
    rows, numbers = rows[known], numbers[known]
    if not len(rows):
        return _Family(rows, pa.array([], pa.int64()))
    bounds = np.unique(np.quantile(numbers, np.arange(1, _LEVELS) / _LEVELS))
    return _Family(rows, pa.array(np.searchsorted(bounds, numbers, side="right")))


def _attributes(attributes: pa.Array) -> Iterator[_Family]:
    rows = pc.list_parent_indices(attributes).to_numpy()
    entries = pc.list_flatten(attributes)
    names = entries.field("name")
    for values in (entries.field("text"), entries.field("flag").cast(pa.string())):
        given = _present(pc.binary_join_element_wise(names, values, _STEP))
        yield _Family(rows[given.rows], given.names)
    numbers = entries.field("number").to_numpy(zero_copy_only=False)
    encoded = names.dictionary_encode()
    codes = encoded.indices.to_numpy()
    for name in range(len(encoded.dictionary)):
        chosen = codes == name
        yield _levels(rows[chosen], numbers[chosen])
