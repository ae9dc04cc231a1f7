"""The page of one reader, behind a one-hour link: all digests, details, address, data, erasure."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from digest.errors import InputError
from digest.tasks.readers import reader_page
from digest.tasks.readers.private_feed import find_feed
from digest.tasks.readers.reader_page import ReaderPage
from digest.tasks.readers.readers import Readers
from digest.web.public.feeds import atom
from digest.web.public.pauses import list_days
from digest.web.public.preferences import say_link_sent
from digest.web.public.sign_up import ip_of
from digest.web.public.typed_choices import (
    WRONG_CHOICES,
    WRONG_DAY,
    TypedChoices,
    differs,
    is_whole,
    list_typed,
    read_language,
    read_name,
    read_wish,
    read_zone,
    retype_page,
)
from digest.web.shared.answer_times import evenly_timed
from digest.web.shared.conditional import answer
from digest.web.shared.forms import ONCE_MORE, UNSAVED, Posted, Stamps, Submitted
from digest.web.shared.routes import PageRoutes
from digest.web.shared.views import View, Views, mark

_LINK = "/link"
_CARRIED = mark("This is what you typed before. Nothing is saved yet: check it and press “{button}”.")
_SAME_ADDRESS = mark("Your address is not changed yet: press “{button}”.")


class ReaderPages:
    """The endpoints of a reader's own page."""

    def __init__(self, readers: Readers, views: Views, stamps: Stamps, now: Callable[[], datetime]) -> None:
        self._readers, self._views, self._stamps, self._now = readers, views, stamps, now

    def routes(self) -> PageRoutes:
        """Return the routes."""
        routes = PageRoutes()
        routes.look(_LINK, self.show_link)
        routes.post(_LINK, evenly_timed(self.send_link))
        routes.look("/me/{token}", self.show)
        routes.post("/me/{token}", self.save)
        routes.look("/me/{token}/data.json", self.download)
        routes.post("/me/{token}/address", self.change_address)
        routes.post("/me/{token}/typed", self.show_typed)
        routes.post("/me/{token}/link", self.send_link_again)
        routes.look("/me/{token}/erase", self.show_erase)
        routes.post("/me/{token}/erase", self.erase)
        routes.look("/feed/{token}", self.feed)
        routes.look("/address/{token}", self.show_move)
        routes.post("/address/{token}", self.move)
        return routes

    def show_link(self, request: Request) -> HTMLResponse:
        """Show the form that mails a reader their link."""
        return self._show_link(self._views.of(request))

    def _show_link(
        self, view: View, error: str = "", status: int = 200, *, address: str = ""
    ) -> HTMLResponse:
        return view.render(
            "link",
            status,
            title=view.words("Manage your subscription"),
            error=error,
            address=address,
            turns=_LINK,
            stamp=self._stamps.make(_LINK, self._now()),
        )

    def send_link(self, request: Request, form: Posted) -> HTMLResponse:
        """Mail a one-hour link to an address, if a reader has it."""
        now, view = self._now(), self._views.of(request, chosen=form.language)
        typed = form.get("address").strip()
        if form.turns:
            return self._show_link(view, address=typed)
        if not self._stamps.is_fresh(_LINK, form, now):
            return self._show_link(view, view.words(ONCE_MORE), 403, address=typed)
        try:
            reader_page.request_link(self._readers, typed, {"page": "link", "ip": ip_of(request)}, now)
        except InputError:
            return self._show_link(view, view.words("Please check the address."), 400, address=typed)
        return say_link_sent(view)

    def show(self, request: Request, token: str) -> HTMLResponse:
        """Show all choices of a reader."""
        found, view = self._open(request, token)
        if found is None or not found.typed:
            return self._show(view, token, found)
        told = view.words(_CARRIED, button=view.words("Save"))
        return self._show(view, token, found, told=(told,), typed=Submitted.of(found.typed))

    def save(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Store a reader's choices."""
        now = self._now()
        old = reader_page.find_page(self._readers, token, now)
        view = self._view_of(request, token, _spoken(form, old))
        if old is None:
            return self._say_expired(view, token, form)
        if form.turns:
            return self._show(view, token, old, typed=form)
        if not self._stamps.is_fresh(f"/me/{token}", form, now):
            return self._show_stale(view, token, old, form)
        zone = self._zone_of(old)
        try:
            wishes = {one.digest.name: read_wish(form, one, now, zone) for one in old.digests}
            reader_page.save_page(
                self._readers,
                token,
                wishes,
                now,
                {"page": "reader", "ip": ip_of(request)},
                name=read_name(form, old.name),
                language=read_language(form, old.language, self._views.catalogues),
                timezone=read_zone(form, old.timezone),
                wordings={one.digest.name: view.word_consent([one.digest]) for one in old.digests},
                spoken=view.language,
            )
        except InputError:
            return self._show(view, token, old, status=400, typed=form)
        found = reader_page.find_page(self._readers, token, now)
        told = [view.words("Your changes are saved.")]
        if address := form.get("address").strip():
            told.append(view.words(_SAME_ADDRESS, button=view.words("Change address")))
        return self._show(view, token, found, told=told, address=address)

    def _show(
        self,
        view: View,
        token: str,
        found: ReaderPage | None,
        *,
        told: Iterable[str] = (),
        error: str = "",
        status: int = 200,
        typed: Submitted | None = None,
        address: str = "",
        wrong_address: bool = False,
    ) -> HTMLResponse:
        """Show a reader's page; `typed` is a form that was not saved, shown again with what is wrong."""
        if found is None:
            return self._say_expired(view)
        now, zone, shown = self._now(), self._zone_of(found), TypedChoices(address=address)
        if typed is not None:
            found, shown = self._retype(found, typed)
            if status != 200 and not error:
                error = view.words(WRONG_DAY if shown.has_wrong_day else WRONG_CHOICES)
        return view.render(
            "reader",
            status,
            title=view.words("Your subscriptions"),
            found=found,
            typed=shown,
            wrong_address=wrong_address,
            days=list_days(now, zone),
            told=told,
            error=error,
            catalogues=view.list_chosen_languages(found.language, self._views.catalogues),
            path=f"/me/{token}",
            turns=f"/me/{token}",
            stamp=self._stamps.make(f"/me/{token}", now),
        )

    def _open(self, request: Request, token: str, language: str = "") -> tuple[ReaderPage | None, View]:
        """Return the page that a link opens, None if it has expired, and how to show it: in the language of
        the form that came, or else the reader's."""
        found = reader_page.find_page(self._readers, token, self._now())
        return found, self._view_of(request, token, language)

    def _view_of(self, request: Request, token: str, chosen: str = "") -> View:
        """Return how to answer a reader who follows a link: one that has expired is theirs as well."""
        language = reader_page.find_language(self._readers, token)
        return self._views.of(request, chosen=chosen, reader=language)

    def _show_stale(self, view: View, token: str, found: ReaderPage, form: Submitted) -> HTMLResponse:
        """Show a page with what is typed, to be sent once more: its form was too old or not ours."""
        return self._show(view, token, found, error=view.words(ONCE_MORE), status=403, typed=form)

    def _retype(self, found: ReaderPage, form: Submitted) -> tuple[ReaderPage, TypedChoices]:
        """Return the page with what a form has; a form that has an address alone leaves the choices."""
        if not is_whole(form):
            return found, TypedChoices(address=form.get("address"))
        return retype_page(found, form, self._now(), self._zone_of(found), self._views.catalogues)

    def _zone_of(self, page: ReaderPage) -> str:
        return page.timezone or self._readers.settings.site.timezone

    def _say_expired(self, view: View, token: str = "", form: Submitted | None = None) -> HTMLResponse:
        """Show that a link has expired; what a form sent stays on the page, for the next link."""
        typed = list_typed(form, self._names) if form else ()
        if typed:
            return self._show_expired(view, token, typed)
        return view.say(
            view.words("This link has expired"),
            view.words("For your safety it works for one hour. Ask for a new one at any time."),
            status=410,
            link=_LINK,
            link_text=view.words("Email me a link"),
        )

    def _show_expired(
        self, view: View, token: str, typed: Iterable[tuple[str, str]], error: str = "", status: int = 410
    ) -> HTMLResponse:
        path = f"/me/{token}/link"
        return view.render(
            "expired",
            status,
            title=view.words("Check your inbox") if status == 200 else view.words("This link has expired"),
            is_sent=status == 200,
            error=error,
            typed=typed,
            path=path,
            stamp=self._stamps.make(path, self._now()),
        )

    @property
    def _names(self) -> list[str]:
        return [digest.name for digest in self._readers.settings.digests]

    def send_link_again(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Mail a new link in place of one that has expired; it opens what was typed.

        The answer is the same for any token, and keeps what was typed in case that no mail comes.
        """
        now, view = self._now(), self._views.of(request, chosen=form.language)
        typed = list_typed(form, self._names)
        if not self._stamps.is_fresh(f"/me/{token}/link", form, now):
            return self._show_expired(view, token, typed, view.words(ONCE_MORE), 403)
        origin = {"page": "reader", "ip": ip_of(request)}
        reader_page.request_link_again(self._readers, token, typed, origin, now)
        return self._show_expired(view, token, typed, status=200)

    def download(self, request: Request, token: str) -> Response:
        """Return all that is stored about a reader."""
        found = reader_page.export(self._readers, token, self._now())
        if found is None:
            return self._say_expired(self._view_of(request, token))
        content = json.dumps(found, ensure_ascii=False, indent=2).encode()
        kept = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(content, media_type="application/json", headers=kept)

    def feed(self, request: Request, token: str) -> Response:
        """Return a reader's own digest as an Atom feed (RFC 4287)."""
        found = find_feed(self._readers, token)
        if found is None:
            return self._say_expired(self._views.of(request))
        view, site = self._views.of(request, chosen=found.language or ""), self._readers.settings.site
        title = view.title_of(found.digest)
        home = f"/archive/{found.digest.name}" if found.digest.is_public else "/link"
        entries = [
            (f"{title}, {view.name_day(one.edition.deadline_at)}", f"{site.base_url}{home}", one)
            for one in found.entries
        ]
        content = atom(
            site.base_url, home, f"{site.name}: {title}", site, entries,
            own=f"/feed/{token}", language=view.language,
        )  # fmt: skip
        changed_at = max((one.updated_at for one in found.entries), default=None)
        return answer(request, content, "application/atom+xml", changed_at)

    def change_address(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Mail the new address the link that confirms it."""
        found, view = self._open(request, token, form.language)
        if found is None:
            return self._say_expired(view, token, form)
        if not self._stamps.is_fresh(f"/me/{token}", form, self._now()):
            return self._show_stale(view, token, found, form)
        try:
            origin = {"page": "reader", "ip": ip_of(request)}
            reader_page.request_move(self._readers, token, form.get("address"), origin, self._now())
        except InputError:
            error = view.words("Please check the address.")
            return self._show(view, token, found, error=error, status=400, typed=form, wrong_address=True)
        told = [view.words("Open the link that we mailed to the new address. Until then nothing changes.")]
        others = Submitted.of(pair for pair in list_typed(form, self._names) if pair[0] != "address")
        if is_whole(others) and differs(found, *self._retype(found, others)):
            told.append(view.words(UNSAVED, button=view.words("Save")))
        return self._show(view, token, found, told=told, typed=others)

    def show_typed(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Show what erasing does, or the page again, with what is typed; nothing is saved."""
        found, view = self._open(request, token, form.language)
        if found is None:
            return self._say_expired(view, token, form)
        if not self._stamps.is_fresh(f"/me/{token}", form, self._now()):
            return self._show_stale(view, token, found, form)
        if form.get("show") == "erase":
            return self._show_erase(view, token, list_typed(form, self._names))
        return self._show(view, token, found, typed=form)

    def show_erase(self, request: Request, token: str) -> HTMLResponse:
        """Show what erasing does, with the button."""
        found, view = self._open(request, token)
        return self._show_erase(view, token) if found else self._say_expired(view)

    def _show_erase(
        self,
        view: View,
        token: str,
        typed: Iterable[tuple[str, str]] = (),
        error: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        return view.render(
            "erase",
            status,
            title=view.words("Erase your data?"),
            error=error,
            typed=typed,
            path=f"/me/{token}",
            stamp=self._stamps.make(f"/me/{token}", self._now()),
        )

    def erase(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Erase a reader."""
        now, view = self._now(), self._view_of(request, token, form.language)
        typed = list_typed(form, self._names)
        if not self._stamps.is_fresh(f"/me/{token}", form, now):
            return self._show_erase(view, token, typed, view.words(ONCE_MORE), 403)
        if not reader_page.erase(self._readers, token, now):
            return self._say_expired(view, token, form)
        return view.say(
            view.words("Your data is erased"),
            view.words(
                "You get no more email from us. We keep only a code that prevents mail to you by mistake."
            ),
        )

    def show_move(self, request: Request, token: str) -> HTMLResponse:
        """Show which address a link confirms, with the button."""
        found = reader_page.find_move(self._readers, token, self._now())
        view = self._view_of(request, token)
        return self._show_move(view, token, found)

    def _show_move(
        self, view: View, token: str, found: str | None, error: str = "", status: int = 200
    ) -> HTMLResponse:
        if found is None:
            return self._say_no_move(view)
        return view.render(
            "move",
            status,
            title=view.words("Use this address?"),
            error=error,
            address=found,
            path=f"/address/{token}",
            stamp=self._stamps.make(f"/address/{token}", self._now()),
        )

    def move(self, request: Request, token: str, form: Posted) -> HTMLResponse:
        """Move a reader to the address that a link confirms."""
        now, view = self._now(), self._view_of(request, token, form.language)
        if not self._stamps.is_fresh(f"/address/{token}", form, now):
            found = reader_page.find_move(self._readers, token, now)
            return self._show_move(view, token, found, view.words(ONCE_MORE), 403)
        if not reader_page.move(self._readers, token, now, {"page": "address", "ip": ip_of(request)}):
            return self._say_no_move(view)
        return view.say(
            view.words("Your address is changed"),
            view.words("From now on your newsletters come to this address. We told the old one."),
        )

    def _say_no_move(self, view: View) -> HTMLResponse:
        return view.say(
            view.words("This link has expired"),
            view.words(
                "The address was changed already, or cannot be used. Ask for a new link and try again."
            ),
            status=410,
            link=_LINK,
            link_text=view.words("Email me a link"),
        )


def _spoken(form: Submitted, old: ReaderPage | None) -> str:
    """Return the language to answer in: one that the form newly chooses for the reader, else the page's."""
    chosen = form.get("language")
    is_new = old is not None and chosen != (old.language or "")
    return chosen if is_new and not form.turns else form.language
