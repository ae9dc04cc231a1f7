"""The preflight of an edition, run on demand, with the reasons of each check."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import EditionName
from digest.models.status import Status
from digest.rules.editions.preflight_checks import is_clear
from digest.tasks.desk.proofs import look, moment_of
from digest.tasks.editions.preflight import look_before
from digest.tasks.editions.preview import Viewer
from digest.web.desk.edition import EditionPages
from digest.web.desk.pages import DeskPages, sentence

_NOT_FOUND = 404


class PreflightPages:
    """The preflight of an edition that is not made yet; it sends requests to other machines, so it takes a
    POST."""

    def __init__(self, front: DeskPages, edition: EditionPages) -> None:
        self._front = front
        self._edition = edition

    def check(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Run all checks on the edition of a reader of every topic, and show the findings."""
        entry = self._front.entry(EditionName(digest, cadence, period))
        if not entry.is_open:
            raise HTTPException(_NOT_FOUND)
        saved = self._edition.save_first(request, entry.name)
        if isinstance(saved, Response):
            return saved
        desk, entry = self._front.desk, self._front.entry(entry.name)
        try:
            shown = look(desk, entry, Viewer(), moment_of(entry, self._front.now()))
        except InputError as error:
            return self._front.show(
                request, "trouble", 400, title="Nothing to check yet", entry=entry, error=sentence(error)
            )
        checked = look_before(desk.database, desk.settings, desk.composer, shown, asks=True).checked
        groups = [
            (title, [one for one in checked if one.outcome is outcome])
            for title, outcome in (("Problems", Status.FAIL), ("Warnings", Status.WARN))
        ]
        return self._front.show(
            request,
            "preflight",
            title="Checks",
            was_saved=saved,
            entry=entry,
            groups=groups,
            passed=[one.check for one in checked if one.outcome is Status.OK],
            clear=is_clear(checked),
        )
