"""`recsys users-for-item`: users for a campaign about one item."""

from typing import Annotated

import typer

from cli.model_access import open_model
from cli.output import AsJson, say
from cli.tenant_option import Tenant
from cli.user_file import OutputFile, check_destination, show_users, write_users
from recsys.core.errors import NotFound
from recsys.core.wording import pluralize
from recsys.training.users_for_item import users_for_item


def export_users(
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    output: OutputFile = None,
    tenant: Tenant = None,
    version: Annotated[
        str | None, typer.Option(help="Model version. Default: the one that serves.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of users.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Write the users whom an item suits best to a file, best first.

    Who bought or disliked it before the training is left out, and whom nothing speaks for it.

    Example: recsys users-for-item 85123A --limit 1000 --output users.csv
    """
    check_destination(output, as_json=as_json)
    opened = open_model(tenant, version)
    model = opened.model
    row = model.items.ids.index_of(item_id)
    if row is None:
        raise NotFound(f"item {item_id!r} is not in model {opened.version}")
    users, scores = users_for_item(model, row, limit)
    if as_json:
        asked = {"model_version": opened.version, "item_id": item_id}
        show_users(asked, model, users, scores, "score")
    if output is not None:
        write_users(output, model, users, scores, "score")
        say(f"model {opened.version}: {pluralize(len(users), 'user')} for {item_id} in {output}")
