"""Users with the taste of one: by the angle between their factors."""

import numpy as np

from recsys.core.model import UserModel
from recsys.core.ranking import Indices, top_n
from recsys.core.scoring import Scores


def similar_users(users: UserModel, user: int, limit: int) -> tuple[Indices, Scores]:
    """The rows of the users most similar to one, best first, and their similarities.

    The similarity is the cosine of two users' factors, at most 1; who did more of the same has
    longer factors, not others. Left out are the user, whoever has no factors, and whom nothing in
    common speaks for. None is similar to a user without factors.

    Args:
        user: its row.
    """
    own = users.factors[user]
    lengths = np.linalg.norm(users.factors, axis=1) * np.linalg.norm(own)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = (users.factors @ own / lengths).astype(np.float32)
    cosines[user] = -np.inf
    best = top_n(np.where(cosines > 0, cosines, -np.inf).astype(np.float32), limit)
    return best, cosines[best]
