"""Files whose layout is known: the options that they need."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, TypeVar

from recsys.importing.event_columns import EventOptions
from recsys.importing.item_rows import ItemOptions
from recsys.importing.read_options import FileFormat, Quoting, ReadOptions

_Options = TypeVar("_Options", ReadOptions, EventOptions, ItemOptions)


class Preset(StrEnum):
    """Files whose layout is known."""

    ONLINE_RETAIL = "online-retail"
    MOVIELENS_1M = "movielens-1m"
    MOVIELENS_100K = "movielens-100k"
    MOVIELENS = "movielens"
    TAOBAO = "taobao"
    YOOCHOOSE_CLICKS = "yoochoose-clicks"
    YOOCHOOSE_BUYS = "yoochoose-buys"
    HM = "hm"
    LASTFM_1K = "lastfm-1k"
    DIGINETICA = "diginetica"
    AMAZON_REVIEWS = "amazon-reviews"
    AMAZON_RATINGS = "amazon-ratings"
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    MAGENTO = "magento"
    GA4 = "ga4"
    GORSE = "gorse"
    RECBOLE = "recbole"


@dataclass(frozen=True)
class Layout:
    """Options of a preset; files of events and of items have names of columns of their own.

    Attributes:
        how: how the file is written.
        events, items: what its columns are.
    """

    how: ReadOptions = field(default_factory=ReadOptions)
    events: EventOptions = field(default_factory=EventOptions)
    items: ItemOptions = field(default_factory=ItemOptions)


def _without_header(columns: str, **options: Any) -> ReadOptions:
    return ReadOptions(columns=tuple(columns.split()), **options)


_RATINGS = EventOptions(event_type="rating")
_PURCHASES = EventOptions(event_type="purchase")
_FOUR = "user_id item_id stars timestamp"

LAYOUTS: Mapping[Preset, Layout] = {
    Preset.ONLINE_RETAIL: Layout(),
    Preset.MOVIELENS_1M: Layout(_without_header(_FOUR, delimiter="::"), _RATINGS),
    Preset.MOVIELENS_100K: Layout(
        _without_header(_FOUR, delimiter="\t", file_format=FileFormat.CSV), _RATINGS
    ),
    Preset.MOVIELENS: Layout(events=_RATINGS),
    Preset.TAOBAO: Layout(_without_header("user_id item_id category_id event_type timestamp")),
    Preset.YOOCHOOSE_CLICKS: Layout(
        _without_header("session_id timestamp item_id category"), EventOptions(event_type="click")
    ),
    Preset.YOOCHOOSE_BUYS: Layout(
        _without_header("session_id timestamp item_id price quantity"), _PURCHASES
    ),
    Preset.HM: Layout(
        events=EventOptions(mapping=("t_dat=timestamp",), event_type="purchase"),
        items=ItemOptions(mapping=("prod_name=title", "product_type_name=categories")),
    ),
    # Names of artists hold quotes that enclose nothing.
    Preset.LASTFM_1K: Layout(
        _without_header(
            "user_id timestamp item_id artist track_id track",
            delimiter="\t",
            quoting=Quoting.NONE,
        ),
        EventOptions(event_type="view"),
    ),
    Preset.DIGINETICA: Layout(
        events=EventOptions(
            mapping=("sessionId=user_id", "eventdate=timestamp"), event_type="view"
        )
    ),
    Preset.AMAZON_REVIEWS: Layout(events=_RATINGS),
    Preset.AMAZON_RATINGS: Layout(_without_header(_FOUR, delimiter=","), _RATINGS),
    Preset.SHOPIFY: Layout(
        events=EventOptions(
            mapping=(
                "Email=user_id", "Lineitem sku=item_id", "Name=order_id",
                "Lineitem quantity=quantity", "Lineitem price=price", "Created at=timestamp",
            ),
            event_type="purchase",
        ),
        items=ItemOptions(
            mapping=("Handle=item_id", "Variant Price=price", "Type=categories", "Vendor=brand"),
            # A draft is not for sale. What is active may be sold out.
            shown_if=("Status=active",),
        ),
    ),
    Preset.WOOCOMMERCE: Layout(
        events=_PURCHASES,
        items=ItemOptions(
            mapping=("Regular price=price",),
            separators=">|,",
            # On backorder an item has none or less, and a variation may have that of its parent.
            if_there=("Stock=",),
            # Neither private nor a draft, and not for those alone who have the link, or search.
            shown_if=("Published=1", "Visibility in catalog=visible|catalog"),
        ),
    ),
    Preset.MAGENTO: Layout(
        events=EventOptions(
            mapping=("increment_id=order_id", "qty_ordered=quantity"), event_type="purchase"
        ),
        items=ItemOptions(
            mapping=("is_in_stock=available",),
            separators=">|,/",
            # 2: disabled.
            shown_if=("product_online=1",),
            # Variants, and what only search finds; exports of other languages have words of theirs.
            hidden_if=("visibility=not visible individually|search|1|3",),
        ),
    ),
    Preset.GA4: Layout(events=EventOptions(mapping=("user_pseudo_id=user_id",))),
    Preset.GORSE: Layout(
        events=EventOptions(mapping=("feedback_type=event_type", "time_stamp=timestamp"))
    ),
    Preset.RECBOLE: Layout(events=_RATINGS),
}  # fmt: skip


def given_over(preset: _Options, given: _Options) -> _Options:
    """The options of a preset, and over them those that were given."""
    default = type(given)()
    changed = {
        each.name: getattr(given, each.name)
        for each in fields(given)
        if getattr(given, each.name) != getattr(default, each.name)
    }
    return replace(preset, **changed)
