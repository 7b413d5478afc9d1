"""Settings that suit one shop's data, found on a held-out part of it."""

from recsys.tuning.plans import PLANS, FitEffort
from recsys.tuning.search import Fitted, Trial, fit_settings
from recsys.tuning.validation import (
    Validation,
    ValidationSize,
    hold_out,
    hold_out_if_judgeable,
)

__all__ = [
    "PLANS",
    "FitEffort",
    "Fitted",
    "Trial",
    "Validation",
    "ValidationSize",
    "fit_settings",
    "hold_out",
    "hold_out_if_judgeable",
]
