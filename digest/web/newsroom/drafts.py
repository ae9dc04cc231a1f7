"""The next editions of several digests side by side; articles in more than one of them are marked."""

from collections import Counter
from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from digest.models.row import row_id
from digest.tasks.desk.agenda import AgendaEntry, list_agenda
from digest.tasks.desk.lineup import Lineup, line_up
from digest.tasks.desk.proofs import moment_of
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages

DRAFTS = f"{HOME}/drafts"
_MOST = 4
_FIRST = 3


@dataclass(frozen=True, slots=True)
class DraftColumn:
    """One edition of the page, with its line-up."""

    entry: AgendaEntry
    lineup: Lineup


class DraftPages:
    """Drafts side by side, for every editor."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, request: Request) -> Response:
        """Show the drafts asked for, or else those with the earliest deadlines."""
        settings, now = self._front.desk.settings, self._front.now()
        asked = request.query_params.getlist("edition")[:_MOST]
        with self._front.desk.database.read() as session:
            agenda = sorted(
                (one.held or one.coming for one in list_agenda(session, settings, now)),
                key=lambda entry: entry.deadline_at,
            )
            wanted = [entry for entry in agenda if _key(entry) in asked] or agenda[:_FIRST]
            columns = [
                DraftColumn(entry, line_up(session, entry.digest, entry.draft, moment_of(entry, now)))
                for entry in wanted
            ]
        counted = Counter(number for column in columns for number in _shown(column))
        return self._front.show(
            request,
            "drafts",
            title="Drafts side by side",
            agenda=[(_key(entry), entry) for entry in agenda],
            chosen={_key(entry) for entry in wanted},
            columns=columns,
            most=_MOST,
            shared={
                number: [column.entry for column in columns if number in _shown(column)]
                for number, count in counted.items()
                if count > 1
            },
        )


def _key(entry: AgendaEntry) -> str:
    return f"{entry.name.digest}/{entry.name.cadence}"


def _shown(column: DraftColumn) -> set[int]:
    return {row_id(line.article) for section in column.lineup.sections for line in section.lines}
