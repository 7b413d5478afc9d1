"""Whether an item can be bought at this moment, by what the API says of it."""

from services.storefront.api import Json


def is_on_offer(item: Json, now_ms: int) -> bool:
    """Tell whether there is any of an item, and the time is within that in which it is shown."""
    publish_ms, expire_ms = item["publish_time"], item["expire_time"]
    is_published = publish_ms is None or publish_ms <= now_ms
    is_over = expire_ms is not None and expire_ms <= now_ms
    return bool(item["available"]) and item["quantity"] != 0 and is_published and not is_over
