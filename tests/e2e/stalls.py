"""Times at which the machine stood still, by what services have logged."""

from infra.local.stack import Stack


def waits_for_redis_given_up(stack: Stack) -> int:
    """Count how often recommenders have given up waiting for Redis."""
    logs = stack.settings.logs.glob("recommender-*.log")
    return sum(log.read_text(encoding="utf-8").count('"redis_unavailable"') for log in logs)
