"""An edition looked over before it goes: each check with its reasons, at the press of a button."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.rules.preflight import is_clear
from digest.rules.proof import Outcome
from digest.tasks.desk.desk import EditionName
from digest.tasks.desk.proofs import look
from digest.tasks.preflight import look_before
from digest.tasks.previewing import View
from digest.web.desk.front import Front, sentence

_NOT_FOUND = 404


class FlightPages:
    """The checks of an edition that is not made yet; other machines are asked, so it takes a POST."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def check(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Make all checks as for a reader of every topic, and show what they found."""
        entry = self._front.entry(EditionName(digest, cadence, period))
        if not entry.is_open:
            raise HTTPException(_NOT_FOUND)
        desk = self._front.desk
        try:
            shown = look(desk, entry, View(), self._front.now())
        except InputError as error:
            return self._front.show(
                request, "trouble", 400, title="There is nothing to check", entry=entry, error=sentence(error)
            )
        checked = look_before(desk.database, desk.settings, desk.composer, shown, asks=True).checked
        groups = [
            (title, [one for one in checked if one.outcome is outcome])
            for title, outcome in (("Fails", Outcome.FAIL), ("To look at", Outcome.WARN))
        ]
        return self._front.show(
            request,
            "preflight",
            title="Before it goes",
            entry=entry,
            groups=groups,
            well=[one.check for one in checked if one.outcome is Outcome.OK],
            clear=is_clear(checked),
        )
