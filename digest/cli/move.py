"""The command that moves a publication to PostgreSQL: move."""

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, Common, application
from digest.cli.terminal.output import say


def move(database_url: str, *, common: Common = DEFAULT) -> None:
    """Move everything from SQLite to an empty PostgreSQL database, compared row by row.

    Parameters
    ----------
    database_url:
        The new database: postgresql://USER@HOST/NAME. A password is better left to ~/.pgpass.
    """
    with application(common) as app:
        moved = app.move_to(
            database_url, lambda table, rows: say(f"{table}: {rows} rows", quiet=common.quiet or not rows)
        )
        said = f"{moved.rows} rows in {moved.tables} tables are the same in both databases"
        say(f"{said}; the old one accepts no further changes", quiet=common.quiet)
        say(_next_steps(app), quiet=common.quiet)


def _next_steps(app: Application) -> str:
    return (
        f'Next: write the new address into {app.settings.file} ([database] url = "postgresql://..."), or into'
        " $DIGEST_DATABASE__URL; run `digest audit` and `digest doctor`; start the program again."
    )
