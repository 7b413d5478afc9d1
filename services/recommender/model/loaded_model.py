"""A published version in memory: complete, verified, never changed."""

from dataclasses import dataclass, field

# What json.dumps calls for a text, once it has made an encoder: a twentieth of the time.
from json.encoder import encode_basestring

from recsys.core.limits import MAX_LIMIT, MAX_TEXT_CHARACTERS
from recsys.core.model import ItemModel, ScoringParams
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.model_files import ITEMS, check_digest
from services.recommender.model.answer_cache import BoundedCache, CachedUser, Rendered
from services.recommender.model.calibration import fold_in_seconds

# There are fewer items than users, and what is alike to them changes with the model only.
_SIMILAR_SHARE = 4


class ItemFragments:
    """The JSON of each item up to its score; written when first needed, then kept."""

    def __init__(self, items: ItemModel) -> None:
        self._items = items
        self._fragments: list[bytes | None] = [None] * len(items.ids)
        # Of items whose title has changed since the model was trained.
        self._titles: dict[int, str] = {}

    def title_of(self, item_index: int) -> str:
        """Cut where the catalogue's own limit was not kept, or one item could outgrow a message."""
        title = self._titles.get(item_index)
        return (self._items.titles[item_index] if title is None else title)[:MAX_TEXT_CHARACTERS]

    def set_title(self, item_index: int, title: str | None) -> bool:
        """Take over the title that an item has now, None for the model's; tell if it is another."""
        before = self.title_of(item_index)
        if title is None or title == self._items.titles[item_index]:
            self._titles.pop(item_index, None)
        else:
            self._titles[item_index] = title
        if self.title_of(item_index) == before:
            return False
        self._fragments[item_index] = None
        return True

    def of(self, item_index: int) -> bytes:
        return self._fragments[item_index] or self._write(item_index)

    def _write(self, item_index: int) -> bytes:
        item_id = encode_basestring(self._items.ids.id_of(item_index))
        title = self.title_of(item_index)
        title = encode_basestring(title) if title else "null"
        fragment = f'{{"item_id":{item_id},"title":{title},"score":'.encode()
        self._fragments[item_index] = fragment
        return fragment


@dataclass(frozen=True)
class LoadedModel:
    """A model version in memory. One request uses one instance from start to end.

    Attributes:
        items: as trained; what serves has more that are eligible, when they are back.
        fold_in_seconds: see `calibration`.
    """

    version: str
    items: ItemModel
    params: ScoringParams
    fold_in_seconds: float
    fragments: ItemFragments = field(compare=False, repr=False)
    users: BoundedCache[CachedUser] = field(compare=False, repr=False)
    similar: BoundedCache[Rendered] = field(compare=False, repr=False)


def load_model(manifest_json: bytes, items: bytes, cache_bytes: int) -> LoadedModel:
    """Verify and unpack a published version; takes seconds for a million items.

    Args:
        cache_bytes: how much memory what was worked out for users and items may take.

    Raises:
        InvalidModel: when anything about it is wrong.
    """
    manifest = Manifest.from_json(manifest_json)
    check_digest(manifest, ITEMS, items)
    unpacked = unpack_items(items)
    # Computed on first use otherwise, and then a user would wait for it.
    _ = unpacked.spectrum, unpacked.has_factors
    params = manifest.recipe.to_params()
    return LoadedModel(
        version=manifest.version,
        items=unpacked,
        params=params,
        fold_in_seconds=fold_in_seconds(unpacked, params, MAX_LIMIT),
        fragments=ItemFragments(unpacked),
        users=BoundedCache(cache_bytes - cache_bytes // _SIMILAR_SHARE),
        similar=BoundedCache(cache_bytes // _SIMILAR_SHARE),
    )
