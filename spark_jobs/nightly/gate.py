"""Whether a new version may serve."""

from recsys.core.errors import GateRefused
from recsys.stores.manifest import Manifest

# Below this many judged users a difference says more about chance than about the model.
MIN_JUDGED_USERS = 100
METRIC = "ndcg_at_20"


def check_gate(new: Manifest, current: Manifest | None, max_drop: float) -> str:
    """Compare a version with popularity and with the one that serves; return the verdict in words.

    Raises:
        GateRefused: saying which comparison failed and by how much.
    """
    judged = new.evaluation
    if judged is None:
        raise GateRefused(f"{new.version} was never evaluated: run `recsys nightly evaluate` first")
    if judged.users < MIN_JUDGED_USERS:
        return f"passed unjudged: only {judged.users} users have a held-out future"
    ours, popular = judged.model[METRIC], judged.popularity[METRIC]
    if ours <= popular:
        raise GateRefused(f"{METRIC} {ours:.4f} is not above popularity's {popular:.4f}")
    before = current.evaluation if current else None
    if before and before.users >= MIN_JUDGED_USERS:
        least = before.model[METRIC] * (1 - max_drop)
        if ours < least:
            raise GateRefused(
                f"{METRIC} {ours:.4f} is more than {max_drop:.0%} below the"
                f" {before.model[METRIC]:.4f} of the serving model"
            )
    return f"passed: {METRIC} {ours:.4f} against popularity's {popular:.4f}"
