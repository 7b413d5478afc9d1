"""After the start of a recommender nothing waits for a compiler."""

import sys

import numpy as np
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

from recsys.core.current_history import with_events
from recsys.core.model import History
from recsys.core.serving.added import Foreseen
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.controls import Controls
from recsys.core.serving.generators import Query
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list, neighbour_list, with_returned
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.request import FOR_USER
from recsys.core.serving.row_catalogue import RowCatalogue
from recsys.stores.model_codec import pack_items, unpack_items
from services.recommender.model.calibration import compile_answers, fold_in_seconds
from tests.builders import an_item_model, scoring_params

ITEMS, PARAMS = an_item_model(30), scoring_params()
COMPILED = [
    value
    for name, module in sys.modules.items()
    if name.startswith("recsys.core.")
    for value in vars(module).values()
    if isinstance(value, Dispatcher)
]


def as_in_a_record(values: list[float], dtype: type) -> NDArray[np.generic]:
    """Read-only and not aligned, as an array that points into received bytes."""
    return np.frombuffer(b"." + np.array(values, dtype).tobytes(), dtype, offset=1)


def test_whatever_memory_a_record_lies_in_nothing_is_compiled_for_it() -> None:
    compile_answers()
    assert COMPILED
    before = [len(function.signatures) for function in COMPILED]
    read = unpack_items(pack_items(ITEMS))
    fold_in_seconds(read, PARAMS, 10)
    history = History(
        as_in_a_record([3, 4], np.int32),
        as_in_a_record([1, 2], np.float32),
        as_in_a_record([True, False], np.bool_),
        as_in_a_record([0, 1], np.int32),
    )
    catalogue = RowCatalogue(31)
    came_later = {
        30: Foreseen(np.ones(3, np.float32), np.array([3], np.int32), np.ones(1, np.float32))
    }
    model = ServingModel.of(read, PARAMS, (), [7, 30], catalogue, came_later)
    scratch = Scratch()
    for each in (
        history,
        with_events(history, *one_event(9)),
        with_events(history, *one_event(30)),
    ):
        user = ActiveUser(each, as_in_a_record([5, 6], np.int32))
        neighbour_list(model, user, 10, scratch)
        found = with_returned(model, fold_in_list(model, user, 10, scratch), 10)
        assert found.items.size
        wishes = Controls(diversity=1, max_per_brand=9, explain=True)
        assert recommend(Query(model, found), FOR_USER, 5, wishes).ranked
    assert [len(function.signatures) for function in COMPILED] == before


def one_event(row: int) -> tuple[NDArray[np.generic], ...]:
    return np.array([row], np.int32), np.ones(1), np.zeros(1, np.bool_), np.ones(1, np.int64)
