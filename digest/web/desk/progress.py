"""The page of an edition that has been made: how delivery goes, and what can still be done."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from digest.errors import InputError, Unreachable
from digest.models import DeliveryState, EditionName, EditionState
from digest.tasks.desk.agenda import AgendaEntry, describe_progress, list_activity
from digest.tasks.desk.article_acts import list_contents, list_corrections
from digest.tasks.desk.delivery_controls import pause_edition, resume_edition, retry_edition
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.desk.receiver_counts import count_receivers
from digest.tasks.ledger.audit import account_of, slowed_by
from digest.web.desk.pages import DeskPages, sentence


class ProgressPages:
    """The pages of editions that have been made."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def pause(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Pause delivery."""
        return self._act(request, EditionName(digest, cadence, period), pause_edition, "paused")

    def resume(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Resume delivery."""
        return self._act(request, EditionName(digest, cadence, period), resume_edition, "resumed")

    def retry(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Retry the failed deliveries of an edition."""
        return self._act(request, EditionName(digest, cadence, period), retry_edition, "retried")

    def _act(
        self, request: Request, name: EditionName, change: Callable[[Desk, Edit], object], said: str
    ) -> Response:
        entry = self._front.entry(name)
        try:
            change(self._front.desk, self._front.edit(request, name))
        except (InputError, Unreachable) as error:
            return self.show(request, entry, 400, sentence(error))
        if entry.edition is not None:
            self._front.desk.running.forget(entry.edition)
        return self._front.go(name.path, said)

    def show(
        self,
        request: Request,
        entry: AgendaEntry,
        status: int = 200,
        error: str = "",
        panels: Sequence[object] = (),
    ) -> Response:
        """Show an edition that has been made."""
        with self._front.desk.database.read() as session:
            values = self._values(session, entry)
        return self._front.show(
            request,
            "progress",
            status,
            title=f"{entry.digest.title}, {entry.name.cadence}",
            entry=entry,
            panels=panels,
            error=error,
            **values,
        )

    def _values(self, session: Session, entry: AgendaEntry) -> dict[str, Any]:
        if entry.edition is None:
            raise InputError("the edition is not made yet")
        contents = list_contents(session, entry.edition)
        running, now = self._front.desk.running, self._front.now()
        progress = describe_progress(session, entry.edition, running, now)
        total = account_of(entry.edition, progress.states if progress else {})
        return {
            "contents": contents,
            "corrections": list_corrections(session, entry, contents),
            "receivers": count_receivers(session, entry.edition),
            "acts": list_activity(session, entry.name),
            "sum": total,
            "closed": total.total - total.open,
            "progress": progress,
            "deferred": progress.states.get(DeliveryState.DEFERRED, 0) if progress else 0,
            "slowed": slowed_by(session, self._front.desk.settings, self._front.now()),
            "runs": entry.edition.state in (EditionState.COMPILING, EditionState.FROZEN),
        }
