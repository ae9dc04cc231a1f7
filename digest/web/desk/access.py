"""Who may do what at the desk: sessions, roles, and forms that are our own."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from digest.models import Role
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.sessions import (
    LONGEST,
    SignedIn,
    find_visit,
    form_token,
    is_own_form,
    was_own_form,
    write_cookie,
)
from digest.tasks.desk.sign_in_limits import BROWSER_LIFE
from digest.web.shared.kept_form import KeptForm

HOME = "/desk"
_MOST_FIELDS = 100


class SignInNeeded(Exception):  # noqa: N818 - named for what is needed
    """Ask for a sign-in first, then go on; a `form` that was sent is kept meanwhile."""

    def __init__(self, form: FormData | None = None) -> None:
        super().__init__("a sign-in is needed")
        self.form = form


class FormOutlived(Exception):  # noqa: N818 - named for what happened
    """Ask to send a form once more: it was made for an earlier session."""

    def __init__(self, kept: KeptForm) -> None:
        super().__init__("the form is of an earlier session")
        self.kept = kept


async def read_form(request: Request) -> FormData:
    """Read a posted form; a file in it is refused."""
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


Form = Annotated[FormData, Depends(read_form)]


class Access:
    """Lets requests to the desk through, or not.

    A page needs a session. Whatever changes something needs more: it comes from our own pages, brings the
    form token of its session, and its editor's role allows it.
    """

    def __init__(self, desk: Desk, now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._now = now
        base = urlsplit(desk.settings.site.base_url)
        self._origin = f"{base.scheme}://{base.netloc}"
        self._secure = base.scheme == "https"
        prefix = "__Host-" if self._secure else ""
        self._session, self._visitor = f"{prefix}desk", f"{prefix}visitor"
        self._browser = f"{prefix}browser"

    def look(self, request: Request) -> None:
        """Let an editor look."""
        request.state.visit = self._visit(request)

    def publisher_look(self, request: Request) -> None:
        """Let a publisher look: at what is about the publication as a whole."""
        self.look(request)
        _need(request.state.visit, Role.PUBLISHER)

    def operator_look(self, request: Request) -> None:
        """Let an operator look: at what names readers."""
        self.look(request)
        _need(request.state.visit, Role.OPERATOR)

    def editor(self, request: Request, form: Form) -> None:
        """Let an editor change something."""
        self.same_origin(request)
        visit = self._visit(request, form)
        request.state.visit, request.state.form = visit, form
        token = _token_of(form)
        is_own = is_own_form(self._desk, visit.token, token)
        if not is_own and was_own_form(self._desk, token):
            kept = KeptForm.of(request.url.path, form.multi_items())
            if kept.is_typed:
                raise FormOutlived(kept)
        self._check_form(visit.token, form)

    def publisher(self, request: Request, form: Form) -> None:
        """Let a publisher change something."""
        self.editor(request, form)
        _need(request.state.visit, Role.PUBLISHER)

    def operator(self, request: Request, form: Form) -> None:
        """Let an operator change something."""
        self.editor(request, form)
        _need(request.state.visit, Role.OPERATOR)

    def operator_upload(self, request: Request) -> None:
        """Let an operator send a file, whose form token comes with it: the page reads and checks both."""
        self.same_origin(request)
        self.operator_look(request)

    def editor_upload(self, request: Request) -> None:
        """Let an editor send a file, whose form token comes with it: the page reads and checks both."""
        self.same_origin(request)
        self.look(request)

    def check_upload(self, request: Request, token: str) -> None:
        """Refuse a file that does not come with the form token of its session."""
        self._check_token(request.state.visit.token, token)

    def visitor(self, request: Request, form: Form) -> None:
        """Let somebody post who is not signed in, by a form that was made for their browser."""
        self.same_origin(request)
        self._check_form(request.cookies.get(self._visitor, ""), form)
        request.state.form = form

    def same_origin(self, request: Request) -> None:
        """Refuse what another site's page sends (Fetch Metadata; RFC 6454 7 where a browser has none)."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        known = (self._origin, f"{request.url.scheme}://{request.headers.get('host', '')}")
        if site == "same-origin" or (site is None and (origin is None or origin in known)):
            return
        raise HTTPException(403, "This request came from another site, and nothing was changed.")

    def _visit(self, request: Request, form: FormData | None = None) -> SignedIn:
        visit = find_visit(self._desk, request.cookies.get(self._session, ""), self._now())
        if visit is None:
            raise SignInNeeded(form)
        return visit

    def _check_form(self, token: str, form: FormData) -> None:
        self._check_token(token, _token_of(form))

    def _check_token(self, token: str, brought: str) -> None:
        if not token or not is_own_form(self._desk, token, brought):
            raise HTTPException(403, "This page has expired. Reload it and try again.")

    def find(self, request: Request) -> SignedIn | None:
        """Find who is signed in."""
        return find_visit(self._desk, request.cookies.get(self._session, ""), self._now())

    def visitor_form(self, request: Request) -> tuple[str, str]:
        """Return a visitor's token, a fresh one where the browser brings none, and their form token."""
        token = request.cookies.get(self._visitor, "") or secrets.token_urlsafe(24)
        return token, form_token(self._desk, token)

    def keep_visitor(self, answer: Response, token: str) -> None:
        """Let the browser keep a visitor's token."""
        self._set(answer, self._visitor, token, seconds=None)

    def keep_session(self, answer: Response, token: str) -> None:
        """Let the browser keep a session, as shown now."""
        cookie = write_cookie(self._desk, token, self._now())
        self._set(answer, self._session, cookie, seconds=int(LONGEST.total_seconds()))

    def find_browser(self, request: Request) -> str:
        """Return the cookie of a browser in which an editor signed in before, or ""."""
        return request.cookies.get(self._browser, "")

    def keep_browser(self, answer: Response, cookie: str) -> None:
        """Let the browser keep that an editor signed in with it."""
        self._set(answer, self._browser, cookie, seconds=int(BROWSER_LIFE.total_seconds()))

    def end_session(self, answer: Response) -> None:
        """Let the browser forget a session."""
        answer.delete_cookie(self._session, path="/", secure=self._secure, httponly=True, samesite="lax")

    def _set(self, answer: Response, name: str, value: str, seconds: int | None) -> None:
        answer.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="lax"
        )


def _token_of(form: FormData) -> str:
    return str(form.get("form", ""))


def _need(visit: SignedIn, needed: Role) -> None:
    role = Role(visit.editor.role)
    if not role.includes(needed):
        raise HTTPException(403, f"Only {_a(needed)} can do this; you are signed in as {_a(role)}.")


def _a(role: Role) -> str:
    return f"{'a' if role == Role.PUBLISHER else 'an'} {role}"


def to_sign_in(request: Request) -> Response:
    """Send somebody to the sign-in; after it the page is shown that they looked at, or posted from."""
    rest = f"?{request.url.query}" if request.url.query else ""
    looked = request.url.path + rest if request.method in ("GET", "HEAD") else page_of(request)
    goes_on = f"?next={quote(looked)}" if safe_next(looked) != HOME else ""
    return RedirectResponse(f"{HOME}/login{goes_on}", 303)


def page_of(request: Request) -> str:
    """Return the page of ours that a form was sent from, as the browser says; the desk if it does not."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host", ""):
        return HOME
    return safe_next(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def safe_next(path: str) -> str:
    """Return a page of the desk to go on to; anything else becomes the desk itself.

    What is only a part of a page, such as the list that a search inserts, becomes its page.
    """
    plain = path.isascii() and path.isprintable() and "\\" not in path and "//" not in path
    inside = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    if not plain or not inside or path.startswith((f"{HOME}/login", f"{HOME}/logout")):
        return HOME
    bare, _, query = path.partition("?")
    if bare.endswith("/find"):
        return bare.removesuffix("/find")
    if bare.endswith("/preview/frame"):
        return bare.removesuffix("/frame") + (f"?{query}" if query else "")
    return path
