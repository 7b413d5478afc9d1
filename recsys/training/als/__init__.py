"""Implicit-feedback ALS: its own kernel on the CPU, `implicit` on the GPU."""

from recsys.training.als.settings import AlsSettings, Device
from recsys.training.als.train import Fit, Trained, fit_known, project_users, train_als

__all__ = [
    "AlsSettings",
    "Device",
    "Fit",
    "Trained",
    "fit_known",
    "project_users",
    "train_als",
]
