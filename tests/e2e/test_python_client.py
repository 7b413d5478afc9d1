"""The Python client on the whole stack."""

import asyncio
from collections.abc import Iterator

import pytest
from recsys_client import (
    AsyncClient,
    AsyncEventQueue,
    Client,
    Event,
    EventQueue,
    InvalidInput,
    ItemChanges,
    ItemFields,
    NotFound,
    PagePlacement,
    PageRequest,
    PlacementRequest,
    RerankRequest,
    WholeItem,
    WrongKey,
)

from tests.e2e.shop import KNOWN_CUSTOMER, Shop


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with Client(shop.stack.settings.url, shop.key) as client:
        yield client


def test_every_kind_of_list_is_read(client: Client, shop: Shop) -> None:
    [item_id, *others] = shop.item_ids()
    placed = client.recommend("home", PlacementRequest(user_id=KNOWN_CUSTOMER, limit=5))
    assert len(placed.items) == 5
    assert placed.items[0].reason
    assert placed.model_version == shop.serving()
    for_user = client.recommend_for_user(KNOWN_CUSTOMER, limit=3, filter="price < 5", explain=True)
    assert [item.price for item in for_user.items if item.price is None or item.price >= 5] == []
    assert for_user.items[0].score_parts
    similar = client.similar_items(item_id, limit=5)
    assert item_id not in {item.item_id for item in similar.items}
    left_out = similar.items[0].item_id
    again = client.recommend_for_session([item_id], limit=5, exclude_item_ids=[left_out])
    assert left_out not in {item.item_id for item in again.items}
    page = client.recommend_page(
        PageRequest(
            user_id=KNOWN_CUSTOMER,
            requests=[
                PagePlacement(placement="home", limit=4),
                PagePlacement(placement="product_page", item_id=item_id, limit=4),
            ],
        )
    )
    assert [answer.placement for answer in page.responses] == ["home", "product_page"]
    ordered = client.rerank(RerankRequest(user_id=KNOWN_CUSTOMER, item_ids=others[:9]))
    assert sorted(ordered.item_ids) == others[:9]


def test_the_catalogue_is_written(client: Client) -> None:
    item_id = "client/ü 1"
    put = client.put_item(item_id, ItemFields(title="Lamp", price=2.5, categories=["Home"]))
    assert put == client.get_item(item_id)
    changed = client.change_item(item_id, ItemChanges(price=3.5))
    assert (changed.title, changed.price, changed.categories) == ("Lamp", 3.5, ["Home"])
    batch = client.put_items(
        [WholeItem(item_id="client-2"), WholeItem(item_id="client-3", price=-1)]
    )
    assert (batch.stored, [each.index for each in batch.rejected]) == (1, [1])
    for each in (item_id, "client-2"):
        client.remove_item(each)
        with pytest.raises(NotFound):
            client.get_item(each)


def test_users_are_merged(client: Client, shop: Shop) -> None:
    client.record_events([Event(user_id="client-was", item_id="22423", event_type="view")])
    assert client.merge_users("client-was", "client-is").moved_events == 1
    assert [event.item_id for event in shop.stored_events("client-is")] == ["22423"]


def test_errors_have_types(client: Client, shop: Shop) -> None:
    with pytest.raises(InvalidInput) as raised:
        client.recommend("home", PlacementRequest(user_id="ann", limit=1000))
    assert [each.field for each in raised.value.problems] == ["limit"]
    with pytest.raises(NotFound, match=r"it has .*home"):
        client.recommend("no such place", PlacementRequest())
    with Client(shop.stack.settings.url, "wrong") as nobody, pytest.raises(WrongKey):
        nobody.recommend_for_user("ann")


def views(user_id: str, count: int) -> list[Event]:
    return [Event(user_id=user_id, item_id=f"item-{n}", event_type="view") for n in range(count)]


def test_queued_events_are_stored_once_and_the_bad_one_is_told(client: Client, shop: Shop) -> None:
    rejected: list[str] = []
    with EventQueue(
        client, max_batch=7, on_rejected=lambda event, reason: rejected.append(reason)
    ) as queue:
        for event in views("client-queue", 20):
            queue.put(event)
        queue.put(Event(user_id="client-queue", item_id="lamp", event_type="teleport"))
    assert len(shop.stored_events("client-queue")) == 20
    [reason] = rejected
    assert "event_type" in reason


def test_the_client_that_awaits_does_the_same(shop: Shop) -> None:
    async def visit() -> list[str]:
        async with AsyncClient(shop.stack.settings.url, shop.key) as client:
            async with AsyncEventQueue(client, max_batch=7) as queue:
                for event in views("client-awaiting", 20):
                    queue.put(event)
            wanted = PlacementRequest(user_id="client-awaiting", limit=5)
            return [item.item_id for item in (await client.recommend("home", wanted)).items]

    assert len(asyncio.run(visit())) == 5
    assert len(shop.stored_events("client-awaiting")) == 20
