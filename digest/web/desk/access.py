"""Who may do what at the desk: sessions, roles and anti-forgery tokens."""

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
    """Show the sign-in first, then the page that was asked for; a posted `form` is kept meanwhile."""

    def __init__(self, form: FormData | None = None) -> None:
        super().__init__("a sign-in is needed")
        self.form = form


class FormOutlived(Exception):  # noqa: N818 - named for what happened
    """Ask to send a form again: it was made for an earlier session."""

    def __init__(self, kept: KeptForm) -> None:
        super().__init__("the form is of an earlier session")
        self.kept = kept


async def read_form(request: Request) -> FormData:
    """Read a posted form; refuse files in it."""
    return await request.form(max_files=0, max_fields=_MOST_FIELDS)


Form = Annotated[FormData, Depends(read_form)]


class Access:
    """Admits requests to the desk or refuses them.

    A page needs a session. A change also needs a request from our own pages, the form token of the session,
    and an editor whose role allows it.
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
        """Allow every editor to see a page."""
        request.state.visit = self._visit(request)

    def publisher_look(self, request: Request) -> None:
        """Allow publishers to see a page about the publication as a whole."""
        self.look(request)
        _need(request.state.visit, Role.PUBLISHER)

    def operator_look(self, request: Request) -> None:
        """Allow operators to see a page that names readers."""
        self.look(request)
        _need(request.state.visit, Role.OPERATOR)

    def editor(self, request: Request, form: Form) -> None:
        """Allow every editor a change."""
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
        """Allow publishers a change."""
        self.editor(request, form)
        _need(request.state.visit, Role.PUBLISHER)

    def operator(self, request: Request, form: Form) -> None:
        """Allow operators a change."""
        self.editor(request, form)
        _need(request.state.visit, Role.OPERATOR)

    def operator_upload(self, request: Request) -> None:
        """Allow operators to upload a file; the page reads it and checks the form token sent with it."""
        self.same_origin(request)
        self.operator_look(request)

    def editor_upload(self, request: Request) -> None:
        """Allow every editor to upload a file; the page reads it and checks the form token sent with it."""
        self.same_origin(request)
        self.look(request)

    def check_upload(self, request: Request, token: str) -> None:
        """Refuse an upload without the form token of its session."""
        self._check_token(request.state.visit.token, token)

    def visitor(self, request: Request, form: Form) -> None:
        """Allow a form from somebody who is not signed in, if it was made for their browser."""
        self.same_origin(request)
        self._check_form(request.cookies.get(self._visitor, ""), form)
        request.state.form = form

    def same_origin(self, request: Request) -> None:
        """Refuse requests from other sites' pages (Fetch Metadata; the Origin header, RFC 6454 7, in browsers
        without it)."""
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
        """Return who is signed in."""
        return find_visit(self._desk, request.cookies.get(self._session, ""), self._now())

    def visitor_form(self, request: Request) -> tuple[str, str]:
        """Return a visitor's token, a new one if the browser sends none, and the form token for it."""
        token = request.cookies.get(self._visitor, "") or secrets.token_urlsafe(24)
        return token, form_token(self._desk, token)

    def keep_visitor(self, answer: Response, token: str) -> None:
        """Set the cookie with a visitor's token."""
        self._set(answer, self._visitor, token, seconds=None)

    def keep_session(self, answer: Response, token: str) -> None:
        """Set the session's cookie, with the time of this page."""
        cookie = write_cookie(self._desk, token, self._now())
        self._set(answer, self._session, cookie, seconds=int(LONGEST.total_seconds()))

    def find_browser(self, request: Request) -> str:
        """Return the cookie of a browser in which an editor signed in before; "" if there is none."""
        return request.cookies.get(self._browser, "")

    def keep_browser(self, answer: Response, cookie: str) -> None:
        """Set the cookie that says that an editor signed in with this browser."""
        self._set(answer, self._browser, cookie, seconds=int(BROWSER_LIFE.total_seconds()))

    def end_session(self, answer: Response) -> None:
        """Delete the session's cookie."""
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
    """Redirect to the sign-in, which leads back to the page asked for, or to the page of the posted form."""
    rest = f"?{request.url.query}" if request.url.query else ""
    looked = request.url.path + rest if request.method in ("GET", "HEAD") else page_of(request)
    goes_on = f"?next={quote(looked)}" if safe_next(looked) != HOME else ""
    return RedirectResponse(f"{HOME}/login{goes_on}", 303)


def page_of(request: Request) -> str:
    """Return which of our pages a form was posted from, by its Referer; the desk if it is not ours."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host", ""):
        return HOME
    return safe_next(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def safe_next(path: str) -> str:
    """Return the path to continue at after the sign-in; the desk's own for any path outside it.

    The path of a part of a page, such as the results that a search inserts, becomes its page's.
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
