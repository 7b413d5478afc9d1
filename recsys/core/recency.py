"""Recency: behaviour fades with each later step of the user.

Behaviour comes in moments: what happens at one time, an order say, is one. A pair is as many steps
old as the user has later moments, and counts

    recency = 2^(-steps / h)

of its strength in an answer, h being the model's half-life in steps; without one, order does not
matter. Training takes strengths as they are: what a user wanted long ago says as much about the
items as what another one wants today.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.core.model import History, Steps

# So many half-lives leave nothing that float32 could add to anything, and yet no zero.
_MAX_HALF_LIVES = 60.0


def recency(steps: ArrayLike, step_half_life: float | None) -> NDArray[np.float32]:
    """Share of strengths left after so many steps, float32 of the same shape."""
    ages = np.asarray(steps, np.float32)
    if step_half_life is None:
        return np.ones(ages.shape, np.float32)
    half_lives = np.minimum(ages / step_half_life, _MAX_HALF_LIVES)
    return np.asarray(np.exp2(-half_lives), np.float32)


def faded(history: History, step_half_life: float | None) -> History:
    """The history with what is left of its strengths; the same object where order is nothing."""
    if step_half_life is None:
        return history
    return replace(history, strengths=history.strengths * recency(history.steps, step_half_life))


def steps_of(moments: ArrayLike) -> Steps:
    """Steps of one user's pairs, (m,), from any numbers that grow with time, one a moment."""
    moments = np.asarray(moments)
    times = np.unique(moments)
    return (len(times) - 1 - np.searchsorted(times, moments)).astype(np.int32)
