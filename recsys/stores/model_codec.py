"""Item and user models as safetensors, those of items the same in the model store and in Redis."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, load_file, save

from recsys.core.content_index import ContentIndex
from recsys.core.errors import InvalidModel
from recsys.core.model import OPTIONAL_ARRAYS, History, ItemModel, UserModel
from recsys.core.popularity_windows import PopularityWindow
from recsys.core.repurchases import Repurchases, UserRepurchases
from recsys.core.vocabulary import Vocabulary, decode_texts, encode_texts

Tensors = dict[str, NDArray[np.generic]]
_Source = TypeVar("_Source", bytes, Path)


def pack_items(items: ItemModel) -> bytes:
    optional = {name: getattr(items, name) for name in OPTIONAL_ARRAYS}
    return save(
        {
            **_texts("ids", tuple(items.ids)),
            **_texts("titles", items.titles),
            "factors": items.factors,
            "neighbours": items.neighbours,
            "neighbour_scores": items.neighbour_scores,
            "order_shares": items.order_shares,
            "trend": items.trend,
            "popular": items.popular,
            "eligible": items.eligible,
            **{name: array for name, array in optional.items() if array is not None},
            **_pack_windows(items.windows),
            **_pack_content(items.content),
        }
    )


def unpack_items(data: bytes) -> ItemModel:
    """Read an item model.

    Raises:
        InvalidModel: when the bytes are damaged, a tensor is missing or the parts disagree.
    """
    tensors = _loaded(load, data)
    try:
        # Models of format 2 know nothing of order.
        without_order = np.zeros(tensors["neighbours"].shape, np.float16)
        return ItemModel(
            ids=Vocabulary(_read_texts(tensors, "ids")),
            titles=tuple(_read_texts(tensors, "titles")),
            factors=tensors["factors"],
            neighbours=tensors["neighbours"],
            neighbour_scores=tensors["neighbour_scores"],
            order_shares=tensors.get("order_shares", without_order),
            trend=tensors["trend"],
            popular=tensors["popular"],
            eligible=tensors["eligible"],
            **{name: tensors.get(name) for name in OPTIONAL_ARRAYS},
            windows=_read_windows(tensors),
            content=_read_content(tensors),
        )
    except KeyError as error:
        raise InvalidModel(f"the item model lacks the tensor {error}") from error


def pack_users(users: UserModel) -> bytes:
    return save(
        {
            **_texts("ids", tuple(users.ids)),
            "factors": users.factors,
            "indptr": users.indptr,
            "history_items": users.histories.items,
            "history_strengths": users.histories.strengths,
            "history_excluded": users.histories.excluded,
            "history_steps": users.histories.steps,
            **_pack_repurchases(users.repurchases),
        }
    )


def read_users(file: Path) -> UserModel:
    """Read a user model, whose bytes are not held beside it: it is the largest part by far.

    Raises:
        InvalidModel: when the file is damaged, a tensor is missing or the parts disagree.
    """
    # Mapped, its pages would count beside the tensors that are copied from them.
    tensors = _loaded(partial(load_file, backend="pread"), file)
    try:
        without_order = np.zeros(len(tensors["history_items"]), np.int32)
        return UserModel(
            ids=Vocabulary(_read_texts(tensors, "ids")),
            factors=tensors["factors"],
            indptr=tensors["indptr"],
            histories=History(
                tensors["history_items"],
                tensors["history_strengths"],
                tensors["history_excluded"],
                tensors.get("history_steps", without_order),
            ),
            repurchases=_read_repurchases(tensors),
        )
    except KeyError as error:
        raise InvalidModel(f"the user model lacks the tensor {error}") from error


def _pack_windows(windows: Mapping[int, PopularityWindow]) -> Tensors:
    if not windows:
        return {}
    arrays = {
        f"window_{days}.{name}": array
        for days, window in windows.items()
        for name, array in vars(window).items()
        if array is not None
    }
    return {"window_days": np.array(sorted(windows), np.int32), **arrays}


def _read_windows(tensors: dict[str, NDArray[Any]]) -> dict[int, PopularityWindow]:
    """None for models of before format 8, and of shops without windows."""
    return {
        days: PopularityWindow(
            tensors[f"window_{days}.popular"],
            tensors[f"window_{days}.shoppers"],
            tensors[f"window_{days}.rising"],
            tensors[f"window_{days}.rises"],
            # From format 11 on.
            tensors.get(f"window_{days}.past"),
        )
        for days in tensors.get("window_days", np.empty(0, np.int32)).tolist()
    }


def _pack_content(content: ContentIndex | None) -> Tensors:
    if content is None:
        return {}
    bounds = [np.empty(0), *content.levels.values()]
    return {
        **_texts("content_names", tuple(content.names)),
        "content_weights": content.weights,
        "content_indptr": content.indptr,
        "content_items": content.items,
        "content_scales": content.scales,
        **_texts("content_numbers", tuple(content.levels)),
        "content_bounds": np.concatenate(bounds),
        "content_bounds_indptr": np.cumsum([len(each) for each in bounds]),
    }


def _read_content(tensors: dict[str, NDArray[Any]]) -> ContentIndex | None:
    """None for models of before format 10, and where content foresees nothing."""
    if "content_weights" not in tensors:
        return None
    ends = tensors["content_bounds_indptr"].tolist()
    bounds = (tensors["content_bounds"][start:end] for start, end in pairwise(ends))
    return ContentIndex(
        names=Vocabulary(_read_texts(tensors, "content_names")),
        weights=tensors["content_weights"],
        indptr=tensors["content_indptr"],
        items=tensors["content_items"],
        scales=tensors["content_scales"],
        levels=dict(zip(_read_texts(tensors, "content_numbers"), bounds, strict=True)),
    )


def _pack_repurchases(repurchases: UserRepurchases | None) -> Tensors:
    if repurchases is None:
        return {}
    values = repurchases.values
    return {
        "repurchase_indptr": repurchases.indptr,
        "repurchase_items": values.items,
        "repurchase_counts": values.counts,
        "repurchase_first_days": values.first_days,
        "repurchase_last_days": values.last_days,
    }


def _read_repurchases(tensors: dict[str, NDArray[Any]]) -> UserRepurchases | None:
    """None for models of before format 6."""
    if "repurchase_indptr" not in tensors:
        return None
    values = Repurchases(
        tensors["repurchase_items"],
        tensors["repurchase_counts"],
        tensors["repurchase_first_days"],
        tensors["repurchase_last_days"],
    )
    return UserRepurchases(tensors["repurchase_indptr"], values)


def _loaded(
    read: Callable[[_Source], dict[str, NDArray[Any]]], source: _Source
) -> dict[str, NDArray[Any]]:
    try:
        return read(source)
    except SafetensorError as error:
        raise InvalidModel(f"a model file is damaged: {error}") from error


def _texts(name: str, texts: tuple[str, ...]) -> Tensors:
    data, offsets = encode_texts(texts)
    return {f"{name}.bytes": data, f"{name}.offsets": offsets}


def _read_texts(tensors: dict[str, NDArray[Any]], name: str) -> list[str]:
    return decode_texts(tensors[f"{name}.bytes"], tensors[f"{name}.offsets"])
