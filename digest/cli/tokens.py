"""Commands about tokens of the API: make, list, revoke."""

import secrets
from typing import Annotated

from cyclopts import Parameter

from digest.cli.terminal.common import DEFAULT, AsJson, Common, RowNumber, application, layout_of
from digest.cli.terminal.output import say, show_json
from digest.cli.terminal.tables import show_table
from digest.tasks.api.tokens import list_tokens, make_token, revoke_token


def make(
    name: str,
    *,
    scope: Annotated[tuple[str, ...], Parameter(negative="")],
    common: Common = DEFAULT,
) -> None:
    """Make a token for a program and print it; it is shown this once.

    Parameters
    ----------
    name:
        What uses it, such as "WordPress".
    scope:
        What it may do, such as articles:write; once for each.
    """
    with application(common) as app:
        made = make_token(app.database, lambda: secrets.token_urlsafe(24), name, scope, app.clock())
    say(made.token)
    say(
        f"token {made.row.id} may {', '.join(made.row.scopes)}; keep it: it is not shown again",
        quiet=common.quiet,
    )


def list_(*, json: AsJson = False, common: Common = DEFAULT) -> None:
    """List the tokens with what each may do and when it was last used."""
    with application(common) as app:
        rows = [
            {
                "id": one.row.id,
                "name": one.row.name,
                "ends_with": one.row.hint,
                "scopes": ", ".join(one.row.scopes),
                "made_by": one.maker or "command",
                "made_at": one.row.made_at.isoformat(),
                "last_used_at": one.row.last_used_at.isoformat() if one.row.last_used_at else None,
                "revoked_at": one.row.revoked_at.isoformat() if one.row.revoked_at else None,
            }
            for one in list_tokens(app.database)
        ]
        layout = layout_of(app)
    if json:
        show_json(rows)
    else:
        show_table(
            ["id", "name", "ends_with", "scopes", "made_by", "last_used_at", "revoked_at"], rows, layout
        )


def revoke(token: RowNumber, *, common: Common = DEFAULT) -> None:
    """Revoke a token at once: it opens nothing any more.

    Parameters
    ----------
    token:
        Its id, as `digest tokens list` shows it.
    """
    with application(common) as app:
        row = revoke_token(app.database, token, app.clock())
    say(f"{row.name} is revoked", quiet=common.quiet)
