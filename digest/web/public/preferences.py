"""The pages behind the links in every message: preferences, unsubscribing, and undoing that."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from fastapi import Request
from starlette.responses import HTMLResponse

from digest.errors import InputError
from digest.models.cadence import Unit
from digest.rules.tokens import tokens
from digest.settings import DigestSettings
from digest.tasks.readers.preferences import find_preferences, resume, set_pause, set_preferences
from digest.tasks.readers.reader_page import request_link_by
from digest.tasks.readers.readers import (
    Readers,
    find_language,
    find_left_digest,
    leave,
    sign_undo,
    undo_leave,
)
from digest.tasks.readers.sign_up import Choices
from digest.web.public.pauses import PAUSES, list_days, read_pause
from digest.web.public.sign_up import ip_of, read_breaking
from digest.web.public.typed_choices import (
    WRONG_CHOICES,
    WRONG_DAY,
    TypedChoices,
    read_number,
    retype_preferences,
)
from digest.web.shared.forms import ONCE_MORE, UNSAVED, Posted, Stamps, Submitted
from digest.web.shared.routes import PageRoutes
from digest.web.shared.views import View, Views, mark

_SHORT_PAUSE = "4"
_LINK_SENT = mark(
    "If a reader has this address, an email with a link is on its way. The link works for one hour."
)


class PreferencePages:
    """The endpoints behind a message's links, which work for ever and disclose nothing."""

    def __init__(self, readers: Readers, views: Views, stamps: Stamps, now: Callable[[], datetime]) -> None:
        self._readers, self._views, self._stamps, self._now = readers, views, stamps, now

    def routes(self) -> PageRoutes:
        """Return the routes."""
        routes = PageRoutes()
        routes.look("/preferences/{token}", self.show)
        routes.post("/preferences/{token}", self.save)
        routes.post("/preferences/{token}/less", self.get_less)
        routes.post("/preferences/{token}/link", self.send_link)
        routes.look("/unsubscribe/{token}", self.show_leave)
        routes.post("/unsubscribe/{token}", self.leave)
        routes.post("/undo/{token}", self.undo)
        return routes

    @property
    def _zone(self) -> str:
        return self._readers.settings.site.timezone

    def _view(self, request: Request, action: str, token: str) -> View:
        """Return the view in the language that the visitor chose, else the reader's."""
        return self._views.of(request, reader=find_language(self._readers, action, token))

    def show(self, request: Request, token: str) -> HTMLResponse:
        """Show a reader's choices."""
        return self._show(self._view(request, tokens.PREFERENCES, token), token)

    def save(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Store a reader's choices."""
        now, view = self._now(), self._views.of(request, chosen=form.language)
        if form.turns:
            return self._show(view, token, typed=form)
        if not self._stamps.is_fresh(f"/preferences/{token}", form, now):
            return self._show(view, token, status=403, error=view.words(ONCE_MORE), typed=form)
        origin = {"page": "preferences", "ip": ip_of(request)}
        found = find_preferences(self._readers, token)
        topics = found.topics if found and not found.digest.topics else form.list("topics")
        choices = Choices(form.get("cadence"), topics, read_breaking(form, "p"))
        try:
            hour = read_number(form.get("hour"))
            usual = form.has("hour") and hour is None
            paused, until = read_pause(form, "pause", now, self._zone)
            saved = set_preferences(self._readers, token, choices, now, origin, hour=hour, usual_hour=usual)
        except InputError:
            return self._show(view, token, status=400, typed=form)
        if saved and paused is not None:
            self._pause(token, paused, until, now, origin)
        return self._show(view, token, told=_saved(view) if saved else ())

    def _pause(
        self, token: str, paused: bool, until: datetime | None, now: datetime, origin: dict[str, str]
    ) -> None:
        if paused:
            set_pause(self._readers, token, until, now, origin)
        else:
            resume(self._readers, token, now, origin)

    def get_less(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Store what a reader chose instead of leaving: a rarer cadence, or a pause."""
        now, view = self._now(), self._views.of(request, chosen=form.language)
        if not self._stamps.is_fresh(f"/preferences/{token}", form, now):
            leave = tokens.turn_into(
                self._readers.signing_keys, tokens.PREFERENCES, token, tokens.UNSUBSCRIBE
            )
            return (
                self._show_leave(view, leave, 403, view.words(ONCE_MORE))
                if leave
                else self._show(view, token)
            )
        origin = {"page": "unsubscribe", "ip": ip_of(request)}
        found = find_preferences(self._readers, token)
        if found is not None and form.get("less") == "pause":
            self._pause(token, True, now + timedelta(weeks=PAUSES[_SHORT_PAUSE]), now, origin)
        elif found is not None and form.get("less") in found.digest.cadences:
            set_preferences(self._readers, token, Choices(form.get("less"), found.topics), now, origin)
        return self._show(view, token, told=_saved(view))

    def send_link(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Mail a one-hour link to the subscription's address."""
        now, view = self._now(), self._views.of(request, chosen=form.language)
        if not self._stamps.is_fresh(f"/preferences/{token}", form, now):
            return self._show(view, token, status=403, error=view.words(ONCE_MORE), typed=form)
        origin = {"page": "preferences", "ip": ip_of(request)}
        request_link_by(self._readers, tokens.PREFERENCES, token, origin, now)
        if not self._has_unsaved(token, form):
            return say_link_sent(view)
        told = (view.words(_LINK_SENT), view.words(UNSAVED, button=view.words("Save")))
        return self._show(view, token, told=told, typed=form)

    def _has_unsaved(self, token: str, form: Submitted) -> bool:
        """Return whether a form has other choices than those that are kept."""
        found = find_preferences(self._readers, token)
        if found is None or not found.is_open or not form.has("cadence"):
            return False
        shown, typed = retype_preferences(found, form, self._now(), self._zone)
        return shown != found or typed.has_pause(found)

    def _show(
        self,
        view: View,
        token: str,
        *,
        status: int = 200,
        told: Iterable[str] = (),
        error: str = "",
        typed: Submitted | None = None,
    ) -> HTMLResponse:
        """Show the choices; `typed` is a form that was not saved, shown again with what is wrong."""
        now, found = self._now(), find_preferences(self._readers, token)
        if found is None or not found.is_open:
            return view.say(
                view.words("Nothing to change here"),
                view.words("This link belongs to no active subscription."),
                status=404 if found is None else 200,
                link="/",
                link_text=view.words("Sign up"),
            )
        shown = TypedChoices()
        if typed is not None:
            found, shown = retype_preferences(found, typed, now, self._zone)
            if status != 200 and not error:
                error = view.words(WRONG_DAY if shown.has_wrong_day else WRONG_CHOICES)
        return view.render(
            "preferences",
            status,
            title=view.words("Preferences"),
            found=found,
            typed=shown,
            days=list_days(now, self._zone),
            told=told,
            error=error,
            path=f"/preferences/{token}",
            turns=f"/preferences/{token}",
            stamp=self._stamps.make(f"/preferences/{token}", now),
        )

    def show_leave(self, request: Request, token: str) -> HTMLResponse:
        """Show what unsubscribing does, what a reader may prefer, and the button."""
        return self._show_leave(self._view(request, tokens.UNSUBSCRIBE, token), token)

    def _show_leave(self, view: View, token: str, status: int = 200, error: str = "") -> HTMLResponse:
        digest = find_left_digest(self._readers, token)
        preferences = tokens.turn_into(
            self._readers.signing_keys, tokens.UNSUBSCRIBE, token, tokens.PREFERENCES
        )
        title = view.words("Unsubscribe from {title}?", title=_title(view, digest))
        return view.render(
            "unsubscribe",
            status,
            title=title,
            error=error,
            token=token,
            digest=digest,
            rarer=_rarer(digest),
            preferences=preferences,
            stamp=self._stamps.make(f"/preferences/{preferences}", self._now()),
        )

    def leave(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """End a subscription before answering: the page's button, and one-click (RFC 8058, section 3.1).

        The token alone decides, whatever the body and the cookies. The answer is the same for any link.
        """
        now, view = self._now(), self._views.of(request, chosen=form.language)
        origin = {"page": "unsubscribe", "ip": ip_of(request)}
        if form.get("List-Unsubscribe") == "One-Click":
            origin["page"] = "one-click"
        digest = leave(self._readers, token, now, origin)
        return view.render(
            "left",
            title=view.words("You are unsubscribed"),
            digest_title=_title(view, digest),
            undo=sign_undo(self._readers, token, now),
        )

    def undo(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Undo an unsubscription, from the page that followed it."""
        view = self._views.of(request, chosen=form.language)
        found = undo_leave(self._readers, token, self._now(), {"page": "undo", "ip": ip_of(request)})
        if found is None:
            return view.say(
                view.words("This can no longer be undone"),
                view.words("Sign up again at any time."),
                status=410,
                link="/",
                link_text=view.words("Sign up"),
            )
        return view.say(
            view.words("Welcome back"),
            view.words("You will keep receiving {title} as before.", title=view.title_of(found.digest)),
            link=f"/preferences/{found.preferences}",
            link_text=view.words("Change how often and which topics"),
        )


def say_link_sent(view: View) -> HTMLResponse:
    """Show that a link was mailed, whether or not there was a reader to mail it to."""
    return view.say(
        view.words("Check your inbox"),
        view.words(_LINK_SENT),
    )


def _saved(view: View) -> tuple[str]:
    return (view.words("Saved. Your choices apply from the next edition; a pause applies at once."),)


def _title(view: View, digest: DigestSettings | None) -> str:
    return view.title_of(digest) if digest else view.words("this newsletter")


def _rarer(digest: DigestSettings | None) -> str:
    """Return the digest's first weekly or monthly cadence, to offer instead of leaving."""
    names = digest.cadences if digest else ()
    return next((name for name in names if digest and digest.cadence(name).unit != Unit.DAY), "")
