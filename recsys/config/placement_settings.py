"""The tables of a shop's settings that are about its storefront: placements and rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from recsys.config.faults import fault_text
from recsys.config.numbers import NO_BOOLEAN
from recsys.core.behaviour import MAX_IMPRESSIONS
from recsys.core.limits import MAX_LIMIT, MAX_RULES, MAX_SEEN_DAYS
from recsys.core.serving.controls import MIN_WEIGHT, Boost, Controls, Exclusion, Fatigue, Pin
from recsys.core.serving.filters import user_condition_problems
from recsys.core.serving.generators import GENERATORS
from recsys.core.serving.placement import Placement, ScheduledRule

# What each action needs beside what all rules have.
_NEEDS = {
    "boost": ("filter", "weight"),
    "bury": ("filter", "weight"),
    "pin": ("item_id", "position"),
    "exclude": ("filter",),
}


def _known(generators: list[str]) -> list[str]:
    for name in generators:
        if name not in GENERATORS:
            raise ValueError(f"{name!r} is not a generator: use {', '.join(GENERATORS)}")
    return generators


_Generators = Annotated[list[str], Field(min_length=1), AfterValidator(_known)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), NO_BOOLEAN]
_Cap = Annotated[int, Field(ge=1, le=MAX_LIMIT), NO_BOOLEAN]


class FatigueTable(BaseModel):
    """What becomes of items that were shown often."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=1, le=MAX_IMPRESSIONS), NO_BOOLEAN]
    factor: Annotated[float, Field(ge=MIN_WEIGHT, lt=1, allow_inf_nan=False), NO_BOOLEAN]

    def to_fatigue(self) -> Fatigue:
        return Fatigue(self.after, self.factor)


class PlacementTable(BaseModel):
    """A table of `[placements]`."""

    model_config = ConfigDict(extra="forbid")

    generators: _Generators
    diversity: _Share = 0.0
    max_per_category: _Cap | None = None
    max_per_brand: _Cap | None = None
    strict: bool = False
    exclude_seen_days: Annotated[
        float, Field(ge=0, le=MAX_SEEN_DAYS, allow_inf_nan=False), NO_BOOLEAN
    ] = 0.0
    exclude_event_types: list[str] = []
    fatigue: FatigueTable | None = None
    window_days: Annotated[int, Field(ge=0), NO_BOOLEAN] = 0


def as_table(value: Any) -> Any:
    """A list alone names the generators."""
    return {"generators": value} if isinstance(value, list) else value


PlacementSettings = Annotated[PlacementTable, BeforeValidator(as_table)]


class RuleSettings(BaseModel):
    """A table of `[[rules]]`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    placements: Annotated[list[str], Field(min_length=1)] | None = None
    action: Literal["boost", "bury", "pin", "exclude"]
    filter: str | None = None
    weight: Annotated[float, NO_BOOLEAN] | None = None
    item_id: str | None = None
    position: Annotated[int, NO_BOOLEAN] | None = None
    when: str | None = None
    begins: AwareDatetime | None = Field(default=None, alias="from")
    until: AwareDatetime | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _named(cls, value: Any, handler: ModelWrapValidatorHandler["RuleSettings"]) -> Any:
        """Name the rule in what is wrong with it: people do not count tables of a file."""
        try:
            rule = handler(value)
            rule.check()
        except ValueError as error:
            name = value.get("name") if isinstance(value, dict) else None
            faults = str(error)
            if isinstance(error, ValidationError):
                faults = "; ".join(map(fault_text, error.errors()))
            context = {"name": repr(name), "faults": faults}
            raise PydanticCustomError("rule", "rule {name}: {faults}", context) from None
        return rule

    def check(self) -> None:
        """Raise ValueError for what is wrong with the fields beside one another."""
        needs = _NEEDS[self.action]
        for field in ("filter", "weight", "item_id", "position"):
            is_given = getattr(self, field) is not None
            if is_given != (field in needs):
                raise ValueError(f"{self.action} {'has no' if is_given else 'needs'} {field}")
        if self.weight is not None and (self.weight > 1) != (self.action == "boost"):
            bounds = "above 1" if self.action == "boost" else "below 1"
            raise ValueError(f"weight of a {self.action} is {bounds}")
        if self.begins and self.until and self.begins >= self.until:
            raise ValueError("until must be later than from")
        problems = list(self.effect().problems())
        if self.when is not None:
            problems += user_condition_problems(self.when)
        if problems:
            raise ValueError("; ".join(f"{each.field} {each.reason}" for each in problems))

    def effect(self) -> Boost | Pin | Exclusion:
        if self.action == "pin":
            return Pin(self.item_id or "", self.position or 0, self.name)
        if self.action == "exclude":
            return Exclusion(self.filter or "", self.name)
        return Boost(self.filter or "", self.weight or 0, self.name)


def check_rules(rules: Sequence[RuleSettings], placements: Mapping[str, Any]) -> None:
    """Check rules beside one another and the shop's placements.

    Raises:
        PydanticCustomError: naming the rule at fault.
    """
    names = [rule.name for rule in rules]
    for rule in rules:
        unknown = [name for name in rule.placements or () if name not in placements]
        if unknown:
            known = ", ".join(sorted(placements))
            reason = f"{unknown[0]!r} is not a placement: use {known}"
        elif names.count(rule.name) > 1:
            reason = "another rule has this name, too"
        else:
            continue
        context = {"name": repr(rule.name), "reason": reason}
        raise PydanticCustomError("rule", "rule {name}: {reason}", context)
    if len(rules) > MAX_RULES:
        raise PydanticCustomError("rules", f"at most {MAX_RULES} rules are allowed")


def scheduled(rules: Sequence[RuleSettings]) -> tuple[ScheduledRule, ...]:
    return tuple(
        ScheduledRule(
            rule.name,
            tuple(rule.placements or ()),
            rule.effect(),
            _milliseconds(rule.begins),
            _milliseconds(rule.until),
            rule.when or "",
        )
        for rule in rules
    )


def placement_of(name: str, table: PlacementTable, rules: Sequence[ScheduledRule]) -> Placement:
    """The placement of a table, with the rules that are about it."""
    controls = Controls(
        diversity=table.diversity,
        max_per_category=table.max_per_category or 0,
        max_per_brand=table.max_per_brand or 0,
        strict=table.strict,
        exclude_seen_days=table.exclude_seen_days,
        exclude_event_types=tuple(table.exclude_event_types),
        fatigue=table.fatigue.to_fatigue() if table.fatigue else None,
        window_days=table.window_days,
    )
    own = (rule for rule in rules if not rule.placements or name in rule.placements)
    return Placement(tuple(table.generators), controls, tuple(own))


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1000)
