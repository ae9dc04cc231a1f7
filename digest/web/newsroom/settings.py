"""The settings in effect: value, origin and meaning of each; read-only."""

from fastapi import Request
from starlette.responses import Response

from digest.settings.inventory import take_inventory
from digest.tasks.ledger.overrides import list_overrides
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages

SETTINGS = f"{HOME}/settings"


class SettingsPages:
    """The values from config.toml, the environment and the database; for operators."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, request: Request, find: str = "", only: str = "") -> Response:
        """Show every setting, or those whose key or meaning contains `find`; `only` leaves out defaults."""
        desk = self._front.desk
        inventory = take_inventory(desk.settings)
        wanted = find.strip()[:100].casefold()
        shown = []
        for table in inventory.tables:
            rows = [
                one
                for one in table.settings
                if (only != "set" or one.origin != "default")
                and wanted in f"{table.name} {one.key} {one.meaning}".casefold()
            ]
            if rows:
                shown.append((table, rows))
        return self._front.show(
            request,
            "settings",
            title="Settings",
            inventory=inventory,
            tables=shown,
            overrides=list_overrides(desk.database, desk.settings, self._front.now()),
            file=str(desk.settings.file),
            find=find.strip()[:100],
            only=only == "set",
        )
