"""From events to confidence, the one calculation for training, serving and notebooks.

Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008): an observed
pair has confidence c_ui = 1 + alpha * r_ui, an unobserved one 1. Here r_ui, the strength, is the
sum over the pair's events, see `recsys.core.strength`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def confidence(strength: ArrayLike, alpha: float) -> NDArray[np.float32]:
    """c_ui = 1 + alpha * r_ui for positive strengths (Hu et al., section 4)."""
    return (1.0 + alpha * np.asarray(strength, dtype=np.float32)).astype(np.float32)
