"""Settings that suit one shop's data, found within a budget of time."""

from recsys.tuning.study import Tuned, tune
from recsys.tuning.validation import Validation, hold_out

__all__ = ["Tuned", "Validation", "hold_out", "tune"]
