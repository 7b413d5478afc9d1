"""Departments of the demo's shop, by words of titles: its data have no categories."""

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Department:
    """A shelf of the shop, and the drawing that stands for its products, which have no pictures."""

    slug: str
    title: str
    words: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"\b({self.words})s?\b", re.IGNORECASE)

    def has(self, title: str) -> bool:
        return self._pattern.search(title) is not None


# A product is in each whose words it has; its drawing is that of the first.
DEPARTMENTS = (
    Department("christmas", "Christmas", "christmas|xmas|advent|bauble|reindeer|santa|snowflake"),
    Department("lights", "Candles & lights", "candle|t-?light|lantern|light|lamp|candleholder"),
    Department("bags", "Bags", "bag|shopper|purse|rucksack|luggage|backpack"),
    Department(
        "baking", "Kitchen & baking", "cake|cakestand|baking|kitchen|jam|recipe|cutlery|bowl|apron"
    ),
    Department("tea", "Tea time", "tea|teapot|mug|cup|teacup|saucer|coffee|egg cup|biscuit"),
    Department("garden", "Garden", "garden|flower|plant|watering|bird|birdhouse|parasol|picnic"),
    Department("children", "Children", "children|kid|toy|doll|playhouse|dinosaur|spaceboy|puzzle"),
    Department("paper", "Cards & paper", "card|paper|notebook|pencil|pen|wrap|postcard|sticker"),
    Department("jewellery", "Jewellery", "necklace|bracelet|earring|ring|brooch|hair|bangle"),
)
_BY_SLUG = {department.slug: department for department in DEPARTMENTS}
_OTHER = "gift"


def department_named(slug: str) -> Department | None:
    return _BY_SLUG.get(slug)


def drawing_of(title: str | None) -> str:
    """Name the drawing for a product."""
    return next((each.slug for each in DEPARTMENTS if each.has(title or "")), _OTHER)
