"""Days on which far fewer events came than usual."""

from spark_jobs.nightly.daily_counts import quiet_day, unnamed_types

DAY_MS = 86_400_000
# A Friday.
DAY = 20_420
NOW_MS = (DAY + 1) * DAY_MS + 7_200_000
NAMED = ("view", "purchase")


def steady(count: int, **changes: int) -> dict[int, int]:
    """As many events each day of five weeks, but for some days, by how long ago they are."""
    counts = {DAY - ago: count for ago in range(35)}
    return counts | {DAY - int(ago.removeprefix("ago")): n for ago, n in changes.items()}


def test_a_day_with_a_hundredth_of_the_usual_events_is_told() -> None:
    counts = {"view": steady(1000, ago0=10), "purchase": steady(100)}

    assert quiet_day(counts, NAMED, NOW_MS) == (
        "far fewer events than usual on Friday, 2025-11-28: view 10 (usually 1,000);"
        " did tracking or an import break?"
    )


def test_a_type_that_vanished_is_told_also_days_later() -> None:
    purchases = {day: count for day, count in steady(100).items() if day < DAY - 2}

    found = quiet_day({"view": steady(1000), "purchase": purchases}, NAMED, NOW_MS)

    assert found is not None
    assert "purchase 0 (usually 100)" in found


def test_a_shop_that_is_closed_that_day_every_week_misses_nothing() -> None:
    closed = {day: count for day, count in steady(100).items() if (DAY - day) % 7}

    assert quiet_day({"purchase": closed}, NAMED, NOW_MS) is None


def test_a_usual_day_and_a_bad_one_are_not_told() -> None:
    assert quiet_day({"view": steady(100)}, NAMED, NOW_MS) is None
    assert quiet_day({"view": steady(100, ago0=10)}, NAMED, NOW_MS) is None
    assert quiet_day({"view": steady(19, ago0=0)}, NAMED, NOW_MS) is None


def test_a_day_that_has_only_begun_and_behaviour_of_long_ago_are_not_told() -> None:
    assert quiet_day({"view": steady(100)}, NAMED, (DAY + 1) * DAY_MS) is None
    assert quiet_day({"view": steady(100)}, NAMED, NOW_MS + 3650 * DAY_MS) is None


def test_types_without_a_name_are_counted_and_not_missed() -> None:
    counts = {"old": steady(1000, ago0=0), "view": steady(100)}

    assert quiet_day(counts, NAMED, NOW_MS) is None
    assert unnamed_types(counts, NAMED) == {"old": 34_000}
