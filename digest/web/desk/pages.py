"""What the desk's pages share: rendering, redirects, the fields of its forms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from digest.errors import SettingsError
from digest.models import EditionName, Role
from digest.rules.alerts import Condition, restored
from digest.rules.editions.approval import status_label, status_sentence
from digest.tasks.desk.agenda import AgendaEntry, find_entry
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import DraftWords, Edit
from digest.tasks.desk.sessions import SignedIn, form_token
from digest.web.desk.access import Access
from digest.web.desk.navigation import section_links
from digest.web.shared.pages import Pages

SAID = {
    "changed": "Done.",
    "changed-words": "Done. What you had typed was saved with it.",
    "saved": "Saved.",
    "noted": "Your note is in the activity.",
    "proof": "The proof is on its way to your mailbox.",
    "proof-words": "What you had typed was saved, and the proof is on its way to your mailbox.",
    "preview-words": "What you had typed was saved.",
    "approved": "Approved. Any edit cancels the approval.",
    "approved-words": "Saved and approved as it stands on this page. Any edit cancels the approval.",
    "held": "On hold. It is not sent until somebody releases it.",
    "held-words": "Saved and put on hold. It is not sent until somebody releases it.",
    "let-go": "Released.",
    "let-go-words": "Saved and released.",
    "undone": "Undone.",
    "paused": "Paused. Messages already on their way are finished; no others are sent.",
    "resumed": "Delivery resumes with the next run.",
    "retried": "Failed readers are tried again with the next run.",
    "due": "Published. The next run sends it.",
    "withdrawn": "The article is withdrawn.",
    "corrected": "The correction is sent with the next run to everyone who has the article.",
    "corrected-before": "The same correction was sent before; nothing was sent again.",
    "answered": "Your answer is mailed by the next run.",
    "asked": "Its writer is asked by the next run; a yes puts it in the next edition.",
    "done": "Marked as done.",
    "broken": "The article is on its way to the readers who chose breaking news.",
    "broken-before": "It was sent as breaking news before. Nobody gets it again.",
    "feed-made": "The feed was made before, and its address was shown then. It still works.",
    "revoked": "The feed is revoked. Its address has stopped working.",
    "reader-paused": "Paused.",
    "reader-resumed": "Resumed.",
    "reader-left": "The subscription has ended.",
    "reader-moved": "Moved. The old address is notified by mail.",
    "article-hide": "Hidden. Future editions leave it out.",
    "article-show": "It may be in editions again.",
    "article-pin": "Pinned. It leads the editions that it is in.",
    "article-unpin": "Unpinned.",
    "split": "They are separate stories from now on.",
    "added": "The article is stored.",
    "source-added": "Added. The next run fetches it, within a minute if digest run is running.",
    "source-removed": "Removed. It will no longer be fetched; its articles and its history stay.",
    "source-paused": "Paused. It is not fetched until somebody resumes it; its articles stay.",
    "source-resumed": "Resumed. The next run fetches it.",
    "fetched-soon": "The next run fetches it, within a minute if digest run is running.",
    "link-sent": "The link to their page is mailed by the next run.",
    "suppressed": "Suppressed. Nothing is mailed to this address any more.",
    "erased": "The reader is erased.",
    "picture": "The picture is shown in this edition.",
    "segment-saved": "The segment is saved.",
    "segment-removed": "The segment is removed. Its readers stay as they are.",
    "list-removed": "The file and its report are removed.",
    "token-revoked": "Revoked. It stopped working at once.",
    "receiver-stopped": "Stopped. What waits for it is kept.",
    "receiver-started": "Started again, beginning with what waited.",
    "receiver-removed": "Removed.",
    "replayed": "It is sent again within a minute.",
    "others": "Your other sessions have ended.",
}


@dataclass(frozen=True, slots=True)
class DeskPages:
    """Renders pages for whoever is signed in."""

    desk: Desk
    pages: Pages
    gate: Access
    now: Callable[[], datetime]

    def show(self, request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page of the desk and extend the session."""
        visit = self.visit(request)
        role = Role(visit.editor.role)
        page = self.pages.render(
            f"desk/{name}",
            status,
            visit=visit,
            form_token=form_token(self.desk, visit.token),
            is_publisher=role.includes(Role.PUBLISHER),
            is_operator=role.includes(Role.OPERATOR),
            said=SAID.get(request.query_params.get("said", ""), ""),
            now=self.now(),
            status_of=self.status_of,
            label_of=label_of,
            sections=section_links(request.app, request.url.path, role),
            **values,
        )
        self.gate.keep_session(page, visit.token)
        return page

    def go(self, path: str, said: str = "", place: str = "", **carried: str) -> Response:
        """Redirect to a page after a change and show there what was done (RFC 9110 15.4.4)."""
        query = urlencode({name: value for name, value in {"said": said, **carried}.items() if value})
        query = f"?{query}" if query else ""
        return RedirectResponse(f"{path}{query}{f'#{place}' if place else ''}", 303)

    def status_of(self, entry: AgendaEntry) -> str:
        """Return the status of an edition in one sentence."""
        return status_sentence(
            entry.digest.approval, entry.draft, entry.edition, entry.deadline_at, self.pages.name_moment,
            self.now(),
        )  # fmt: skip

    def visit(self, request: Request) -> SignedIn:
        """Return who is signed in."""
        visit: SignedIn = request.state.visit
        return visit

    def get(self, request: Request, name: str) -> str:
        """Return a field of the posted form."""
        return str(request.state.form.get(name, ""))

    def edit(self, request: Request, name: EditionName) -> Edit:
        """Return the change that a form asks for: the editor, the version that they saw, the words typed."""
        seen = self.get(request, "version")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        return Edit(self.who(request), name, version, self.now(), self.words(request))

    def words(self, request: Request) -> DraftWords | None:
        """Return the words in a form; None if it has no such fields."""
        if "subject" not in request.state.form:
            return None
        fields = (self.get(request, name) for name in ("subject", "introduction", "sponsor"))
        return DraftWords(*fields)

    def entry(self, name: EditionName) -> AgendaEntry:
        """Return an edition; 404 if there is none."""
        with self.desk.database.read() as session:
            found = find_entry(session, self.desk.settings, name, self.now())
        if found is None:
            raise HTTPException(404)
        return found

    def open_entry(self, name: EditionName) -> AgendaEntry:
        """Return an edition that can still be changed; 404 if it has been made."""
        entry = self.entry(name)
        if not entry.is_open:
            raise HTTPException(404)
        return entry

    def find_refused(self) -> list[Condition]:
        """Return that nothing may be sent from this database, if it was restored from a backup."""
        try:
            return [restored()] if self.desk.find_refusal() else []
        except SettingsError as error:
            return [restored(str(error))]

    def who(self, request: Request) -> str:
        """Return the address of the editor who is signed in."""
        return self.visit(request).editor.address


def label_of(entry: AgendaEntry) -> str:
    """Return the status of an edition in a word or two."""
    return status_label(entry.digest.approval, entry.draft, entry.edition)


def read_row_id(written: str) -> int | None:
    """Return a row's id from a query; None if it is not one."""
    return int(written) if written.isascii() and written.isdigit() and len(written) < 12 else None


def sentence(error: Exception) -> str:
    """Return an error's message as a sentence; one that begins with an address keeps it as it is."""
    text = str(error)
    if text.startswith(("http://", "https://")):
        return f"{text}."
    return f"{text[:1].upper()}{text[1:]}."
