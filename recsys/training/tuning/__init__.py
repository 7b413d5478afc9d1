"""Settings that suit one shop's data, found within a budget of time."""

from recsys.training.tuning.study import Tuned, tune
from recsys.training.tuning.validation import Validation, hold_out

__all__ = ["Tuned", "Validation", "hold_out", "tune"]
