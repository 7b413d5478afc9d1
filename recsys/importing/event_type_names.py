"""Names of event types: the shop's own, those given for a file, and what others call them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from recsys.core.errors import ConfigurationError

# Common names in exports, in lower case without punctuation.
_SYNONYMS = {
    "view": (
        "pv", "pageview", "viewed", "views", "viewitem", "productview", "productviewed",
        "detailview", "detailpageview", "itemview", "productdetailview",
    ),
    "click": ("clicks", "clicked", "clickout", "selectitem", "productclicked"),
    "add_to_cart": (
        "cart", "carts", "addtocart", "addcart", "addtobasket", "basket", "atc", "productadded",
        "addedtocart",
    ),
    "remove_from_cart": ("removefromcart", "removefrombasket", "productremoved", "removed"),
    "purchase": (
        "buy", "buys", "bought", "order", "orders", "purchased", "purchases", "transaction", "sale",
        "ordercompleted", "checkout", "ordered", "placeorder",
    ),
    "return": ("refund", "returned", "refunded", "orderrefunded"),
    "rating": ("rate", "rated", "review"),
    "like": ("fav", "favorite", "favourite", "liked", "wishlist", "addtowishlist"),
    "dislike": ("disliked",),
    "impression": ("impressions", "shown", "viewitemlist", "exposure"),
    "search": ("searched", "viewsearchresults", "productssearched"),
}  # fmt: skip
_BY_SYNONYM = {name: kind for kind, names in _SYNONYMS.items() for name in names}


@dataclass(frozen=True)
class EventTypeNames:
    """The shop's event type of a name in a file; case and punctuation do not matter.

    Attributes:
        known: the types of the shop.
        given: type by name in the file, which goes before all else.
    """

    known: Collection[str]
    given: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, name: str) -> str:
        """
        Raises:
            ValueError: when it is no type of the shop.
        """
        plain = _plain(name)
        by_plain_name = {_plain(each): each for each in self.known}
        for found in (
            {_plain(each): kind for each, kind in self.given.items()}.get(plain),
            name if name in self.known else by_plain_name.get(plain),
            _BY_SYNONYM.get(plain),
        ):
            if found in self.known and found is not None:
                return found
        raise ValueError(
            f"{name!r:.60} is not one of: {', '.join(sorted(self.known))}; --event-types"
            " NAME=TYPE maps it"
        )


def parse_event_types(text: str, known: Collection[str]) -> dict[str, str]:
    """Read "cart=add_to_cart,pv=view".

    Raises:
        ConfigurationError: an entry is no NAME=TYPE, or no type of the shop.
    """
    return dict(_parse(entry, known) for entry in _entries(text))


def _entries(text: str) -> Iterable[str]:
    return (entry.strip() for entry in text.split(",") if entry.strip())


def _parse(entry: str, known: Collection[str]) -> tuple[str, str]:
    name, kind = (part.strip() for part in entry.rpartition("=")[::2])
    if not name or kind not in known:
        raise ConfigurationError(
            f"--event-types {entry}: expected NAME=TYPE with one of {', '.join(sorted(known))}"
        )
    return name, kind


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
