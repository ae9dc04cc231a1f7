"""`digest status`: what it finds in the ledger, and a note of it for the next one.

A monitor asks for it each minute, so this module imports neither the parser of options nor what only other
commands need.
"""

from digest.cli.editions import idle
from digest.cli.editions.status_lines import StatusOptions, print_facts
from digest.cli.terminal.application import open_application
from digest.rules.alerts import NEARLY_FULL
from digest.tasks.alerts.alert_facts import database_folder
from digest.tasks.ledger.status_facts import describe_status, find_lasting


def print_status(edition: str | None, options: StatusOptions) -> None:
    """Print the progress of each edition, or of one; exit 1 if nothing may be sent from this database."""
    with open_application(options.config) as app:
        settings, now = app.settings, app.clock()
        refusal = app.find_refusal()
        before = None if edition or refusal else idle.look_at(settings.file, settings.database_url)
        facts = describe_status(app.database, settings, now, edition)
        until = find_lasting(app.database, settings, now, facts) if before else None
    print_facts(facts, settings.zone, now, options, refusal)
    if before is not None and until is not None:
        folder = str(database_folder(settings))
        said = {"facts": facts, "zone": settings.zone.key, "folder": folder, "least_free": NEARLY_FULL}
        if idle.look_at(settings.file, settings.database_url) == before:
            idle.write_note("status", settings.file, until.timestamp(), said, before)
