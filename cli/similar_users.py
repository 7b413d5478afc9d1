"""`recsys similar-users`: users with the taste of one."""

from typing import Annotated

import typer

from cli.model_access import open_model
from cli.output import AsJson, say
from cli.tenant_option import Tenant
from cli.user_file import OutputFile, check_destination, show_users, write_users
from recsys.core.errors import NotFound
from recsys.core.wording import pluralize
from recsys.training.similar_users import similar_users


def export_similar_users(
    user_id: Annotated[str, typer.Argument(help="The user's id.")],
    output: OutputFile = None,
    tenant: Tenant = None,
    version: Annotated[
        str | None, typer.Option(help="Model version. Default: the one that serves.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of users.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Write the users whose taste is most similar to that of one to a file, best first.

    The similarity is the cosine of factors, at most 1: a direction in taste, however much each did.

    Example: recsys similar-users 12356 --limit 100 --output users.csv
    """
    check_destination(output, as_json=as_json)
    opened = open_model(tenant, version)
    model = opened.model
    row = model.users.ids.index_of(user_id)
    if row is None:
        raise NotFound(
            f"user {user_id!r} is not in model {opened.version}: it was trained before the user"
            " did anything, or nothing that counts"
        )
    users, similarities = similar_users(model.users, row, limit)
    if as_json:
        asked = {"model_version": opened.version, "user_id": user_id}
        show_users(asked, model, users, similarities, "similarity")
    if output is not None:
        write_users(output, model, users, similarities, "similarity")
        found = pluralize(len(users), "user")
        say(f"model {opened.version}: {found} similar to {user_id} in {output}")
