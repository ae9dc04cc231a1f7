"""The desk's front page: what needs somebody, the next editions, and how the last ones went."""

from fastapi import Request
from starlette.responses import Response

from digest.tasks.alerts.alerts import list_shown
from digest.tasks.desk.agenda import list_agenda
from digest.tasks.ledger.audit import account
from digest.web.desk.pages import DeskPages


class HomePages:
    """The desk's front page."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def home(self, request: Request) -> Response:
        """Show what is next for each digest and cadence."""
        with self._front.desk.database.read() as session:
            agenda = list_agenda(session, self._front.desk.settings, self._front.now())
            alerts = list_shown(session, self._front.desk.settings, self._front.now())
            sums = {str(one.last.name): account(session, one.last.edition)
                    for one in agenda if one.last and one.last.edition}  # fmt: skip
        return self._front.show(request, "home", title="The desk", agenda=agenda, sums=sums, alerts=alerts)
