"""Wording of messages to people."""


def pluralize(count: int, singular: str, plural: str | None = None) -> str:
    """Name a number of things: 1 user, 2,000 users.

    Args:
        plural: where it is not the singular and an s.
    """
    return f"{count:,} {singular if count == 1 else plural or f'{singular}s'}"
