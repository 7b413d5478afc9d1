"""Reasons of recommendations, in a shopper's words."""

from typing import Any

_WITH_SEEDS = {
    "because_you_bought": "Because you bought {}",
    "because_you_viewed": "Because you looked at {}",
    "bought_together": "Often bought with {}",
}
_PLAIN = {
    "similar_users": "Liked by shoppers like you",
    "similar_to_item": "Similar to this",
    "bought_together": "Often bought together",
    "pinned": "Picked by the shop",
    "popular": "Popular",
    "trending": "Trending",
    "new": "New in",
    "buy_again": "You may be running out of it",
    "recently_viewed": "You looked at it lately",
}


def reason_text(item: dict[str, Any]) -> str:
    """Say why an item of a list is there; an unknown code speaks for itself."""
    reason = item.get("reason") or {"code": item.get("source", ""), "seeds": []}
    code = str(reason["code"])
    # One says enough on a card.
    titles = [(seed["title"] or seed["item_id"]).lower() for seed in reason["seeds"][:1]]
    if titles and code in _WITH_SEEDS:
        return _WITH_SEEDS[code].format(titles[0])
    return _PLAIN.get(code, code.replace("_", " ").capitalize())
