import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import InvalidModel
from recsys.core.vocabulary import Vocabulary, decode_texts, encode_texts


@given(st.lists(st.text(), unique=True))
def test_ids_and_rows_are_inverse(ids: list[str]) -> None:
    vocabulary = Vocabulary(ids)
    assert [vocabulary.index_of(vocabulary.id_of(row)) for row in range(len(ids))] == list(
        range(len(ids))
    )


def test_an_unknown_id_has_no_row() -> None:
    assert Vocabulary(["a"]).index_of("b") is None


def test_the_padding_of_a_list_is_not_the_last_id() -> None:
    with pytest.raises(IndexError, match="row -1 has no id"):
        Vocabulary(["a", "b"]).id_of(-1)


def test_an_id_twice_is_refused() -> None:
    with pytest.raises(InvalidModel):
        Vocabulary(["a", "a"])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts_survive_packing(texts: list[str]) -> None:
    assert decode_texts(*encode_texts(texts)) == texts


@pytest.mark.parametrize("offsets", [[], [0, 9], [0, 3, 2, 4], [1, 4]])
def test_offsets_that_do_not_fit_are_refused(offsets: list[int]) -> None:
    with pytest.raises(InvalidModel):
        decode_texts(np.frombuffer(b"abcd", np.uint8), np.array(offsets, np.int64))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidModel):
        decode_texts(np.array([0xFF], np.uint8), np.array([0, 1], np.int64))
