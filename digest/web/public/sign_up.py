"""Sign-up and confirmation pages. Only a POST changes anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fastapi import Request
from starlette.responses import HTMLResponse

from digest.errors import InputError
from digest.rules.readers.address import normalise
from digest.rules.tokens import tokens
from digest.settings import DigestSettings
from digest.tasks.readers.confirmation import ConfirmationResult, Confirmed, confirm, look_up
from digest.tasks.readers.mail_domains import MailDomains
from digest.tasks.readers.readers import Readers
from digest.tasks.readers.sign_up import Choices, ask_for
from digest.web.shared.answer_times import evenly_timed
from digest.web.shared.forms import ONCE_MORE, SIGN_UP, STAMP, TRAP, UNSAVED, Posted, Stamps, Submitted
from digest.web.shared.routes import PageRoutes
from digest.web.shared.views import View, Views

QUICKEST = timedelta(seconds=2)
"""A form that is sent sooner was filled in by a program, or by somebody who can click once more."""

_AGAIN = "sign-up again"
_STAMP_PLACE = "the-stamp-of-the-form"


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """What was typed into a sign-up form, to be shown again with what is wrong.

    `ticked` has the digests that are chosen, `chosen` the choices for them and for those that are not.
    """

    address: str = ""
    chosen: Mapping[str, Choices] = field(default_factory=dict)
    ticked: tuple[str, ...] | None = None
    agreed: bool = False
    error: str = ""

    def picked(self, digest: str, *, alone: bool) -> bool:
        """Return whether a digest is chosen; a single one is chosen from the start."""
        return alone if self.ticked is None else digest in self.ticked

    def of(self, digest: str) -> Choices:
        """Return the choices for a digest."""
        return self.chosen.get(digest, Choices())

    def has_other(self, digest: DigestSettings, kept: Choices) -> bool:
        """Return whether other choices for a digest are wanted than those that are kept."""
        typed = self.wanted.get(digest.name)
        if typed is None:
            return False
        topics = set(kept.topics).intersection(digest.topics)
        breaking = typed.breaking not in (None, bool(kept.breaking))
        return typed.cadence != kept.cadence or set(typed.topics) != topics or breaking

    @property
    def wanted(self) -> dict[str, Choices]:
        """Return the choices for the digests that are chosen."""
        return {name: self.of(name) for name in self.ticked or ()}


def read_choices(form: Submitted, digest: str, *, alone: bool) -> Choices:
    """Return a form's choices for a digest; in a form for one digest the fields need not have its name."""
    cadence = form.get(f"cadence-{digest}") or (form.get("cadence") if alone else "")
    topics = form.list(f"topics-{digest}") or (form.list("topics") if alone else ())
    return Choices(cadence, topics, read_breaking(form, digest))


def read_breaking(form: Submitted, digest: str) -> bool | None:
    """Return whether a form asks for breaking news; None where it did not show that choice."""
    return form.get(f"breaking-{digest}") == "on" if form.has(f"breaks-{digest}") else None


class SignUpPages:
    """The endpoints; plain functions, so each runs in a thread and may wait for the database."""

    def __init__(
        self,
        readers: Readers,
        views: Views,
        stamps: Stamps,
        now: Callable[[], datetime],
        quickest: timedelta = QUICKEST,
        domains: MailDomains | None = None,
    ) -> None:
        self._domains = domains or MailDomains()
        self._readers, self._settings = readers, readers.settings
        self._views, self._stamps, self._now, self._quickest = views, stamps, now, quickest
        self._blank: dict[str, tuple[bytes, bytes, bytes]] = {}

    def routes(self) -> PageRoutes:
        """Return the routes."""
        routes = PageRoutes()
        routes.look("/", self.home)
        routes.post("/subscribe", evenly_timed(self.subscribe))
        routes.look("/confirm/{token}", self.show_confirm)
        routes.post("/confirm/{token}", self.confirm)
        return routes

    async def home(self, request: Request) -> HTMLResponse:
        """Show the sign-up form, which is rendered once for each language; only its stamp changes."""
        view = self._views.of(request)
        blank = self._blank.get(view.language)
        if blank is None:
            shown = self._show_home(view, SignUpForm(), stamp=_STAMP_PLACE)
            blank = self._blank[view.language] = bytes(shown.body).partition(_STAMP_PLACE.encode())
        stamp = self._stamps.make(SIGN_UP, self._now()).encode()
        return view.respond(blank[0] + stamp + blank[2])

    def subscribe(self, request: Request, form: Posted) -> HTMLResponse:
        """Accept a sign-up; the answer reveals nothing about the address.

        A form from another site, or one that was sent at once, is shown once more with one button.
        """
        view = self._views.of(request, chosen=form.language)
        typed = self._read(form)
        if form.turns:
            return self._show_home(view, typed)
        if form.get(TRAP):
            return self._say_sent(view)
        if not typed.ticked:
            return self._refuse(view, typed, view.words("Choose at least one newsletter."))
        if not self._was_typed_here(request, form):
            return self._show_again(view, typed)
        if not typed.agreed:
            return self._refuse(view, typed, view.words("Please tick the box to agree."))
        return self._ask(request, view, typed, form)

    def _read(self, form: Submitted) -> SignUpForm:
        """Return a sign-up as it was typed."""
        names = [digest.name for digest in self._settings.digests if digest.name in form.list("digest")]
        chosen = {
            digest.name: read_choices(form, digest.name, alone=names == [digest.name])
            for digest in self._settings.digests
        }
        return SignUpForm(form.get("address").strip(), chosen, tuple(names), bool(form.get("consent")))

    def _was_typed_here(self, request: Request, form: Submitted) -> bool:
        """Return whether a form of ours was filled in at the pace of a person."""
        stamp, now = form.get(STAMP), self._now()
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        if self._stamps.age(_AGAIN, stamp, now) is not None:
            return True
        age = self._stamps.age(SIGN_UP, stamp, now)
        return age is not None and age >= self._quickest

    def _ask(self, request: Request, view: View, typed: SignUpForm, form: Submitted) -> HTMLResponse:
        chosen = typed.wanted
        wording = view.word_consent(self._settings.digest(name) for name in chosen)
        origin = {"form": f"{self._settings.site.base_url}/", "ip": ip_of(request)}
        try:
            if not self._domains.allows(normalise(typed.address).key.rpartition("@")[2]):
                return self._refuse(view, typed, view.words("Please check the address."))
            allowed = ask_for(
                self._readers,
                typed.address,
                chosen,
                origin,
                self._now(),
                wording=wording,
                language=view.language,
            )
        except InputError:
            return self._refuse(view, typed, view.words("Please check the address and your choices."))
        return self._say_sent(view) if allowed else self._show_later(view, typed)

    def _say_sent(self, view: View) -> HTMLResponse:
        return view.say(
            view.words("Check your inbox"),
            view.words("If this address can be subscribed, an email with a link is on its way."),
            view.words(
                "Open the link within seven days and confirm. Until then you get nothing else. If no email "
                "arrives, look in your spam folder."
            ),
        )

    def _show_later(self, view: View, typed: SignUpForm) -> HTMLResponse:
        """Show the form once more, with what was typed, for a network or a domain that has to wait."""
        error = view.words("There were too many sign-ups within an hour.")
        title = view.words("Please try again later")
        return self._show_home(view, replace(typed, error=f"{title}: {error}"), 429, title)

    def _refuse(self, view: View, typed: SignUpForm, error: str) -> HTMLResponse:
        return self._show_home(view, replace(typed, error=error), status=400)

    def _show_home(
        self, view: View, typed: SignUpForm, status: int = 200, title: str = "", stamp: str = ""
    ) -> HTMLResponse:
        return view.render(
            "home",
            status,
            title=title or view.words("Subscribe"),
            digests=self._settings.digests,
            typed=typed,
            wording=view.word_consent(self._settings.digests),
            turns="/subscribe",
            stamp=stamp or self._stamps.make(SIGN_UP, self._now()),
        )

    def _show_again(self, view: View, typed: SignUpForm) -> HTMLResponse:
        """Show the sign-up that a form from elsewhere asks for, with the button."""
        digests = [self._settings.digest(name) for name in typed.wanted]
        return view.render(
            "sign_up_again",
            title=view.words("One more step"),
            digests=digests,
            typed=typed,
            wording=view.word_consent(digests),
            stamp=self._stamps.make(_AGAIN, self._now()),
        )

    def show_confirm(self, request: Request, token: str) -> HTMLResponse:
        """Show the choices, to be changed and confirmed."""
        found = look_up(self._readers, token, self._now())
        view = self._views.of(request, reader=found.language)
        return self._answer_confirm(view, found, token)

    def confirm(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Confirm the form's choices, or those of the sign-up if the form has none."""
        now = self._now()
        found = look_up(self._readers, token, now)
        view = self._views.of(request, chosen=form.language, reader=found.language)
        if found.answer != ConfirmationResult.OPEN:
            return self._answer_confirm(view, found, token, form)
        typed = _read_confirmed(form, found.chosen)
        if form.turns:
            return self._show_confirm(view, found, token, 200, typed)
        if not self._stamps.is_fresh(request.url.path, form, now):
            return self._show_confirm(view, found, token, 403, replace(typed, error=view.words(ONCE_MORE)))
        try:
            origin = {"page": "confirm", "ip": ip_of(request)}
            done = confirm(self._readers, token, now, origin, typed.wanted)
        except InputError:
            error = view.words("Please check your choices.")
            return self._show_confirm(view, found, token, 400, replace(typed, error=error))
        if done.answer == ConfirmationResult.OPEN:
            error = view.words("Choose at least one newsletter.")
            return self._show_confirm(view, done, token, 400, replace(typed, error=error))
        return self._answer_confirm(view, done, token)

    def _answer_confirm(
        self, view: View, found: Confirmed, token: str, form: Submitted | None = None
    ) -> HTMLResponse:
        if found.answer == ConfirmationResult.OPEN:
            chosen = SignUpForm(chosen=found.chosen, ticked=tuple(found.chosen))
            return self._show_confirm(view, found, token, 200, chosen)
        if found.answer in (ConfirmationResult.CONFIRMED, ConfirmationResult.ALREADY):
            return self._show_confirmed(view, found, form)
        title = view.words("This link has expired")
        text = view.words(
            "A confirmation link works once, within seven days. Sign up again to get a new one."
        )
        if form is not None and any(form.has(f"cadence-{one.name}") for one in self._settings.digests):
            # What was chosen is not lost: the sign-up has it, and discloses no address.
            typed = replace(self._read(form), address="", agreed=False, error=text)
            return self._show_home(view, typed, 410, title)
        return view.say(
            title,
            text,
            status=410,
            link="/",
            link_text=view.words("Sign up again"),
        )

    def _show_confirmed(self, view: View, found: Confirmed, form: Submitted | None) -> HTMLResponse:
        """Show what is subscribed to; a form that comes after that is shown beside it, to be saved or not."""
        digests = [self._settings.digest(name) for name in found.chosen]
        typed = self._read(form) if form is not None else SignUpForm(ticked=())
        asked = [one for one in digests if form is not None and form.has(f"cadence-{one.name}")]
        unsaved = [one for one in asked if typed.has_other(one, found.chosen[one.name])]
        keys, paths = self._readers.signing_keys, found.preferences
        return view.render(
            "confirmed",
            title=view.words("You are subscribed"),
            told=view.words(UNSAVED, button=view.words("Save")) if unsaved else "",
            digests=digests,
            chosen=found.chosen,
            preferences=paths,
            typed=typed,
            unsaved=unsaved,
            unwanted=[one for one in asked if one.name not in typed.wanted],
            missing=[one for one in self._settings.digests if one.name in typed.wanted.keys() - paths.keys()],
            leave={
                n: tokens.turn_into(keys, tokens.PREFERENCES, p, tokens.UNSUBSCRIBE) for n, p in paths.items()
            },
            stamps={n: self._stamps.make(f"/preferences/{p}", self._now()) for n, p in paths.items()},
        )

    def _show_confirm(
        self, view: View, found: Confirmed, token: str, status: int, typed: SignUpForm
    ) -> HTMLResponse:
        digests = [self._settings.digest(name) for name in found.chosen]
        one = view.title_of(digests[0]) if len(digests) == 1 else ""
        title = view.words("Subscribe to {title}?", title=one) if one else view.words("Confirm your choices")
        return view.render(
            "confirm",
            status,
            title=title,
            digests=digests,
            typed=typed,
            turns=f"/confirm/{token}",
            stamp=self._stamps.make(f"/confirm/{token}", self._now()),
        )


def _read_confirmed(form: Submitted, chosen: Mapping[str, Choices]) -> SignUpForm:
    """Return a confirmation form's choices; without its fields the sign-up's choices stay."""
    alone = len(chosen) == 1
    if not any(form.has(f"cadence-{name}") for name in chosen):
        return SignUpForm(chosen=chosen, ticked=tuple(chosen))
    typed = {
        name: read_choices(form, name, alone=alone) if form.has(f"cadence-{name}") else old
        for name, old in chosen.items()
    }
    return SignUpForm(chosen=typed, ticked=tuple(n for n in chosen if alone or n in form.list("digest")))


def ip_of(request: Request) -> str:
    """Return the client's address that the guard determined."""
    return request.client.host if request.client else "unknown"
