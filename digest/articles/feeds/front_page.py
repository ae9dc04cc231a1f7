"""Facts about a site from its front page: name, language, colour, icon, sections."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from digest.articles.html.cleaning import safe_url
from digest.safe_text import printable

_MOST_READ = 1_000_000
_MOST_SECTIONS = 8
_LONGEST_NAME = 80
_SECTION = re.compile(r"/[a-z0-9][a-z0-9-]{1,30}/?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_NO_SECTIONS = frozenset({
    "about", "account", "advertise", "archive", "contact", "cookies", "donate", "faq", "feed", "help", "home",
    "imprint", "impressum", "jobs", "legal", "login", "newsletter", "newsletters", "privacy", "register",
    "search", "shop", "signin", "signup", "sitemap", "subscribe", "tag", "terms",
})  # fmt: skip
_SEPARATORS = re.compile(r"\s+[|–—·•:-]\s+")


@dataclass(frozen=True, slots=True)
class SiteSection:
    """A section in the site's own navigation: `name` can be a topic, `path` is such as "/business"."""

    name: str
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The facts found; what the page does not state is empty."""

    name: str = ""
    language: str = ""
    colour: str = ""
    icon: str = ""
    sections: tuple[SiteSection, ...] = ()


@dataclass(slots=True)
class _StatedOnPage:
    meta: dict[str, str] = field(default_factory=dict)
    title: str = ""
    language: str = ""
    icon: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)


class _FrontPageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = _StatedOnPage()
        self._in_title, self._navs, self._href, self._words = False, 0, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handle a start tag."""
        found = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.seen.language = self.seen.language or found.get("lang", "")
        elif tag == "meta":
            name = (found.get("property") or found.get("name", "")).lower()
            self.seen.meta.setdefault(name, found.get("content", ""))
        elif tag == "link" and "icon" in found.get("rel", "").lower():
            self.seen.icon = (
                found.get("href", "") if "apple" in found["rel"] else self.seen.icon or found.get("href", "")
            )
        elif tag == "title":
            self._in_title = not self.seen.title
        elif tag == "nav":
            self._navs += 1
        elif tag == "a" and self._navs:
            self._href, self._words = found.get("href", ""), ""

    def handle_endtag(self, tag: str) -> None:
        """Handle an end tag."""
        if tag == "title":
            self._in_title = False
        elif tag == "nav":
            self._navs = max(0, self._navs - 1)
        elif tag == "a" and self._href:
            self.seen.links.append((self._href, " ".join(self._words.split())))
            self._href = ""

    def handle_data(self, data: str) -> None:
        """Collect the text of the title and of links."""
        if self._in_title:
            self.seen.title += data
        elif self._href:
            self._words += data


def read_front_page(page: bytes, url: str) -> FrontPage:
    """Read a front page's facts about its site; all of it is hostile until checked here."""
    reader = _FrontPageReader()
    reader.feed(page[:_MOST_READ].decode("utf-8", "replace"))
    seen = reader.seen
    colour, language = seen.meta.get("theme-color", "").strip(), seen.language.strip().replace("_", "-")
    return FrontPage(
        name=_name(seen),
        language=language if _LANGUAGE.fullmatch(language) else "",
        colour=colour.lower() if _COLOUR.fullmatch(colour) else "",
        icon=safe_url(seen.icon, url) or "" if seen.icon else "",
        sections=_sections(seen.links, url),
    )


def _name(seen: _StatedOnPage) -> str:
    stated = seen.meta.get("og:site_name") or seen.meta.get("application-name")
    parts = [stated] if stated else sorted(_SEPARATORS.split(seen.title.strip()), key=len)[:1]
    return " ".join(printable(parts[0] if parts else "").replace("\ufffd", " ").split())[:_LONGEST_NAME]


def _sections(links: list[tuple[str, str]], url: str) -> tuple[SiteSection, ...]:
    host, found = urlsplit(url).netloc, dict[str, SiteSection]()
    for href, words in links:
        parts = urlsplit(urljoin(url, href))
        name = parts.path.strip("/")
        is_own = parts.netloc == host and _SECTION.fullmatch(parts.path) and name not in _NO_SECTIONS
        if is_own and 1 < len(words) <= 30 and not parts.query and len(found) < _MOST_SECTIONS:
            found.setdefault(name, SiteSection(name, printable(words), f"/{name}"))
    return tuple(found.values())
