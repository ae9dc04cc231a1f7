"""The command that sums up bounces and complaints: bounces."""

from datetime import timedelta

from digest.cli.terminal.common import DEFAULT, AsJson, Common, Days, application, layout_of
from digest.cli.terminal.output import say, show_json
from digest.cli.terminal.tables import show_table
from digest.tasks.inbound.bounce_counts import sum_up


def bounces(*, days: Days = 30, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show bounces and complaints by receiver, reason and edition.

    Parameters
    ----------
    days:
        How far to look back.
    """
    with application(common) as app:
        facts = sum_up(app.database, app.clock() - timedelta(days=days))
        layout = layout_of(app)
    if json:
        show_json(facts)
        return
    for title, rows in facts.items():
        if rows:
            say(title.replace("_", " "))
            show_table(list(rows[0]), rows, layout)
            say()
    if not any(facts.values()):
        say(f"no bounce and no complaint in {days} days", quiet=common.quiet)
