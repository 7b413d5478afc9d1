"""Placements: lists of a storefront as the shop's settings have them, with scheduled rules."""

from dataclasses import dataclass, replace

from recsys.core.serving.controls import Boost, Controls, Exclusion, Pin

_NONE = Controls()


@dataclass(frozen=True, slots=True)
class ScheduledRule:
    """A rule of the shop.

    Attributes:
        placements: where it holds; none for everywhere.
        effect: with the name of the rule.
        from_ms, until_ms: UTC milliseconds between which it holds, the latter not included; None
            for no bound.
    """

    name: str
    placements: tuple[str, ...]
    effect: Boost | Pin | Exclusion
    from_ms: int | None = None
    until_ms: int | None = None

    def holds_at(self, now_ms: int) -> bool:
        """Whether its time has come and is not over."""
        has_begun = self.from_ms is None or self.from_ms <= now_ms
        return has_begun and (self.until_ms is None or now_ms < self.until_ms)


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

    def controls_at(self, now_ms: int) -> Controls:
        """Its controls with the rules that hold at a moment, in UTC milliseconds."""
        effects = [rule.effect for rule in self.rules if rule.holds_at(now_ms)]
        if not effects:
            return self.controls
        return replace(
            self.controls,
            boosts=tuple(effect for effect in effects if isinstance(effect, Boost)),
            pins=tuple(effect for effect in effects if isinstance(effect, Pin)),
            exclusions=tuple(effect for effect in effects if isinstance(effect, Exclusion)),
        )
