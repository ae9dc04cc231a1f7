"""The readers' pages: sign up, confirm, leave, preferences. Only a POST changes anything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse

from digest.errors import InputError
from digest.settings import DigestSettings
from digest.tasks.readers.preferences import Preferences, find_preferences, resume, set_pause, set_preferences
from digest.tasks.readers.readers import Readers, find_left_digest, leave
from digest.tasks.readers.sign_up import (
    Choices,
    ConfirmationResult,
    Confirmed,
    ask,
    confirm,
    look_up,
    word_consent,
)
from digest.web.shared.pages import Pages
from digest.web.shared.security import SignUpLimit

PAUSES = {"1": "1 week", "2": "2 weeks", "4": "4 weeks", "12": "12 weeks", "open": "Until I come back"}

Text = Annotated[str, Form(max_length=500)]
Topics = Annotated[list[str] | None, Form(max_length=200)]


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """What a reader typed into a sign-up, to be shown again beside what is wrong with it."""

    address: str = ""
    cadence: str = ""
    topics: tuple[str, ...] = ()
    agreed: bool = False
    error: str = ""


class ReaderPages:
    """The readers' endpoints; plain functions, so each runs in a thread and may wait for the database."""

    def __init__(
        self, readers: Readers, pages: Pages, limit: SignUpLimit, now: Callable[[], datetime]
    ) -> None:
        self._readers = readers
        self._settings = readers.settings
        self._pages = pages
        self._limit = limit
        self._now = now

    def router(self) -> APIRouter:
        """Give the routes; HEAD is answered like GET."""
        router = APIRouter()
        look = ["GET", "HEAD"]
        router.add_api_route("/", self.home, methods=look)
        router.add_api_route("/subscribe", self.subscribe, methods=["POST"])
        router.add_api_route("/confirm/{token}", self.show_confirm, methods=look)
        router.add_api_route("/confirm/{token}", self.confirm, methods=["POST"])
        router.add_api_route("/unsubscribe/{token}", self.show_unsubscribe, methods=look)
        router.add_api_route("/unsubscribe/{token}", self.unsubscribe, methods=["POST"])
        router.add_api_route("/preferences/{token}", self.show_preferences, methods=look)
        router.add_api_route("/preferences/{token}", self.save_preferences, methods=["POST"])
        return router

    def home(self) -> HTMLResponse:
        """Show the sign-up."""
        return self._show_home({})

    def subscribe(
        self,
        request: Request,
        digest: Text = "",
        address: Text = "",
        cadence: Text = "",
        topics: Topics = None,
        consent: Text = "",
    ) -> HTMLResponse:
        """Take a sign-up; the answer tells nothing about the address."""
        chosen = self._readers.find_digest(digest)
        if chosen is None:
            return self._show_home({}, status=400)
        typed = SignUpForm(address, cadence, tuple(topics or ()), bool(consent))
        if not consent:
            return self._refuse(chosen, typed, "Please tick the box, so that we know that you agree.")
        if not self._limit.allows(_ip(request), self._now()):
            return self._pages.say(
                "Please try again later",
                "There were too many sign-ups from your network within an hour.",
                status=429,
            )
        try:
            self._ask(request, chosen, typed)
        except InputError as error:
            return self._refuse(chosen, typed, f"{error}.")
        return self._pages.say(
            "Check your mailbox",
            "If this address can be subscribed, a message with a link is on its way to it.",
            "Open the link within seven days and confirm. Until then nothing else is sent to you. "
            "If nothing arrives, look into the spam folder.",
        )

    def _ask(self, request: Request, digest: DigestSettings, typed: SignUpForm) -> None:
        origin = {"form": f"{self._settings.site.base_url}/", "ip": _ip(request)}
        choices = Choices(typed.cadence, typed.topics)
        wording = word_consent(self._settings, digest)
        ask(self._readers, typed.address, digest.name, choices, origin, self._now(), wording=wording)

    def _refuse(self, digest: DigestSettings, typed: SignUpForm, error: str) -> HTMLResponse:
        again = SignUpForm(typed.address, typed.cadence, typed.topics, typed.agreed, error)
        return self._show_home({digest.name: again}, status=400)

    def _show_home(self, typed: dict[str, SignUpForm], status: int = 200) -> HTMLResponse:
        forms = [
            {
                "digest": digest,
                "offers": self._pages.list_offers(digest),
                "wording": word_consent(self._settings, digest),
                "typed": typed.get(digest.name, SignUpForm()),
            }
            for digest in self._settings.digests
        ]
        return self._pages.render("home", status, title="Subscribe", forms=forms)

    def show_confirm(self, token: str) -> HTMLResponse:
        """Show what confirming does, with the button that does it."""
        found = look_up(self._readers, token, self._now())
        if found.answer != ConfirmationResult.OPEN:
            return self._answer_confirm(found)
        title = self._settings.digest(found.digest).title
        return self._pages.render("confirm", title=f"Subscribe to {title}?", digest_title=title)

    def confirm(self, request: Request, token: str) -> HTMLResponse:
        """Confirm."""
        origin = {"page": "confirm", "ip": _ip(request)}
        return self._answer_confirm(confirm(self._readers, token, self._now(), origin))

    def _answer_confirm(self, found: Confirmed) -> HTMLResponse:
        if found.answer in (ConfirmationResult.CONFIRMED, ConfirmationResult.ALREADY):
            digest = self._readers.find_digest(found.digest)
            title = digest.title if digest else found.digest
            link = f"/preferences/{found.preferences}" if found.preferences else ""
            return self._pages.say(
                "You are subscribed",
                f"{title} will come to your mailbox. Each message has a link to change it or to leave.",
                link=link,
                link_text="Choose how often and which topics",
            )
        return self._pages.say(
            "This link is no longer valid",
            "A confirmation works once and for seven days. Sign up again to get a fresh one.",
            status=410,
            link="/",
            link_text="Sign up again",
        )

    def show_unsubscribe(self, token: str) -> HTMLResponse:
        """Show what leaving does, with the button that does it; any link gets the same page."""
        digest = find_left_digest(self._readers, token)
        return self._pages.render("unsubscribe", title="Unsubscribe", digest=digest)

    def unsubscribe(self, request: Request, token: str) -> HTMLResponse:
        """End a subscription before answering: the page's button, and one-click (RFC 8058 3.1).

        Whatever the body says, cookies or no: the token alone decides. The answer is the same for any link.
        """
        origin = {"page": "unsubscribe", "ip": _ip(request)}
        digest = leave(self._readers, token, self._now(), origin)
        return self._pages.say(
            "You are unsubscribed",
            f"You will get no more of {digest.title if digest else 'this digest'}.",
            "Should you change your mind, sign up again at any time.",
            link="/",
            link_text="Sign up again",
        )

    def show_preferences(self, token: str) -> HTMLResponse:
        """Show what a reader picked."""
        return self._show_preferences(token)

    def save_preferences(
        self, request: Request, token: str, cadence: Text = "", topics: Topics = None, pause: Text = "keep"
    ) -> HTMLResponse:
        """Keep what a reader picked."""
        now = self._now()
        origin = {"page": "preferences", "ip": _ip(request)}
        choices = Choices(cadence, tuple(topics or ()))
        try:
            saved = set_preferences(self._readers, token, choices, now, origin)
        except InputError as error:
            return self._show_preferences(token, status=400, error=f"{error}.")
        if saved and pause == "none":
            resume(self._readers, token, now, origin)
        elif saved and pause in PAUSES:
            until = None if pause == "open" else now + timedelta(weeks=int(pause))
            set_pause(self._readers, token, until, now, origin)
        return self._show_preferences(token, saved=saved)

    def _show_preferences(
        self, token: str, *, status: int = 200, saved: bool = False, error: str = ""
    ) -> HTMLResponse:
        found: Preferences | None = find_preferences(self._readers, token)
        if found is None or not found.is_open:
            return self._pages.say(
                "There is nothing to change here",
                "This link opens no active subscription. Sign up to get one.",
                status=404 if found is None else 200,
                link="/",
                link_text="Sign up",
            )
        return self._pages.render(
            "preferences",
            status,
            title="Your preferences",
            found=found,
            offers=self._pages.list_offers(found.digest),
            pauses=PAUSES,
            saved=saved,
            error=error,
        )


def _ip(request: Request) -> str:
    return request.client.host if request.client else "unknown"
