"""Popularity before the first model, in memory."""

from collections import defaultdict
from collections.abc import Mapping


class MemoryEarlyPopularity:
    """`EarlyPopularity` that lasts as long as the process."""

    def __init__(self) -> None:
        self._popularity: defaultdict[str, defaultdict[str, float]] = defaultdict(_nothing)

    def count(self, tenant: str, strengths: Mapping[str, float]) -> None:
        for item_id, strength in strengths.items():
            self._popularity[tenant][item_id] += strength

    def most_popular(self, tenant: str, count: int) -> list[str]:
        popularity = self._popularity[tenant].items()
        # Equal ones in the order in which Redis has them.
        ranked = sorted(
            ((strength, item_id.encode()) for item_id, strength in popularity), reverse=True
        )
        return [item_id.decode() for strength, item_id in ranked if strength > 0][:count]


def _nothing() -> defaultdict[str, float]:
    return defaultdict(float)
