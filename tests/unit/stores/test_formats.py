"""Models as releases of each format wrote them, read and answered from by this one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from recsys.core.behaviour import RecentEvent
from recsys.core.domain import Item
from recsys.core.errors import InvalidModel
from recsys.core.popularity_windows import PopularityWindow
from recsys.core.serving.lists import Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend_for_user, similar_items
from recsys.stores.documents import decode_item, item_document
from recsys.stores.hbase.cells import decode_details
from recsys.stores.manifest import FORMAT, LEAST_READER, Manifest
from recsys.stores.model_codec import pack_items, unpack_items
from recsys.stores.model_files import ITEMS, ModelFiles
from recsys.stores.redis.recent import decode_events
from recsys.stores.redis.user_record import unpack_user
from services.recommender.model.serving import load_model
from tests.builders import a_manifest, an_item_model, repurchases
from tests.data.formats.make import VERSION

FORMATS = Path(__file__).parents[2] / "data" / "formats"
of_each_format = pytest.mark.parametrize("number", range(2, FORMAT + 1))


def arrays_of(window: PopularityWindow) -> dict[str, list[float]]:
    return {name: array.tolist() for name, array in vars(window).items() if array is not None}


def manifest_bytes(number: int) -> bytes:
    return (FORMATS / str(number) / "shop" / VERSION / "manifest.json").read_bytes()


@of_each_format
def test_a_model_of_each_format_is_read_whole(number: int) -> None:
    files = ModelFiles(FORMATS / str(number))
    assert files.versions("shop") == [VERSION]
    assert files.manifest("shop", VERSION).format == number
    model = files.model("shop", VERSION)
    assert list(model.items.ids) == ["i0", "i1", "i2", "i3", "i4", "i5"]
    assert list(model.users.ids) == ["u0"]
    assert model.users.histories.items.tolist() == [1, 2]
    # The same numbers were written in each.
    expected = an_item_model()
    assert np.array_equal(model.items.factors, expected.factors)
    assert np.array_equal(model.items.order_shares, expected.order_shares)
    again = model.users.repurchases
    if number >= 6:
        assert again is not None
        assert vars(again.of_user(0)) == vars(repurchases([(1, 3, 10, 30)]))
    else:
        assert again is None
    week = expected.windows[7] if number >= 11 else replace(expected.windows[7], past=None)
    assert {days: arrays_of(window) for days, window in model.items.windows.items()} == (
        {7: arrays_of(week)} if number >= 8 else {}
    )
    if number >= 5:
        assert np.array_equal(model.items.partners, expected.partners)
        assert np.array_equal(model.items.partner_scores, expected.partner_scores)
        assert np.array_equal(model.items.rising, expected.rising)
    else:
        assert model.items.partners is None
        assert model.items.rising is None
        assert pack_items(model.items) == pack_items(unpack_items(pack_items(model.items)))


@of_each_format
def test_a_recommender_loads_a_model_of_each_format_and_answers(number: int) -> None:
    items = ModelFiles(FORMATS / str(number)).item_bytes("shop", VERSION)
    model = load_model(manifest_bytes(number), items, cache_bytes=0)
    serving = ServingModel.of(model.items, model.params)
    user = unpack_user((FORMATS / str(number) / "user.record").read_bytes())
    assert user.history.steps.tolist() == [0, 0]
    assert user.repurchases.items.tolist() == ([1] if number >= 6 else [])
    listed = recommend_for_user(serving, user, [], 2)
    assert (listed.source, [each.item_index for each in listed.ranked]) == (Source.STORED, [3, 5])
    assert len(similar_items(serving, 0, 2).ranked) == 2
    unknown = recommend_for_user(serving, None, [], 3)
    assert [each.item_index for each in unknown.ranked] == [5, 4, 3]


@of_each_format
def test_a_manifest_of_each_format_is_written_as_its_releases_can_read_it(number: int) -> None:
    """By what they forbid: an entry that they do not know."""
    written = json.loads(Manifest.from_json(manifest_bytes(number)).to_json())
    assert ("least_reader" in written) is (number >= 4)
    assert written["format"] == number


def test_a_later_format_that_this_release_may_read_is_read_without_what_is_new() -> None:
    later = json.loads(a_manifest(format=FORMAT + 1, least_reader=LEAST_READER).to_json())
    later["recipe"]["novelty_weight"] = 0.5
    later["night"] = {"weather": "clear"}
    assert Manifest.from_json(json.dumps(later).encode()).recipe == a_manifest().recipe
    tensors = load(pack_items(an_item_model()))
    more = unpack_items(save({**tensors, "novelty": np.ones(6, np.float32)}))
    assert np.array_equal(more.factors, an_item_model().factors)
    record = (FORMATS / str(FORMAT) / "user.record").read_bytes()
    assert unpack_user(record + b"new").history.items.tolist() == [1, 2]


def test_a_model_that_needs_a_later_release_says_so_whatever_else_is_in_it() -> None:
    later = {"format": FORMAT + 2, "least_reader": FORMAT + 1, "recipe": ["another thing"]}
    with pytest.raises(InvalidModel) as caught:
        Manifest.from_json(json.dumps(later).encode())
    assert str(caught.value) == (
        f"the model has format {FORMAT + 2} and needs a release that reads format {FORMAT + 1};"
        f" this one reads 2 to {FORMAT}: upgrade it first"
    )


def test_a_later_format_without_a_least_reader_is_refused() -> None:
    later = json.loads(a_manifest(format=FORMAT + 1).to_json())
    del later["least_reader"]
    with pytest.raises(InvalidModel, match="upgrade it first"):
        Manifest.from_json(json.dumps(later).encode())


def test_a_format_that_is_too_old_says_what_makes_a_new_one() -> None:
    old = json.loads(a_manifest(format=1, least_reader=1).to_json())
    with pytest.raises(InvalidModel, match="run recsys nightly to make a new one"):
        Manifest.from_json(json.dumps(old).encode())


def test_every_format_has_a_model() -> None:
    folders = {path.name for path in FORMATS.iterdir() if path.is_dir() and path.name.isdigit()}
    assert folders == {str(number) for number in range(2, FORMAT + 1)}
    assert (FORMATS / str(FORMAT) / "shop" / VERSION / ITEMS).exists()


def test_a_recent_event_of_a_later_release_is_read_without_what_is_new() -> None:
    member = json.dumps(["e1", "view", "i1", 5, 2.0, 9.5, 4.0, {"placement": "home"}]).encode()
    assert decode_events([(member, 9.0)]) == [RecentEvent("i1", "view", 5, 9, 2.0, 9.5, 4.0)]


def test_an_item_and_an_event_of_a_later_release_are_read_without_what_is_new() -> None:
    item = Item("i1", title="Lamp", categories=("a",))
    later = json.loads(item_document(item)) | {"colour": "red"}
    assert decode_item(b"i1", json.dumps(later).encode()) == item
    assert decode_details(b'{"quantity":2.0,"currency":"EUR"}') == {"quantity": 2.0}
