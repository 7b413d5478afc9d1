"""Wording of messages to people."""


def counted(count: int, noun: str) -> str:
    """Name a number of things: 1 user, 2,000 users."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
