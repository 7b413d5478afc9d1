"""Python's collector of cyclic garbage, told what a server is like.

It looks through all objects again and again, and a loaded model is millions that stay: that took a
third of a busy recommender's time. What is freed by reference counts is freed as ever.
"""

import gc

# New objects, less freed ones, between two looks at the young; looks at the young between two at
# the old. A request makes no cycles, so looking seldom costs little memory.
_THRESHOLDS = 50_000, 20, 100


def collect_seldom() -> None:
    """To be called once, when all is imported and wired."""
    gc.set_threshold(*_THRESHOLDS)
    keep_for_long()


def keep_for_long() -> None:
    """What is there now is not looked at any more: to be called after loading something large."""
    gc.collect()
    gc.freeze()
