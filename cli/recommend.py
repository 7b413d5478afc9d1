"""`recsys recommend` and `recsys similar`: ask a model version directly, without the services."""

from typing import Annotated

import typer

from cli.model_access import open_model
from cli.output import say, show
from cli.tenant_option import Tenant
from recsys.core.errors import NotFound
from recsys.core.limits import MAX_LIMIT
from recsys.core.model import History, ItemModel
from recsys.core.serving.lists import Recommendations
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend_for_user, similar_items
from recsys.core.wording import pluralize
from spark_jobs.nightly.publish_recommendations import user_batch

Version = Annotated[str | None, typer.Option(help="Model version. Default: the one that serves.")]
Limit = Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="Number of items.")]


def recommend(
    user_id: Annotated[str, typer.Argument(help="The user's id.")],
    tenant: Tenant = None,
    version: Version = None,
    limit: Limit = 10,
    history: Annotated[bool, typer.Option(help="Also show the history behind the list.")] = True,
) -> None:
    """Show what a model version recommends to a user, best first.

    Events since the training are left out: the API adds them, this shows the model itself. An
    unknown user gets popular items.

    Example: recsys recommend 17850 --limit 5
    """
    opened = open_model(tenant, version)
    model = opened.model
    row = model.users.ids.index_of(user_id)
    stored = None if row is None else user_batch(model, range(row, row + 1)).user(0)
    if history and stored:
        _show_history(model.items, stored.history, limit)
    serving = ServingModel.of(model.items, model.params)
    say(f"model {opened.version}")
    if row is None:
        say(f"user {user_id!r} is not in it: popular items are what the API would answer")
    _show_answer(model.items, recommend_for_user(serving, stored, [], limit))


def similar(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    tenant: Tenant = None,
    version: Version = None,
    limit: Limit = 10,
) -> None:
    """Show the items most similar to an item in a model version.

    Example: recsys similar 85123A
    """
    opened = open_model(tenant, version)
    items = opened.model.items
    row = items.ids.index_of(item_id)
    if row is None:
        raise NotFound(f"item {item_id!r} is not in model {opened.version}")
    say(f"model {opened.version}, similar to {item_id} {items.titles[row]}".rstrip())
    _show_answer(items, similar_items(ServingModel.of(items, opened.model.params), row, limit))


def _show_history(items: ItemModel, history: History, limit: int) -> None:
    order = (-history.strengths).argsort(kind="stable")[:limit]
    rows = [[*_item(items, int(history.items[i])), f"{history.strengths[i]:.2f}"] for i in order]
    say(f"history, the strongest of {pluralize(len(history.items), 'item')}:")
    show(["item", "title", "strength"], rows)


def _show_answer(items: ItemModel, answer: Recommendations) -> None:
    say(f"source {answer.source.value}")
    rows = [
        [*_item(items, entry.item_index), "" if entry.score is None else f"{entry.score:.4g}"]
        for entry in answer.ranked
    ]
    show(["item", "title", "score"], rows)


def _item(items: ItemModel, row: int) -> list[str]:
    return [items.ids.id_of(row), items.titles[row]]
