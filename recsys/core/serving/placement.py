"""Placements: lists of a storefront as the shop's settings have them, with scheduled rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from recsys.core.domain import Attribute
from recsys.core.serving.bound_filters import bound_filter, names_user
from recsys.core.serving.controls import Boost, Controls, Exclusion, Pin
from recsys.core.serving.filters import parse_user_condition

_NONE = Controls()
Effect = TypeVar("Effect", bound=Boost | Pin | Exclusion)


@dataclass(frozen=True, slots=True)
class ScheduledRule:
    """A rule of the shop.

    Attributes:
        placements: where it holds; none for everywhere.
        effect: with the name of the rule.
        from_ms, until_ms: UTC milliseconds between which it holds, the latter not included; None
            for no bound.
        when: the condition on the user's attributes under which it holds; empty for everybody.
    """

    name: str
    placements: tuple[str, ...]
    effect: Boost | Pin | Exclusion
    from_ms: int | None = None
    until_ms: int | None = None
    when: str = ""

    def holds_at(self, now_ms: int) -> bool:
        """Whether its time has come and is not over."""
        has_begun = self.from_ms is None or self.from_ms <= now_ms
        return has_begun and (self.until_ms is None or now_ms < self.until_ms)

    @property
    def is_about_users(self) -> bool:
        """Whether it depends on what is said of the user."""
        if isinstance(self.effect, Pin):
            return bool(self.when)
        return bool(self.when) or names_user(self.effect.filter)

    def for_user(self, user: Mapping[str, Attribute]) -> "ScheduledRule | None":
        """It as it is for a user of these attributes; None where it does not hold."""
        if self.when and not parse_user_condition(self.when)(user):
            return None
        return replace(self, effect=bound(self.effect, user), when="")


@dataclass(frozen=True, slots=True)
class Placement:
    """A list of the storefront.

    Attributes:
        generators: that fill it, in this order.
        controls: what its settings say of the order of its items.
        rules: those that hold here at some time.
    """

    generators: tuple[str, ...]
    controls: Controls = _NONE
    rules: tuple[ScheduledRule, ...] = ()

    def is_about_users_at(self, now_ms: int) -> bool:
        """Whether a rule that holds at a moment depends on what is said of the user."""
        return any(rule.is_about_users and rule.holds_at(now_ms) for rule in self.rules)

    def for_user(self, user: Mapping[str, Attribute] | None) -> "Placement":
        """It with the rules that are for a user of these attributes; None: not known."""
        if user is None:
            return replace(self, rules=tuple(r for r in self.rules if not r.is_about_users))
        own = (rule.for_user(user) for rule in self.rules)
        return replace(self, rules=tuple(rule for rule in own if rule is not None))

    def controls_at(self, now_ms: int) -> Controls:
        """Its controls with the rules that hold at a moment, in UTC milliseconds.

        Those with a condition hold once they are known to be for the user, see `for_user`.
        """
        effects = [rule.effect for rule in self.rules if rule.holds_at(now_ms) and not rule.when]
        if not effects:
            return self.controls
        return replace(
            self.controls,
            boosts=tuple(effect for effect in effects if isinstance(effect, Boost)),
            pins=tuple(effect for effect in effects if isinstance(effect, Pin)),
            exclusions=tuple(effect for effect in effects if isinstance(effect, Exclusion)),
        )


def bound(effect: Effect, user: Mapping[str, Attribute]) -> Effect:
    """An effect whose filter has the user's own values."""
    if isinstance(effect, Pin):
        return effect
    return replace(effect, filter=bound_filter(effect.filter, user))
