"""Content as a sparse matrix: a row an item, a column for each thing that items have in common.

Columns are each prefix of the category path, the brand, each word of the title, the level of the
price, and each attribute with its value, a number by its level. What only one item has tells
nothing of others and gets no column. An entry is the column's inverse document frequency, rows have
length one: two rows' product is their cosine, to which a rare word in common adds more than a
frequent one (Salton & Buckley, "Term-Weighting Approaches in Automatic Text Retrieval", 1988).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags

from recsys.core.content_index import BRAND, CATEGORY, FLAG, NUMBER, PRICE, STEP, TEXT, WORD
from recsys.training.content.item_content import ItemContent

# The most frequent ones: what a regression costs grows with them, what the rarest add does not.
MAX_FEATURES = 50_000
_MIN_ITEMS = 2
# Of a number, each with as many items as the others.
_LEVELS = 10
# Letters, marks (which belong to the letter before them in many scripts) and digits.
_BETWEEN_WORDS = r"[^\pL\pM\pN]+"


@dataclass(frozen=True)
class _Family:
    """Features of one kind, as `recsys.core.content_index` names them.

    Attributes:
        rows: (e,) item rows.
        names: for each entry a text or number that tells its feature from others of its kind.
        bounds: of a number's levels.
    """

    kind: str
    rows: NDArray[np.int64]
    names: pa.Array
    bounds: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class ContentFeatures:
    """The f features that n items have, f at most MAX_FEATURES.

    Attributes:
        matrix: (n, f) float32, of rows of length one; a row without any feature is zero.
        weights: (f,) float32, inverse document frequencies.
        scales: (n,) float32, what made the rows have length one.
        families: of all features, also of those that are none of the f.
        columns: (f,) which of all features they are, ascending.
        levels: see `recsys.core.content_index`.
    """

    matrix: csr_matrix
    weights: NDArray[np.float32]
    scales: NDArray[np.float32]
    families: Sequence[tuple[str, pa.Array]]
    columns: NDArray[np.int64]
    levels: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, content: ItemContent) -> "ContentFeatures":
        rows, columns, families, width = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [], 0
        levels = {}
        for family in _families(content):
            encoded = family.names.dictionary_encode()
            rows.append(family.rows)
            columns.append(encoded.indices.to_numpy().astype(np.int64) + width)
            families.append((family.kind, encoded.dictionary))
            width += len(encoded.dictionary)
            if family.bounds is not None:
                levels[family.kind.partition(STEP)[2]] = family.bounds
        entries = np.concatenate(rows), np.concatenate(columns)
        ones = np.ones(len(entries[0]), np.float32)
        counts = coo_matrix((ones, entries), (len(content), width)).tocsr()
        kept = _frequent(counts)
        matrix = counts[:, kept]
        items = np.maximum(matrix.getnnz(axis=0), 1)
        weights = np.log1p(len(content) / items).astype(np.float32)
        matrix.data = weights[matrix.indices]
        scales = _scales(matrix).astype(np.float32)
        return cls(unit_rows(matrix), weights, scales, families, kept, levels)

    def names(self) -> list[str]:
        """The names of the f features."""
        names, first = list[str](), 0
        for kind, of_kind in self.families:
            start, end = np.searchsorted(self.columns, [first, first + len(of_kind)])
            chosen = of_kind.take(pa.array(self.columns[start:end] - first))
            names += [f"{kind}{STEP}{name}" for name in chosen.to_pylist()]
            first += len(of_kind)
        return names


def content_matrix(content: ItemContent) -> csr_matrix:
    """The matrix of `ContentFeatures`."""
    return ContentFeatures.of(content).matrix


def unit_rows(matrix: csr_matrix) -> csr_matrix:
    """Each row divided by its length; a row of zeros stays one."""
    return (diags(_scales(matrix)) @ matrix).astype(np.float32).tocsr()


def _scales(matrix: csr_matrix) -> NDArray[np.float64]:
    """One over the length of each row; one for a row of zeros."""
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1), np.float64).ravel()
    return np.asarray(np.where(squares > 0, squares, 1.0) ** -0.5)


def _frequent(counts: csr_matrix) -> NDArray[np.int64]:
    """The columns of enough items, the most frequent where there are too many, in their order."""
    items = counts.getnnz(axis=0)
    kept = np.argsort(-items, kind="stable")[:MAX_FEATURES]
    return np.sort(kept[items[kept] >= _MIN_ITEMS])


def _families(content: ItemContent) -> Iterator[_Family]:
    yield from _category_prefixes(content.categories)
    yield _present(BRAND, content.brand)
    yield _words(content.title)
    yield _levels(PRICE, np.arange(len(content)), content.price.to_numpy(zero_copy_only=False))
    yield from _attributes(content.attributes)


def _category_prefixes(paths: pa.Array) -> Iterator[_Family]:
    lengths = pc.fill_null(pc.list_value_length(paths), 0).to_numpy(zero_copy_only=False)
    for length in range(1, lengths.max(initial=0) + 1):
        rows = np.flatnonzero(lengths >= length)
        prefixes = pc.list_slice(paths.take(pa.array(rows)), 0, length)
        yield _Family(CATEGORY, rows, pc.binary_join(prefixes, STEP))


def _present(kind: str, values: pa.Array) -> _Family:
    rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    return _Family(kind, rows, values.take(pa.array(rows)))


def _words(titles: pa.Array) -> _Family:
    words = pc.split_pattern_regex(pc.utf8_lower(titles), _BETWEEN_WORDS)
    rows = pc.list_parent_indices(words).to_numpy()
    names = pc.list_flatten(words)
    written = pc.greater(pc.utf8_length(names), 0)
    return _Family(WORD, rows[written.to_numpy(zero_copy_only=False)], names.filter(written))


def _levels(kind: str, rows: NDArray[np.int64], numbers: NDArray[np.float64]) -> _Family:
    """Decile of each number; NaN has none."""
    known = np.isfinite(numbers)
    rows, numbers = rows[known], numbers[known]
    if not len(rows):
        return _Family(kind, rows, pa.array([], pa.int64()))
    bounds = np.unique(np.quantile(numbers, np.arange(1, _LEVELS) / _LEVELS))
    return _Family(kind, rows, pa.array(np.searchsorted(bounds, numbers, side="right")), bounds)


def _attributes(attributes: pa.Array) -> Iterator[_Family]:
    rows = pc.list_parent_indices(attributes).to_numpy()
    entries = pc.list_flatten(attributes)
    names = entries.field("name")
    for kind, values in (
        (TEXT, entries.field("text")),
        (FLAG, entries.field("flag").cast(pa.string())),
    ):
        given = _present(kind, pc.binary_join_element_wise(names, values, STEP))
        yield _Family(kind, rows[given.rows], given.names)
    numbers = entries.field("number").to_numpy(zero_copy_only=False)
    encoded = names.dictionary_encode()
    codes = encoded.indices.to_numpy()
    for number, name in enumerate(encoded.dictionary.to_pylist()):
        chosen = codes == number
        yield _levels(f"{NUMBER}{STEP}{name}", rows[chosen], numbers[chosen])
