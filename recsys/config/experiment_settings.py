"""The tables `[[experiments]]` of a shop's settings."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from recsys.config.faults import fault_text
from recsys.config.numbers import NO_BOOLEAN
from recsys.config.placement_settings import PlacementTable, as_table, placement_of
from recsys.core.limits import MAX_EXPERIMENTS
from recsys.core.serving.experiments import Experiment, Variant
from recsys.core.serving.placement import Placement, ScheduledRule

# Part of the context of events.
_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
# A variant of less than a thousandth of another would measure nothing.
_Weight = Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False), NO_BOOLEAN]
_Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), NO_BOOLEAN]
# Shares are decimal fractions: ten of .1 sum to a little more than one.
_ROUNDING = 1e-9


class VariantSettings(BaseModel):
    """A table `[[experiments.variants]]`: settings of placements, instead of their own."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    weight: _Weight = 1.0
    placements: dict[str, list[str] | dict[str, Any]] = {}


class ExperimentSettings(BaseModel):
    """A table `[[experiments]]`."""

    model_config = ConfigDict(extra="forbid")

    name: _Name
    layer: _Name = "default"
    placements: Annotated[list[str], Field(min_length=1)]
    share: _Share = 1.0
    enabled: bool = True
    variants: Annotated[list[VariantSettings], Field(min_length=2, max_length=10)]


def experiments_of(
    settings: Sequence[ExperimentSettings],
    tables: Mapping[str, PlacementTable],
    rules: Sequence[ScheduledRule],
) -> tuple[Experiment, ...]:
    """The experiments of a shop, each with its part of its layer, in the order of the file.

    Raises:
        PydanticCustomError: naming the experiment at fault.
    """
    if len(settings) > MAX_EXPERIMENTS:
        raise PydanticCustomError("experiments", f"at most {MAX_EXPERIMENTS} are allowed")
    ends, found = dict[str, float](), list[Experiment]()
    for each in settings:
        _check(each, settings, tables)
        start = ends.get(each.layer, 0.0)
        ends[each.layer] = end = start + each.share
        if end > 1 + _ROUNDING:
            raise _problem(each, f"the shares of layer {each.layer!r} are more than 1 together")
        variants = tuple(
            Variant(variant.name, variant.weight, _placements(each, variant, tables, rules))
            for variant in each.variants
        )
        about = frozenset(each.placements)
        found.append(Experiment(each.name, each.layer, about, start, end, variants, each.enabled))
    return tuple(found)


def _check(
    settings: ExperimentSettings,
    others: Sequence[ExperimentSettings],
    tables: Mapping[str, PlacementTable],
) -> None:
    """Raise for what is wrong beside the other experiments and the shop's placements."""
    if unknown := [name for name in settings.placements if name not in tables]:
        known = ", ".join(sorted(tables))
        raise _problem(settings, f"{unknown[0]!r} is not a placement: use {known}")
    if [other.name for other in others].count(settings.name) > 1:
        raise _problem(settings, "another experiment has this name, too")
    names = [variant.name for variant in settings.variants]
    if len(set(names)) < len(names):
        raise _problem(settings, "two variants have one name")
    for other in others:
        shared = set(other.placements) & set(settings.placements)
        if shared and other.layer != settings.layer:
            reason = f"{other.name!r} is about {min(shared)!r}, too: give both one layer"
            raise _problem(settings, reason)


def _placements(
    experiment: ExperimentSettings,
    variant: VariantSettings,
    tables: Mapping[str, PlacementTable],
    rules: Sequence[ScheduledRule],
) -> dict[str, Placement]:
    found = {}
    for name, changes in variant.placements.items():
        if name not in experiment.placements:
            reason = f"variant {variant.name!r} changes {name!r}, which is not in its placements"
            raise _problem(experiment, reason)
        own = tables[name].model_dump(exclude_unset=True)
        try:
            table = PlacementTable.model_validate(own | as_table(changes))
        except ValidationError as error:
            faults = "; ".join(map(fault_text, error.errors()))
            raise _problem(experiment, f"variant {variant.name!r}, {name}: {faults}") from None
        found[name] = placement_of(name, table, rules)
    return found


def _problem(settings: ExperimentSettings, reason: str) -> PydanticCustomError:
    context = {"name": repr(settings.name), "reason": reason}
    return PydanticCustomError("experiment", "experiment {name}: {reason}", context)
