"""Rules that are for some users: whom they are for, and when that is looked up."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from recsys.core.domain import Attribute
from recsys.core.errors import Unavailable
from recsys.core.serving.controls import Boost, Exclusion, Pin
from recsys.core.serving.placed_request import PlacementWishes, ShownPlacement, for_shopper
from recsys.core.serving.placement import Placement, ScheduledRule

EVERYBODY = ScheduledRule("all", (), Boost("price < 5", 2.0, "all"))
TRADE = ScheduledRule(
    "trade", (), Boost("price < 9", 3.0, "trade"), 10, 20, when="user.segment = 'trade'"
)


PLAIN = PlacementWishes(20, "price < 9")


def shown_to(
    visitor: str | None, user: Mapping[str, Attribute] | None, now_ms: int, *rules: ScheduledRule
) -> tuple[list[str], bool, list[str]]:
    """Rules that hold, whether any is left out unseen, and who was looked up."""
    looked_up = list[str]()

    async def attributes_of(tenant: str, user_id: str) -> Mapping[str, Attribute] | None:
        looked_up.append(user_id)
        return user

    placement = ShownPlacement("home", Placement(("popular",), rules=rules))
    shown, _ = asyncio.run(for_shopper(placement, PLAIN, "shop", visitor, now_ms, attributes_of))
    held = [boost.rule for boost in shown.settings.controls_at(now_ms).boosts]
    return held, shown.is_incomplete, looked_up


def test_a_rule_holds_for_whom_its_condition_does() -> None:
    found = shown_to("ann", {"segment": "trade"}, 10, EVERYBODY, TRADE)
    assert found == (["all", "trade"], False, ["ann"])
    found = shown_to("ann", {"segment": "retail"}, 10, EVERYBODY, TRADE)
    assert found == (["all"], False, ["ann"])


@pytest.mark.parametrize(("now_ms", "rules"), [(10, [EVERYBODY]), (9, [TRADE]), (20, [TRADE])])
def test_nobody_is_looked_up_where_no_rule_of_the_moment_depends_on_it(
    now_ms: int, rules: list[ScheduledRule]
) -> None:
    held, is_incomplete, looked_up = shown_to("ann", {"segment": "trade"}, now_ms, *rules)
    assert (held, is_incomplete, looked_up) == (["all"] if EVERYBODY in rules else [], False, [])


def test_without_the_attributes_the_rule_is_left_out_and_that_is_known() -> None:
    assert shown_to("ann", None, 10, EVERYBODY, TRADE) == (["all"], True, ["ann"])


def test_of_a_shopper_whom_nobody_knows_nothing_is_said() -> None:
    others = ScheduledRule("others", (), TRADE.effect, when="NOT user.segment = 'trade'")
    assert shown_to(None, None, 10, TRADE) == ([], False, [])
    assert shown_to(None, None, 10, others) == (["trade"], False, [])


def test_a_rule_that_depends_on_the_user_never_holds_unseen() -> None:
    assert not Placement(("popular",), rules=(TRADE,)).controls_at(10).boosts


def test_a_filter_of_a_rule_has_the_users_own_value() -> None:
    own = replace(EVERYBODY, effect=Boost("attributes.size = user.size", 2.0, "own"))
    pin = replace(EVERYBODY, effect=Pin("lamp", 1, "pin"), when="user.size = 'M'")
    assert shown_to("ann", {"size": "M"}, 10, own, pin)[1:] == (False, ["ann"])
    assert shown_to("ann", None, 10, own, pin) == ([], True, ["ann"])
    controls = Placement(("popular",), rules=(own, pin)).for_user({"size": "M"}).controls_at(10)
    assert controls.boosts == (Boost('attributes.size = "M"', 2.0, "own"),)
    assert controls.pins == (Pin("lamp", 1, "pin"),)


def test_wishes_have_the_users_own_values_or_say_that_these_cannot_be_had() -> None:
    size, dear = "attributes.size = user.size", "price > user.budget"
    wishes = PlacementWishes(20, size, boosts=(Boost(dear, 2.0), Boost("price < 1", 3.0)))
    assert wishes.is_about_user
    assert wishes.for_user({"size": "M", "budget": 9.5}) == PlacementWishes(
        20, 'attributes.size = "M"', boosts=(Boost("price > 9.5", 2.0), Boost("price < 1", 3.0))
    )
    assert replace(wishes, filter="").for_user(None).boosts == (Boost("price < 1", 3.0),)
    for needy in (wishes, PlacementWishes(20, exclusions=(Exclusion(size),))):
        with pytest.raises(Unavailable):
            needy.for_user(None)
    assert not PLAIN.is_about_user
    assert not PlacementWishes(20, "price < <").is_about_user
