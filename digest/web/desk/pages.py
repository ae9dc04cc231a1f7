"""What the desk's pages share: how they are shown, and where they go on to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from digest.models import EditionName, Role
from digest.tasks.desk.agenda import AgendaEntry, find_entry
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.drafts import Edit
from digest.tasks.desk.sessions import SignedIn, form_token
from digest.web.desk.access import Access
from digest.web.desk.sections import section_links
from digest.web.shared.pages import Pages

SAID = {
    "changed": "Done.",
    "saved": "Saved.",
    "proof": "The proof is on its way to your mailbox.",
    "approved": "Approved. The next change makes that void.",
    "held": "On hold. It does not go until somebody lets it.",
    "let-go": "The hold has ended.",
    "paused": "Paused. What is on the wire comes to its reply; nothing else leaves.",
    "resumed": "It goes on with the next run.",
    "answered": "Your answer is mailed by the next run.",
    "asked": "Its writer is asked by the next run; a yes puts it in the next edition.",
    "done": "Marked as done.",
    "others": "Your other sessions have ended.",
}


@dataclass(frozen=True, slots=True)
class DeskPages:
    """Shows pages to whoever is signed in."""

    desk: Desk
    pages: Pages
    gate: Access
    now: Callable[[], datetime]

    def show(self, request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """Show a page of the desk; that keeps the session fresh."""
        visit = self.visit(request)
        page = self.pages.render(
            f"desk/{name}",
            status,
            visit=visit,
            form_token=form_token(self.desk, visit.token),
            is_publisher=visit.editor.role == Role.PUBLISHER,
            said=SAID.get(request.query_params.get("said", ""), ""),
            now=self.now(),
            sections=section_links(request.app, request.url.path),
            **values,
        )
        self.gate.keep_session(page, visit.token)
        return page

    def go(self, path: str, said: str = "", place: str = "") -> Response:
        """Go on to a page after a change, and say there what was done (RFC 9110 15.4.4)."""
        said = f"?said={said}" if said else ""
        return RedirectResponse(f"{path}{said}{f'#{place}' if place else ''}", 303)

    def visit(self, request: Request) -> SignedIn:
        """Return who is signed in."""
        visit: SignedIn = request.state.visit
        return visit

    def get(self, request: Request, name: str) -> str:
        """Return a field of the posted form."""
        return str(request.state.form.get(name, ""))

    def hand(self, request: Request, name: EditionName) -> Edit:
        """Return whose hand changes what, and what they saw of it."""
        seen = self.get(request, "version")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        return Edit(self.visit(request).editor.address, name, version, self.now())

    def entry(self, name: EditionName) -> AgendaEntry:
        """Return an edition; a page that is missing where there is none."""
        with self.desk.database.read() as session:
            found = find_entry(session, self.desk.settings, name, self.now())
        if found is None:
            raise HTTPException(404)
        return found


def sentence(error: Exception) -> str:
    """Return what went wrong as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
