"""Readers' letters at the desk: read, answer, mark as done, print in the next edition."""

from collections.abc import Callable
from datetime import timedelta

from fastapi import Request
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import LetterState
from digest.models.row import row_id
from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.inbound import letters
from digest.tasks.inbound.bounce_counts import list_warnings
from digest.tasks.inbound.letters import LetterChanged, ShownLetter, version_of_letter
from digest.tasks.inbound.printed_letters import ask_to_print
from digest.web.desk.access import HOME
from digest.web.desk.edition import Panel
from digest.web.desk.pages import DeskPages, sentence

LETTERS = f"{HOME}/letters"
_WARNED_FOR = timedelta(days=30)
_MOST = 200


class LetterPages:
    """The letters that wait for an answer, and a page for each."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def list(self, request: Request) -> Response:
        """Show the letters, the latest first: all, or those that wait for an answer."""
        everything = request.query_params.get("show") == "all"
        database = self._front.desk.database
        return self._front.show(
            request,
            "letters",
            title="Letters",
            letters=letters.list_shown(
                database, states=() if everything else (LetterState.NEW,), limit=_MOST
            ),
            everything=everything,
            waiting=letters.count_new(database),
            warnings=list_warnings(database, self._front.now() - _WARNED_FOR),
        )

    def letter(self, request: Request, letter: str) -> Response:
        """Show one letter with the edition that it replies to."""
        return self._show(request, self._find(letter))

    def answer(self, request: Request, letter: str) -> Response:
        """Answer a letter by mail."""
        text = self._front.get(request, "text")
        return self._act(
            request,
            letter,
            lambda number, who: letters.answer_letter(
                self._front.desk.database, number, text, who, self._front.now(), seen=self._seen(request)
            ),
            said="answered",
            answer=text,
        )

    def done(self, request: Request, letter: str) -> Response:
        """Mark a letter as done."""
        return self._act(
            request,
            letter,
            lambda number, who: letters.mark_done(
                self._front.desk.database, number, who, self._front.now(), seen=self._seen(request)
            ),
            said="done",
        )

    def print(self, request: Request, letter: str) -> Response:
        """Ask the writer whether the letter may be printed in an edition."""
        text = self._front.get(request, "text")
        digest, _, cadence = self._front.get(request, "edition").partition("/")
        desk = self._front.desk
        return self._act(
            request,
            letter,
            lambda number, who: ask_to_print(
                desk.database,
                desk.settings,
                number,
                (digest, cadence),
                text,
                who,
                self._front.now(),
                seen=self._seen(request),
            ),
            said="asked",
            printed=text,
        )

    def _act(
        self,
        request: Request,
        letter: str,
        act: Callable[[int, str], None],
        *,
        said: str,
        answer: str = "",
        printed: str = "",
    ) -> Response:
        """Do it and return to the letter, or show the error with what was typed."""
        found = self._find(letter)
        try:
            act(row_id(found.letter), self._front.who(request))
        except InputError as error:
            status = 409 if isinstance(error, LetterChanged) else 400
            typed = {"answer": answer, "printed": printed}
            return self._show(request, self._find(letter), status=status, error=sentence(error), **typed)
        return self._front.go(f"{LETTERS}/{found.letter.id}", said)

    def _seen(self, request: Request) -> str:
        return self._front.get(request, "version")

    def _find(self, letter: str) -> ShownLetter:
        if not (letter.isascii() and letter.isdigit() and len(letter) < 10):
            raise HTTPException(404)
        try:
            return letters.find_letter(self._front.desk.database, int(letter))
        except InputError:
            raise HTTPException(404) from None

    def _show(
        self,
        request: Request,
        found: ShownLetter,
        *,
        status: int = 200,
        error: str = "",
        answer: str = "",
        printed: str = "",
    ) -> Response:
        settings = self._front.desk.settings
        row = found.letter
        own = f"{found.edition.digest}/{found.edition.cadence}" if found.edition else ""
        return self._front.show(
            request,
            "letter",
            status,
            title=row.subject or "A letter",
            found=found,
            letter=row,
            version=version_of_letter(row),
            error=error,
            answer=answer,
            printed=printed or row.print_text or row.text,
            chosen=row.print_in or own,
            has_inbox=bool(settings.inbound.address),
            editions=[
                (f"{digest.name}/{cadence}", f"{digest.title}, {cadence}")
                for digest in settings.digests
                for cadence in digest.cadences
                if not digest.cadence(cadence).is_at_once
            ],
        )


def letters_panel(front: DeskPages) -> Callable[[Session, AgendaEntry], Panel | None]:
    """Return the part of an edition's page with the letters that reply to it and a warning of complaints."""

    def panel(_session: Session, entry: AgendaEntry) -> Panel | None:
        if entry.edition is None:
            return None
        database = front.desk.database
        found = letters.list_shown(database, edition=entry.edition.id, limit=_MOST)
        warned = [
            one
            for one in list_warnings(database, entry.edition.freeze_at)
            if one["edition"] == str(entry.name)
        ]
        if not found and not warned:
            return None
        return Panel("desk/letters_panel.html.j2", {"letters": found, "warnings": warned})

    return panel
