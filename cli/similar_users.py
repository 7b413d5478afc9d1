"""`recsys similar-users`: users with the taste of one."""

from pathlib import Path
from typing import Annotated

import typer

from cli.model_access import open_model
from cli.output import check_output, say
from cli.tenant_option import Tenant
from cli.user_file import write_users
from recsys.core.errors import NotFound
from recsys.core.wording import pluralize
from recsys.training.similar_users import similar_users


def export_similar_users(
    user_id: Annotated[str, typer.Argument(help="The user's id.")],
    output: Annotated[Path, typer.Option(help="CSV file to write: user_id and similarity.")],
    tenant: Tenant = None,
    version: Annotated[
        str | None, typer.Option(help="Model version. Default: the one that serves.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of users.")] = 1000,
) -> None:
    """Write the users whose taste is most similar to that of one to a file, best first.

    The similarity is the cosine of factors, at most 1: a direction in taste, however much each did.

    Example: recsys similar-users 12356 --limit 100 --output users.csv
    """
    check_output(output)
    opened = open_model(tenant, version)
    model = opened.model
    row = model.users.ids.index_of(user_id)
    if row is None:
        raise NotFound(
            f"user {user_id!r} is not in model {opened.version}: it was trained before the user"
            " did anything, or nothing that counts"
        )
    users, similarities = similar_users(model.users, row, limit)
    write_users(output, model, users, similarities, "similarity")
    say(f"model {opened.version}: {pluralize(len(users), 'user')} similar to {user_id} in {output}")
