import pytest

from recsys.analysis.rows import row_of
from recsys.core.errors import NotFound
from recsys.core.vocabulary import Vocabulary


def test_an_id_has_its_row() -> None:
    assert row_of(Vocabulary(["a", "b"]), "b") == 1


def test_an_id_that_the_model_does_not_know_is_named_beside_some_that_it_knows() -> None:
    with pytest.raises(NotFound, match="'x' is none of the model's 2 ids, such as 'a', 'b'"):
        row_of(Vocabulary(["a", "b"]), "x")
