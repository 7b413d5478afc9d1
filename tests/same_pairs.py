"""Histories by the ids of items, to be compared whatever rows they have."""

import pytest

from recsys.core.model import History
from recsys.core.vocabulary import Vocabulary
from recsys.training.interactions import InteractionMatrix


def by_item(ids: Vocabulary, history: History) -> dict[str, tuple[object, bool]]:
    """Strength, but for what adding up in another order may change, and exclusion."""
    rows = zip(history.items, history.strengths, history.excluded, strict=True)
    return {
        ids.id_of(int(item)): (pytest.approx(float(strength), rel=1e-6, abs=2e-6), bool(excluded))
        for item, strength, excluded in rows
    }


def pairs_by_item(pairs: InteractionMatrix, user_id: str) -> dict[str, tuple[float, bool]]:
    """Those of one user; nothing for a user without pairs."""
    row = pairs.users.index_of(user_id)
    if row is None:
        return {}
    span = slice(pairs.indptr[row], pairs.indptr[row + 1])
    rows = zip(pairs.item_indices[span], pairs.strengths[span], pairs.excluded[span], strict=True)
    return {pairs.items.id_of(int(i)): (float(r), bool(excluded)) for i, r, excluded in rows}
