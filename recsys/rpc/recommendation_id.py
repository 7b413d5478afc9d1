"""Identity of one answer, by which what came of it is counted."""

import secrets

# Nobody guesses one of another shopper.
_BYTES = 12


def new_recommendation_id() -> str:
    """Make an id that no other answer has: 16 characters of a URL."""
    return secrets.token_urlsafe(_BYTES)
