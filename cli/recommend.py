"""`recsys recommend` and `recsys similar`: ask a model version directly, without the services."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.model_access import open_model
from cli.output import AsJson, say, show, show_json
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
    as_json: AsJson = False,
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
    serving = ServingModel.of(model.items, model.params)
    answer = _answer(model.items, recommend_for_user(serving, stored, [], limit))
    strongest = _strongest(model.items, stored.history, limit) if history and stored else []
    if as_json:
        asked = {"model_version": opened.version, "user_id": user_id, "is_known": row is not None}
        show_json(asked | answer | ({"history": strongest} if history else {}))
        return
    if history and stored:
        say(f"history, the strongest of {pluralize(len(stored.history.items), 'item')}:")
        _show_items(strongest, "strength", ".2f")
    say(f"model {opened.version}")
    if row is None:
        say(f"user {user_id!r} is not in it: popular items are what the API would answer")
    _show_answer(answer)


def similar(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    tenant: Tenant = None,
    version: Version = None,
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Show the items most similar to an item in a model version.

    Example: recsys similar 85123A
    """
    opened = open_model(tenant, version)
    items = opened.model.items
    row = items.ids.index_of(item_id)
    if row is None:
        raise NotFound(f"item {item_id!r} is not in model {opened.version}")
    serving = ServingModel.of(items, opened.model.params)
    answer = _answer(items, similar_items(serving, row, limit))
    if as_json:
        show_json({"model_version": opened.version, **_item(items, row), **answer})
        return
    say(f"model {opened.version}, similar to {item_id} {items.titles[row]}".rstrip())
    _show_answer(answer)


def _strongest(items: ItemModel, history: History, limit: int) -> list[dict[str, Any]]:
    order = (-history.strengths).argsort(kind="stable")[:limit]
    return [
        _item(items, int(history.items[i])) | {"strength": float(history.strengths[i])}
        for i in order
    ]


def _answer(items: ItemModel, answer: Recommendations) -> dict[str, Any]:
    ranked = [
        _item(items, each.item_index) | {"score": None if each.score is None else float(each.score)}
        for each in answer.ranked
    ]
    return {"source": answer.source.value, "items": ranked}


def _show_answer(answer: Mapping[str, Any]) -> None:
    say(f"source {answer['source']}")
    _show_items(answer["items"], "score", ".4g")


def _show_items(entries: Sequence[Mapping[str, Any]], number: str, form: str) -> None:
    rows = [
        [each["item_id"], each["title"], "" if each[number] is None else f"{each[number]:{form}}"]
        for each in entries
    ]
    show(["item", "title", number], rows)


def _item(items: ItemModel, row: int) -> dict[str, Any]:
    return {"item_id": items.ids.id_of(row), "title": items.titles[row]}
