"""Initial factors, the same on every device."""

import numpy as np

from recsys.core.fold_in import Factors
from recsys.training.als.settings import AlsSettings

# Spread of the first factors: scores begin near zero, where unobserved pairs belong.
_FIRST_SPREAD = 0.1


def first_item_factors(items: int, settings: AlsSettings) -> Factors:
    """The first factors of the items, (items, k) float32; users begin at zero."""
    random = np.random.default_rng(settings.seed)
    spread = np.float32(_FIRST_SPREAD / np.sqrt(settings.factors))
    return random.standard_normal((items, settings.factors), dtype=np.float32) * spread
