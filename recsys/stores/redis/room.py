"""The room that Redis has for one more model version, and whether it makes some by itself."""

from dataclasses import dataclass
from itertools import islice

import redis

from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors
from recsys.stores.redis.published import KEYS_PER_COMMAND, RedisPublishedModels

# Records differ by how much a user did: the mean of so many is within some percent of that of all.
_SAMPLED_USERS = 1000


@dataclass(frozen=True, slots=True)
class Room:
    """Memory that is free, and what a stored version takes, in bytes."""

    free_bytes: int
    version_bytes: int

    @property
    def is_enough(self) -> bool:
        return self.free_bytes >= self.version_bytes


@dataclass(frozen=True, slots=True)
class Eviction:
    """A Redis that removes keys when it is full, whoever may need them.

    Attributes:
        policy: its maxmemory-policy.
        evicted_keys: how many it has removed since it was started.
    """

    policy: str
    evicted_keys: int

    @property
    def takes_any_key(self) -> bool:
        """Whether keys that never expire, as those of models, may go as well."""
        return self.policy.startswith("allkeys-")


def eviction(client: "redis.Redis") -> Eviction | None:
    """Tell how Redis removes keys when it is full.

    Returns:
        None where it removes none, has no limit, or does not tell.

    Raises:
        Unavailable: when Redis does not answer.
    """
    with translated_errors():
        try:
            told = client.info("memory") | client.info("stats")
        except redis.ResponseError:  # a command that this user may not give
            return None
    policy = str(told.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction" or not int(told.get("maxmemory", 0)):
        return None
    return Eviction(policy, int(told.get("evicted_keys", 0)))


def room_beside(client: "redis.Redis", tenant: str, version: str, users: int) -> Room | None:
    """Compare the memory that is free with what a version takes, going by some of its records.

    Returns:
        None where it cannot be known: Redis has no limit, does not tell, or lacks the version.

    Raises:
        Unavailable: when Redis does not answer.
    """
    with translated_errors():
        try:
            memory = client.info("memory")
            limit, used = int(memory.get("maxmemory", 0)), int(memory["used_memory"])
            sizes = _record_sizes(client, tenant, version) if limit else []
        except redis.ResponseError:  # a command that this user may not give
            return None
        if not sizes:
            return None
        records = sum(sizes) / len(sizes) * users
        items = RedisPublishedModels(client).items_size(tenant, version)
        return Room(max(limit - used, 0), int(records) + items)


def _record_sizes(client: "redis.Redis", tenant: str, version: str) -> list[int]:
    # A version's name has no character that means something in a pattern.
    pattern = f"{keys.user_prefix(tenant, version)}*"
    sample = list(islice(client.scan_iter(pattern, count=KEYS_PER_COMMAND), _SAMPLED_USERS))
    with client.pipeline(transaction=False) as pipeline:
        for key in sample:
            pipeline.memory_usage(key)
        return [size for size in pipeline.execute() if size]
