"""Windows after the night: a shopper counts once an item, and order is made now and then."""

from recsys.core.purchases import Purchase
from recsys.core.serving.live_windows import LiveWindows
from tests.builders import a_window, an_item_model

N = 6
# Within a week the first was bought by four, the last by three.
ITEMS = an_item_model(N, windows={7: a_window([0, N - 1], [4, 3], [N - 1], [0.5])})


def a_week(windows: LiveWindows) -> dict[int, int]:
    window = windows.of(7)
    assert window is not None
    return dict(zip(window.popular.tolist(), window.shoppers.tolist(), strict=True))


def test_a_shopper_counts_once_an_item() -> None:
    windows = LiveWindows(ITEMS, ITEMS.ids.index_of)
    windows.add([Purchase.by("ann", "i5"), Purchase.by("ann", "i5"), Purchase.by("bob", "i5")])
    windows.add([Purchase.by("ann", "i5"), Purchase.by("ann", "i2")])
    windows.renew()
    assert list(a_week(windows).items()) == [(5, 5), (0, 4), (2, 1)]


def test_it_is_the_window_of_the_night_until_it_is_renewed() -> None:
    windows = LiveWindows(ITEMS, ITEMS.ids.index_of)
    assert not windows.is_stale
    windows.add([Purchase.by("ann", "i2")])
    assert windows.is_stale
    assert windows.of(7) is ITEMS.windows[7]
    windows.renew()
    assert not windows.is_stale
    assert a_week(windows)[2] == 1
    windows.add([Purchase.by("ann", "i2")])
    assert not windows.is_stale
    assert windows.of(30) is None


def test_what_nobody_has_heard_of_counts_once_it_has_a_row() -> None:
    rows = {"i0": 0}
    windows = LiveWindows(ITEMS, rows.get)
    windows.add([Purchase.by("ann", "new"), Purchase.by("ann", "i0")])
    windows.renew()
    assert a_week(windows) == {0: 5, 5: 3}
    rows["new"] = N + 1
    windows.add([Purchase.by("bob", "new")])
    windows.renew()
    assert a_week(windows) == {0: 5, 5: 3, N + 1: 2}


def test_a_mark_tells_users_and_items_apart_and_does_not_name_them() -> None:
    marks = {Purchase.by(user, item).mark for user in ("a", "ab") for item in ("b", "ab", "a")}
    assert len(marks) == 6
    assert Purchase.by("ann", "lamp") == Purchase.by("ann", "lamp")
    assert "ann" not in Purchase.by("ann", "lamp").mark
