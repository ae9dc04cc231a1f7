"""A page for one visitor: in their language, with its dates, hours and names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from operator import itemgetter
from urllib.parse import quote

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_time, get_day_names, get_timezone_location
from starlette.requests import Request
from starlette.responses import HTMLResponse

from digest.clock import time_zones
from digest.mail.rendering.catalogues import Catalogues, Translator, accepted
from digest.mail.rendering.language_tags import locale_of
from digest.mail.rendering.names import Names
from digest.models.cadence import Cadence, Unit
from digest.settings import DigestSettings, Settings
from digest.web.shared.pages import Pages

LANGUAGE, OTHER_LANGUAGE = "lang", "other-language"
_LONGEST_TAG = 35
_NUMBERS = (3, 5, 8, 10, 15, 20, 30, 50)
QUIET = ("20:00-08:00", "21:00-07:00", "22:00-07:00", "23:00-08:00", "00:00-06:00")


def mark(text: str) -> str:
    """Return a text that a view translates later, marked for the catalogues' test."""
    return text


@dataclass(frozen=True, slots=True)
class CadenceChoice:
    """A cadence as a reader picks it."""

    name: str
    label: str
    when: str


class View:
    """Renders pages for one visitor."""

    def __init__(
        self,
        pages: Pages,
        settings: Settings,
        words: Translator,
        languages: Iterable[str],
        path: str,
        *,
        is_looking: bool = True,
    ) -> None:
        self._pages, self._settings, self._is_looking = pages, settings, is_looking
        self.words = words
        self.language = words.language
        self._others = tuple(languages)
        self._path = path
        self._names = Names(settings.site.names)

    def render(self, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page.

        `turns`, for a page whose fields are in a form with the id "choices", is where that form is sent to be
        shown in another language as it was typed. Other pages link to themselves, unless they answer a POST.
        """
        known: dict[str, object] = {
            "_": self.words,
            "view": self,
            "language": self.language,
            "languages": self._list_languages() if self._is_looking or "turns" in values else (),
            "turns": "",
        }
        return self._mark(self._pages.render(name, status, **{**known, **values}))

    def respond(self, content: bytes) -> HTMLResponse:
        """Return a page that was rendered before."""
        return self._mark(HTMLResponse(content))

    def _mark(self, page: HTMLResponse) -> HTMLResponse:
        page.headers["Content-Language"] = self.language
        page.headers["Vary"] = "Accept-Language"
        return page

    def say(self, title: str, *paragraphs: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page of translated paragraphs, with at most one link."""
        shown = {"link": "", "link_text": "", "languages": (), **values}
        return self.render("message", status, title=title, paragraphs=paragraphs, **shown)

    def _list_languages(self) -> list[tuple[str, str, str]]:
        """List each language with its own name and the URL of this page in it."""
        return [(one, self.name_language(one), f"{self._path}?{LANGUAGE}={one}") for one in self._others]

    def name_language(self, language: str) -> str:
        """Return a language's own name."""
        try:
            name = Locale.parse(language, sep="-").get_display_name() or language
        except (ValueError, UnknownLocaleError):
            name = language
        return name[:1].upper() + name[1:]

    def list_chosen_languages(self, chosen: str | None, catalogues: Catalogues) -> list[tuple[str, str]]:
        """List the languages to choose from, each with its own name, including one that was chosen before.

        A reader of "pt-BR" has chosen Portuguese. One of "fi", without a catalogue, still has chosen Finnish.
        """
        found = catalogues.find(chosen)
        offered = [(chosen if chosen and one == found else one, one) for one in catalogues.languages]
        if chosen and found is None:
            offered.append((chosen, chosen))
        return [(tag, self.name_language(one)) for tag, one in offered]

    def name_day(self, at: datetime) -> str:
        """Return a moment's date in the publication's zone, such as "2 March 2026"."""
        return format_date(at.astimezone(self._settings.zone), "long", locale=self._locale)

    @property
    def _locale(self) -> str:
        return locale_of(self.language)

    def name_hour(self, hour: int) -> str:
        """Return an hour of the day, such as "07:00"."""
        return format_time(time(hour), "short", locale=self._locale)

    def name_zone(self, zone: str) -> str:
        """Return the city that a time zone is named for, such as "Paris"."""
        if "/" not in zone:
            return zone
        return get_timezone_location(zone, locale=self._locale, return_city=True)

    def list_zones(self, chosen: str | None) -> list[tuple[str, str]]:
        """List the time zones by city in this language, including one that was chosen under an older name."""
        found = list_zones(self._locale)
        if chosen is None or any(zone == chosen for zone, _ in found):
            return found
        return [*found, (chosen, self.name_zone(chosen))]

    @property
    def comma(self) -> str:
        """Return the separator of list items in this language."""
        return self.words.phrases.get("comma", ", ")

    def name_topic(self, topic: str) -> str:
        """Return a topic's name in this language, if the settings have one."""
        return self._names.topic(self.language, topic)

    def title_of(self, digest: DigestSettings) -> str:
        """Return a digest's title in this language, if the settings have one."""
        return self._names.text(self.language, digest.title)

    def about(self, digest: DigestSettings, topic: str) -> str:
        """Return the description of a topic; "" if the settings have none."""
        return self._names.text(self.language, digest.about.get(topic, ""))

    def name_cadence(self, name: str) -> str:
        """Return a cadence's name as a label: from the settings, else the usual words, else the name."""
        known = {
            "daily": self.words("Daily"),
            "weekdays": self.words("On weekdays"),
            "weekly": self.words("Weekly"),
            "monthly": self.words("Monthly"),
            "news": self.words("As it happens"),
        }
        given = self._names.given(self.language, name) or known.get(name)
        within = self.name_cadence_within(name)
        return given or within[:1].upper() + within[1:]

    def name_cadence_within(self, name: str) -> str:
        """Return a cadence's name as it stands within a line: "daily", "täglich"."""
        return self._names.cadence(self.words, name)

    def list_numbers(self, digest: DigestSettings, chosen: int | None) -> list[int]:
        """List the numbers of articles that a reader may choose for a digest, including their own."""
        offered = {number for number in _NUMBERS if number < digest.max_articles}
        return sorted(offered | ({chosen} if chosen else set()))

    def list_fewest(self, digest: DigestSettings, chosen: int | None) -> list[int]:
        """List the numbers of articles that a reader may wait for, including their own."""
        offered = {n for n in (2, *_NUMBERS) if digest.min_articles < n <= digest.max_articles}
        return sorted(offered | ({chosen} if chosen else set()))

    def list_quiet(self, chosen: str | None) -> list[tuple[str, str]]:
        """List the quiet hours that are offered, each with its words, including a reader's own."""
        spans = sorted({*QUIET, *([chosen] if chosen else [])})
        return [(span, self._say_span(span)) for span in spans]

    def _say_span(self, span: str) -> str:
        begin, _, end = span.partition("-")
        clock = [format_time(time.fromisoformat(at), "short", locale=self._locale) for at in (begin, end)]
        return self.words("{begin} to {end}", begin=clock[0], end=clock[1])

    def list_cadences(self, digest: DigestSettings) -> list[CadenceChoice]:
        """List a digest's cadences in words, in its own order."""
        return [
            CadenceChoice(name, self.name_cadence(name), self._say_when(digest.cadence(name)))
            for name in digest.cadences
        ]

    def _say_when(self, cadence: Cadence) -> str:
        """Describe when a cadence comes; one with a rule of its own is described by its name and times."""
        if cadence.is_at_once:
            return ""
        clock = self.comma.join(format_time(at, "short", locale=self._locale) for at in cadence.times)
        if cadence.unit is Unit.WEEK and cadence.day is not None:
            day = get_day_names("wide", "stand-alone", self._locale)[cadence.day]
            return f"{day[:1].upper()}{day[1:]}{self.comma}{clock}"
        if cadence.unit is Unit.MONTH and cadence.day is not None:
            return self.words("Day {day} of the month, {time}", day=cadence.day, time=clock)
        return clock

    def word_consent(self, digests: Iterable[DigestSettings]) -> str:
        """Return the sentence that a reader agrees to; it is stored as shown."""
        titles = [self.title_of(digest) for digest in digests]
        publication = self._settings.site.name
        if len(titles) == 1:
            text = self.words(
                "Yes, {publication} may email me {title}. I can unsubscribe at any time.",
                publication=publication,
                title=titles[0],
            )
        else:
            text = self.words(
                "Yes, {publication} may email me what I chose here. I can unsubscribe at any time.",
                publication=publication,
            )
        return text


ZONES = frozenset(zone for zone in time_zones() if "/" in zone and not zone.startswith("Etc/"))
"""The time zones that are named for a city."""


@cache
def list_zones(locale: str) -> list[tuple[str, str]]:
    """List the time zones with their cities, in the order of the cities."""
    named = (zone for zone in ZONES if zone not in get_global("zone_aliases"))
    cities = ((zone, get_timezone_location(zone, locale=locale, return_city=True)) for zone in named)
    return sorted(cities, key=itemgetter(1))


class Views:
    """Makes the view of a request: in the visitor's language, else the reader's, else the publication's."""

    def __init__(self, pages: Pages, settings: Settings, catalogues: Catalogues) -> None:
        self.pages, self._settings, self.catalogues = pages, settings, catalogues

    def own(self) -> View:
        """Return the view in the publication's own language, for feeds, which have no visitor."""
        words = self.catalogues.choose([self._settings.site.language])
        return View(self.pages, self._settings, words, (), "/")

    def of(self, request: Request, *, chosen: str = "", reader: str | None = None) -> View:
        """Return the view of a request; `chosen` is from a form, `reader` from the database."""
        asked = (chosen or request.query_params.get(LANGUAGE, ""))[:_LONGEST_TAG]
        browser = accepted(request.headers.get("accept-language", ""))
        words = self.catalogues.choose([asked, reader, *browser, self._settings.site.language])
        languages, path = self.catalogues.languages, quote(request.url.path)
        is_looking = request.method in ("GET", "HEAD")
        return View(self.pages, self._settings, words, languages, path, is_looking=is_looking)
