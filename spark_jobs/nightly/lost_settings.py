"""A shop's settings that are gone: the serving version counted what the shipped ones do not."""

from recsys.config.shop import Shop, load_shop
from recsys.core.errors import ConfigurationError, InvalidModel, NotFound
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles


def refuse_lost_settings(shop: Shop, models: ModelFiles, tenant: str) -> None:
    """Refuse the shipped settings where the version that served last was made with others.

    An edited file is the operator's wish, and an event type that it leaves out is told. A file that
    is gone or empty, or a variable that the nightly job lost, is nobody's.

    Raises:
        ConfigurationError: saying what that version counted.
    """
    if not _is_as_shipped(shop):
        return
    for version in models.last_two(tenant)[:1]:
        try:
            serving = models.manifest(tenant, version)
        except (NotFound, InvalidModel):
            return
        if lost := _differences(shop, serving):
            raise ConfigurationError(
                f"{tenant} has the shipped settings, and {version}, which serves, was made with"
                f" others: {'; '.join(lost)}. Is RECSYS_SHOP_CONFIG set, and {tenant}.toml in it"
                " as it was? If they shall hold: `recsys nightly read train evaluate --force` once,"
                " then `recsys nightly publish`, which asks the gate"
            )


def _is_as_shipped(shop: Shop) -> bool:
    shipped = load_shop()
    return (shop.event_types, shop.target_types, shop.unfixed_weights) == (
        shipped.event_types,
        shipped.target_types,
        shipped.unfixed_weights,
    )


def _differences(shop: Shop, serving: Manifest) -> list[str]:
    found = []
    recipe = serving.recipe
    if unnamed := sorted(recipe.event_types.keys() - shop.event_types.keys()):
        found.append(f"event types {', '.join(unnamed)}")
    # Versions of earlier releases do not tell.
    if recipe.target_types and set(recipe.target_types) != set(shop.target_types):
        found.append(f"goals {', '.join(recipe.target_types)}")
    # What the search has found is no setting of the shop's.
    searched = serving.training.settings.get("event_weights")
    if not isinstance(searched, dict):
        # A version of before, or made by hand.
        searched = recipe.event_types
    for name, kind in sorted(recipe.event_types.items()):
        ours = shop.event_types.get(name)
        if ours and name not in searched and kind.weight != ours.weight:
            found.append(f"weight {kind.weight:g} of {name}")
    return found
