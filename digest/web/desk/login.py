"""Sign in, sign out, and set a password by a link."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from digest.errors import Busy, InputError
from digest.tasks.desk.editors import find_invited, set_password
from digest.tasks.desk.passwords import SHORTEST
from digest.tasks.desk.sessions import end_others, find_key, find_visit, sign_in, sign_out, write_cookie
from digest.tasks.desk.sign_in_limits import count_attempt, note_network, write_browser
from digest.web.desk.access import HOME, page_of, safe_next, to_sign_in
from digest.web.desk.pages import DeskPages
from digest.web.shared.kept_form import KeptForm, unpack
from digest.web.shared.threads import run_sign_in

_WRONG = "Wrong email or password."
_TOO_OFTEN = "Too many attempts. Please wait an hour, or ask your operator."
_ENDED = (
    "Your session has ended, and nothing was changed. Sign in: what you typed is kept and can then be sent."
)
_BUSY = "Too many people are signing in right now. Please try again in a few seconds."


class LoginPages:
    """The sign-in pages; attempts are limited for each address and network."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show_login(self, request: Request, next: str = "") -> Response:  # noqa: A002 - the query's own name
        """Show the sign-in; redirect those who are signed in to the desk."""
        if self._front.gate.find(request) is not None:
            return self._front.go(safe_next(next))
        return self._login(request, next)

    async def login(self, request: Request) -> Response:
        """Sign in; a form posted after the former session had ended is shown again, ready to be sent."""
        try:
            return await run_sign_in(lambda: self._sign_in(request))
        except Busy as busy:
            return _try_later(await run_in_threadpool(self._busy, request), busy)

    def _busy(self, request: Request) -> Response:
        address, next_ = self._front.get(request, "address")[:320], self._front.get(request, "next")
        return self._login(request, next_, _BUSY, 503, address, unpack(self._front.get(request, "kept")))

    def _sign_in(self, request: Request) -> Response:
        front, now = self._front, self._front.now()
        address, next_ = front.get(request, "address")[:320], front.get(request, "next")
        origin = request.client.host if request.client else "unknown"
        kept = unpack(front.get(request, "kept"))
        key, browser = find_key(address), front.gate.find_browser(request)
        if not count_attempt(front.desk, key, origin, now, browser=browser):
            return self._login(request, next_, _TOO_OFTEN, 429, address, kept)
        token = sign_in(front.desk, address, front.get(request, "password"), now)
        if token is None:
            return self._login(request, next_, _WRONG, 400, address, kept)
        note_network(front.desk, key, origin, now)
        visit = find_visit(front.desk, write_cookie(front.desk, token, now), now)
        if visit is not None and kept is not None and safe_next(kept.path) == kept.path:
            request.state.visit = visit
            page = self.send_again(request, kept, next_)
        else:
            page = front.go(safe_next(next_))
        front.gate.keep_session(page, token)
        front.gate.keep_browser(page, write_browser(front.desk, key, now))
        return page

    def _login(
        self,
        request: Request,
        next_: str,
        error: str = "",
        status: int = 200,
        address: str = "",
        kept: KeptForm | None = None,
    ) -> Response:
        token, form = self._front.gate.visitor_form(request)
        page = self._front.pages.render(
            "desk/login", status, title="Sign in", next=safe_next(next_), error=error, form_token=form,
            address=address, kept=kept.pack() if kept else "",
        )  # fmt: skip
        self._front.gate.keep_visitor(page, token)
        return page

    def keep_typed(self, request: Request, form: FormData | None) -> Response:
        """Show the sign-in and keep the posted form, to be sent after it."""
        kept = KeptForm.of(request.url.path, form.multi_items() if form else ())
        if not kept.is_typed:
            return to_sign_in(request)
        return self._login(request, page_of(request), _ENDED, 403, kept=kept)

    def send_again(self, request: Request, kept: KeptForm, page: str, status: int = 200) -> Response:
        """Show a form that was made for an earlier session, with a button that sends it."""
        return self._front.show(
            request, "again", status, title="Not saved yet", kept=kept, page=safe_next(page)
        )

    def logout(self, request: Request) -> Response:
        """Sign out."""
        sign_out(self._front.desk, self._front.visit(request))
        page = self._front.go(f"{HOME}/login")
        self._front.gate.end_session(page)
        return page

    def end_others(self, request: Request) -> Response:
        """End the editor's other sessions."""
        end_others(self._front.desk, self._front.visit(request))
        return self._front.go(HOME, "others")

    def show_password(self, request: Request, token: str) -> Response:
        """Show the form that sets a password."""
        return self._password(request, token)

    async def set_password(self, request: Request, token: str) -> Response:
        """Set a password by a link."""
        try:
            return await run_sign_in(lambda: self._set_password(request, token))
        except Busy as busy:
            return _try_later(await run_in_threadpool(self._password, request, token, _BUSY, 503), busy)

    def _set_password(self, request: Request, token: str) -> Response:
        password = self._front.get(request, "password")
        if password != self._front.get(request, "again"):
            return self._password(request, token, "The passwords do not match.", 400)
        try:
            editor = set_password(self._front.desk, token, password, self._front.now())
        except InputError as error:
            return self._password(request, token, f"{str(error).capitalize()}.", 400)
        if editor is None:
            return self._no_link()
        return self._front.pages.say(
            "Your password is set", "Sign in with it.", link=f"{HOME}/login", link_text="Sign in"
        )

    def _password(self, request: Request, token: str, error: str = "", status: int = 200) -> Response:
        editor = find_invited(self._front.desk, token, self._front.now())
        if editor is None:
            return self._no_link()
        visitor, form = self._front.gate.visitor_form(request)
        page = self._front.pages.render(
            "desk/password", status, title="Set your password", error=error, form_token=form,
            address=editor.address, shortest=SHORTEST,
        )  # fmt: skip
        self._front.gate.keep_visitor(page, visitor)
        return page

    def _no_link(self) -> Response:
        return self._front.pages.say(
            "This link is no longer valid",
            "A link sets a password once, within an hour. Your operator can mail you a new one.",
            status=410,
            link=f"{HOME}/login",
            link_text="Sign in",
        )


def _try_later(page: Response, busy: Busy) -> Response:
    page.headers["Retry-After"] = busy.retry_after or "5"
    return page
