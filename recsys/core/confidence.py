"""From events to confidence, the one calculation for training, serving and notebooks.

Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008): an observed
pair has confidence c_ui = 1 + alpha * r_ui, an unobserved one 1. Here r_ui, the strength, is the
sum of the pair's event weights, each halved for every half-life of age.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

MS_PER_DAY = 86_400_000.0


def decay(age_ms: ArrayLike, half_life_days: float) -> NDArray[np.float64]:
    """How much an event of this age still counts: 1 when new, 0.5 after a half-life.

    Negative ages count as new: an event that came after the reference time does not weigh more
    than one that came at it.
    """
    age_days = np.maximum(np.asarray(age_ms, dtype=np.float64), 0.0) / MS_PER_DAY
    return np.exp2(-age_days / half_life_days)


def confidence(strength: ArrayLike, alpha: float) -> NDArray[np.float32]:
    """c_ui = 1 + alpha * r_ui for positive strengths (Hu et al., section 4)."""
    return (1.0 + alpha * np.asarray(strength, dtype=np.float32)).astype(np.float32)
