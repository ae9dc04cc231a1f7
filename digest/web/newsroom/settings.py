"""The settings in effect: value, origin and meaning of each; read-only."""

from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from digest.settings.inventory import take_inventory
from digest.tasks.ledger.overrides import list_overrides
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages

SETTINGS = f"{HOME}/settings"
_AT_ONCE = 100
"""How many tables a page shows, as each source in config.toml is one."""


class SettingsPages:
    """The values from config.toml, the environment and the database; for operators."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, request: Request, find: str = "", only: str = "", start: int = 0) -> Response:
        """Show the settings whose key or meaning contains `find`; `only` leaves out defaults."""
        desk, find = self._front.desk, find.strip()[:100]
        inventory = take_inventory(
            desk.settings, find=find, only_set=only == "set", first=max(0, start), most=_AT_ONCE
        )
        further = {"find": find, "only": only if only == "set" else "", "start": inventory.more}
        return self._front.show(
            request,
            "settings",
            title="Settings",
            inventory=inventory,
            further=urlencode({name: value for name, value in further.items() if value}),
            overrides=list_overrides(desk.database, desk.settings, self._front.now()),
            file=str(desk.settings.file),
            find=find,
            only=only == "set",
        )
