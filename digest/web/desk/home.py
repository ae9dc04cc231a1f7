"""The desk's front page, and the list of all editions."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from digest.models import EditionState
from digest.tasks.alerts.alerts import list_shown
from digest.tasks.desk.agenda import EditionFilter, count_subscribed, list_agenda, list_entries
from digest.tasks.inbound.letters import count_new
from digest.tasks.ledger.audit import account_of
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages

EDITIONS = f"{HOME}/editions"
Text = Annotated[str, Query(max_length=200)]

_STATES = {
    EditionState.HELD: "Held",
    EditionState.FROZEN: "Sending",
    EditionState.PAUSED: "Paused",
    EditionState.FINISHED: "Finished",
    EditionState.SKIPPED: "Skipped",
}


class HomePages:
    """The front page and the list of editions."""

    def __init__(self, front: DeskPages, more: Callable[[], Mapping[str, Any]]) -> None:
        self._front, self._more = front, more

    def home(self, request: Request) -> Response:
        """Show what needs attention, the next edition of each digest and cadence, and the last editions."""
        settings, now = self._front.desk.settings, self._front.now()
        refused = self._front.find_refused()
        with self._front.desk.database.read() as session:
            agenda = sorted(list_agenda(session, settings, now), key=lambda one: one.coming.deadline_at)
            alerts = list_shown(session, settings, now, refused)
            waiting = [
                entry
                for state in (EditionState.HELD, EditionState.PAUSED)
                for entry in list_entries(session, settings, EditionFilter(state=state))[0]
                if entry.name.path not in {one["path"] for one in alerts}
            ]
            readers = {str(one.coming.name): count_subscribed(session, one.coming.name) for one in agenda}
            sums = {}
            for one in agenda:
                if one.last and one.last.edition:
                    states = self._front.desk.running.count_states(session, one.last.edition, now)
                    sums[str(one.last.name)] = (
                        account_of(one.last.edition, states) if states is not None else None
                    )
        return self._front.show(
            request,
            "home",
            title="The desk",
            agenda=agenda,
            sums=sums,
            alerts=alerts,
            waiting=waiting,
            readers=readers,
            letters=count_new(self._front.desk.database),
            **self._more(),
        )

    def editions(
        self, request: Request, q: Text = "", digest: Text = "", state: Text = "", before: Text = ""
    ) -> Response:
        """List the editions that were made or are on hold, the latest first."""
        start = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
        wanted = EditionFilter(digest, state, q, start)
        settings = self._front.desk.settings
        with self._front.desk.database.read() as session:
            entries, older = list_entries(session, settings, wanted)
            coming = [one.coming for one in list_agenda(session, settings, self._front.now())]
        asked = {"q": q, "digest": digest, "state": state}
        query = {name: value for name, value in asked.items() if value}
        return self._front.show(
            request,
            "editions",
            title="Editions",
            entries=entries,
            coming=sorted(coming, key=lambda one: one.deadline_at) if not query and start is None else [],
            asked=asked,
            digests=settings.digests,
            states=_STATES,
            newest=f"{EDITIONS}?{urlencode(query)}" if start is not None else "",
            older=f"{EDITIONS}?{urlencode(query | {'before': str(older)})}" if older else "",
        )
