"""Lists of candidates beside lists of all items, on two years of a real shop."""

import datetime
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyarrow import compute as pc

from infra.local.settings import REPOSITORY
from recsys.config.shop import load_shop
from recsys.core.event_types import EventType
from recsys.core.model import ScoringParams
from recsys.core.ranking import top_n_rows
from recsys.core.scoring import score_users
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list
from recsys.core.user_factors import history_factors
from recsys.evaluation import (
    EvaluationData,
    RankedLists,
    Relation,
    Split,
    evaluate_lists,
    evaluation_data,
)
from recsys.evaluation.splits import temporal_split
from recsys.training.build import BuiltModel, build_model
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from tests.builders import scoring_params

_DATA = REPOSITORY / "infra" / "local" / "data" / "online_retail_ii.parquet"
_JUDGED_FROM = datetime.datetime(2011, 9, 1, tzinfo=datetime.UTC)
_MAX_USERS, _K = 1000, 20


@dataclass(frozen=True)
class Both:
    """RankedLists of the same users, (u, 20)."""

    data: EvaluationData
    exact: RankedLists
    live: RankedLists


@pytest.fixture(scope="module")
def both() -> Both:
    past, future = temporal_split(purchases(), int(_JUDGED_FROM.timestamp() * 1000))
    data = evaluation_data(Split(past, future, Relation.GLOBAL_FUTURE), load_shop())
    titles = ("",) * len(data.pairs.items)
    built = build_model(data.pairs, titles, data.eligible, ModelSettings())
    some = np.zeros(len(data.known), np.bool_)
    some[:: len(some) // _MAX_USERS + 1] = True
    data = EvaluationData(
        data.pairs, data.known.only(some), data.cold, data.masked_pairs, data.relation
    )
    return Both(data, *lists_of(built, params_of(built), data))


def purchases() -> EventLog:
    """Purchases of products by customers."""
    table = pq.read_table(_DATA)
    bought = pc.and_(pc.greater(table["Quantity"], 0), pc.is_valid(table["CustomerID"]))
    product = pc.match_substring_regex(table["StockCode"], r"^\d{5}")
    table = table.filter(pc.and_(bought, product))
    customers = pc.cast(table["CustomerID"], "string").combine_chunks().dictionary_encode()
    items = pc.utf8_upper(table["StockCode"]).combine_chunks().dictionary_encode()
    times = table["InvoiceDate"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    return EventLog(
        user_ids=customers.dictionary.to_pylist(),
        item_ids=items.dictionary.to_pylist(),
        users=customers.indices.to_numpy().astype(np.int32),
        items=items.indices.to_numpy().astype(np.int32),
        values=np.ones(len(table), np.float32),
        types=np.zeros(len(table), np.int16),
        event_types={"purchase": EventType(1.0, excludes=True)},
        target_types=(True,),
        timestamps_ms=times,
    )


def params_of(built: BuiltModel) -> ScoringParams:
    return scoring_params(
        alpha=built.trained.alpha,
        regularization=ModelSettings().als.regularization,
        neighbour_weight=built.neighbour_weight,
        step_half_life=built.step_half_life,
    )


def lists_of(
    built: BuiltModel, params: ScoringParams, data: EvaluationData
) -> tuple[RankedLists, RankedLists]:
    """By exact scores of all items, and as live answers are made, without a stored list."""
    items = built.items
    histories = [built.users.history(row) for row in data.known.users.tolist()]
    factors = np.stack([history_factors(items, params, history) for history in histories])
    scores = score_users(factors, items, histories, params.neighbour_weight, params.step_half_life)
    users = [ActiveUser.of(history, None) for history in histories]
    model, scratch = ServingModel.of(items, params), Scratch()
    live = [fold_in_list(model, user, _K, scratch) for user in users]
    return np.stack(top_n_rows(scores, _K)), np.stack([each.items for each in live])


def test_the_first_twenty_are_those_of_all_items_but_for_one_in_twenty(both: Both) -> None:
    exact, live = np.sort(both.exact), np.sort(both.live)
    shared = [len(np.intersect1d(*pair)) for pair in zip(exact, live, strict=True)]
    assert len(shared) > _MAX_USERS / 2
    assert np.mean(shared) / _K >= 0.95


def test_the_lists_are_as_good_as_those_of_all_items_within_half_a_percent(both: Both) -> None:
    reports = [evaluate_lists(lists, both.data.known, k=_K) for lists in (both.exact, both.live)]
    exact, live = (report.means["ndcg_at_20"] for report in reports)
    assert live >= 0.995 * exact
    assert exact > 0.05
