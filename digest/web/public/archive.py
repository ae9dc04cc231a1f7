"""The archive's pages and feeds, open to anybody; GET changes nothing, and no page knows a reader."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from fastapi import HTTPException, Request
from markupsafe import Markup
from starlette.responses import Response

from digest.articles.introductions import introduce, with_sponsor
from digest.mail.rendering.templates import safe_href
from digest.models import Article, Edition
from digest.models.row import row_id
from digest.rules.editions.sections import edition_topics, place_blocks
from digest.settings import DigestSettings, Settings
from digest.tasks.archive import Archive, ArchiveList, Published
from digest.web.public.feeds import atom, sitemap
from digest.web.shared.conditional import answer
from digest.web.shared.routes import PageRoutes
from digest.web.shared.security import policy
from digest.web.shared.views import View, Views

FEED_LENGTH = 20
_MOST_IN_SITEMAP = 50_000  # sitemaps.org, "Sitemap index"
_DESCRIPTION = 160
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class ArchiveItem:
    """An article as a page of the archive shows it."""

    article: Article
    url: str
    picture: str
    tongue: str
    corrections: tuple[tuple[datetime, Markup], ...] = ()


class ArchivePages:
    """The archive's endpoints."""

    def __init__(self, archive: Archive, views: Views, settings: Settings) -> None:
        self._archive = archive
        self._views = views
        self._own = views.own()
        self._settings = settings
        self._base = settings.site.base_url

    def routes(self) -> PageRoutes:
        """Return the routes."""
        routes = PageRoutes()
        for path, endpoint in (
            ("/archive", self.index),
            ("/archive/feed.xml", self.feed),
            ("/archive/{digest}", self.shelf),
            ("/archive/{digest}/feed.xml", self.feed_of),
            ("/archive/{digest}/{cadence}/{period}", self.edition),
            ("/sitemap.xml", self.sitemap),
            ("/robots.txt", self.robots),
        ):
            routes.look(path, endpoint)
        return routes

    def index(self, request: Request, page: str = "1") -> Response:
        """List the editions of all public digests."""
        return self._show_shelf(request, None, page)

    def shelf(self, request: Request, digest: str, page: str = "1") -> Response:
        """List the editions of one digest."""
        return self._show_shelf(request, self._digest(digest), page)

    def edition(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Show one edition."""
        found = self._archive.find(digest, cadence, period)
        if found is None:
            raise HTTPException(_NOT_FOUND)
        view = self._views.of(request)
        title = self._title(view, found.digest, found.edition)
        items = {article.id: self._item(article, found) for article in found.articles}
        shown: dict[str, Any] = {
            "found": found,
            "lead": items[found.lead.id] if found.lead else None,
            "parts": [(part.topic, [items[article.id] for article in part.articles]) for part in found.parts],
            "blocks": self._blocks(found),
            "earlier": [items[article.id] for article in found.earlier],
            "related": [self._item(article, found) for article in found.related],
            "introduction": self._written(
                with_sponsor(found.edition.introduction, found.edition.sponsor, view.words("Advertisement"))
            ),
            "wording": view.word_consent([found.digest]),
            "before": found.beside.before and self._path(found.beside.before),
            "after": found.beside.after and self._path(found.beside.after),
            "feed": f"/archive/{digest}/feed.xml",
        }
        pictures = [item.picture for item in items.values() if item.picture]
        about = " · ".join(article.title for article in found.articles)
        rendered = view.render(
            "archive_edition",
            title=title,
            meta=self._meta(self._path(found.edition), title, about, next(iter(pictures), "")),
            **shown,
        )
        page = _answer_view(request, rendered, self._changed_at(found))
        page.headers["Content-Security-Policy"] = policy(pictures)
        return page

    def feed(self, request: Request) -> Response:
        """Return the feed of all public digests."""
        return self._feed(request, None)

    def feed_of(self, request: Request, digest: str) -> Response:
        """Return the feed of one digest."""
        return self._feed(request, self._digest(digest))

    def sitemap(self, request: Request) -> Response:
        """List every page of the archive for search engines."""
        pages = [("/archive", None)] if self._archive.digests else []
        editions = self._archive.list_all(_MOST_IN_SITEMAP - 1 - len(self._archive.digests))
        pages += [(f"/archive/{digest.name}", None) for digest in self._archive.digests]
        named = [*pages, *((self._path(one), one.frozen_at) for one in editions)]
        content = sitemap([(self._base + path, at) for path, at in [("/", None), *named]])
        return answer(request, content, "application/xml", None)

    def robots(self, request: Request) -> Response:
        """Point search engines to the sitemap; personal pages declare themselves as not to be indexed."""
        text = f"User-agent: *\nAllow: /\nSitemap: {self._base}/sitemap.xml\n"
        return answer(request, text.encode(), "text/plain", None)

    def _digest(self, name: str) -> DigestSettings:
        found = self._archive.find_digest(name)
        if found is None:
            raise HTTPException(_NOT_FOUND)
        return found

    def _show_shelf(self, request: Request, digest: DigestSettings | None, page: str) -> Response:
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 0
        shelf = self._archive.shelf(digest, number)
        if shelf is None or not self._archive.digests:
            raise HTTPException(_NOT_FOUND)
        home = f"/archive/{digest.name}" if digest else "/archive"
        view = self._views.of(request)
        name = view.title_of(digest) if digest else self._settings.site.name
        title = view.words("All editions") if digest is None else f"{name}: {view.words('All editions')}"
        about = view.words("Every edition of {title}, to read online.", title=name)
        rendered = view.render(
            "archive",
            title=title,
            meta=self._meta(home + (f"?page={number}" if number > 1 else ""), title, about, ""),
            digest=digest,
            digests=self._archive.digests,
            entries=self._entries(view, shelf),
            shelf=shelf,
            home=home,
            wording=view.word_consent([digest]) if digest else "",
            feed=f"{home}/feed.xml",
        )
        return _answer_view(request, rendered, None)

    def _entries(self, view: View, shelf: ArchiveList) -> list[dict[str, object]]:
        return [
            {
                "digest": entry.digest,
                "name": view.name_day(entry.edition.deadline_at),
                "cadence": entry.edition.cadence,
                "path": self._path(entry.edition),
                "titles": entry.titles,
            }
            for entry in shelf.entries
        ]

    def _feed(self, request: Request, digest: DigestSettings | None) -> Response:
        latest = self._archive.latest(digest, FEED_LENGTH)
        home = f"/archive/{digest.name}" if digest else "/archive"
        title = f"{self._settings.site.name}: {digest.title}" if digest else self._settings.site.name
        entries = [
            (self._title(self._own, one.digest, one.edition), self._base + self._path(one.edition), one)
            for one in latest
        ]
        content = atom(self._base, home, title, self._settings.site, entries)
        changed_at = max((one.updated_at for one in latest), default=None)
        return answer(request, content, "application/atom+xml", changed_at)

    def _item(self, article: Article, found: Published) -> ArchiveItem:
        picture = safe_href(found.pictures.get(row_id(article)))
        language = article.language or self._settings.site.language
        notices = tuple(
            (one.at, self._written(one.text)) for one in found.corrections.get(row_id(article), ())
        )
        return ArchiveItem(article, safe_href(article.url), picture, language, notices)

    def _blocks(self, found: Published) -> list[list[Markup]]:
        """Return the editors' texts that follow the lead, then those that follow each section."""
        shown = [part.topic for part in found.parts]
        topics = edition_topics(found.digest.topics, found.edition.sections)
        placed = place_blocks([block["place"] for block in found.edition.blocks], shown, topics)
        parts: list[list[Markup]] = [[] for _ in range(len(shown) + 1)]
        for part, block in zip(placed, found.edition.blocks, strict=True):
            parts[part].append(self._written(block["text"]))
        return parts

    def _written(self, markdown: str) -> Markup:
        """Return an editor's text as HTML; it is cleaned, so it needs no escaping."""
        return Markup(introduce(markdown, self._base))  # noqa: S704 - cleaned by introduce

    def _path(self, edition: Edition) -> str:
        return f"/archive/{edition.digest}/{edition.cadence}/{quote(edition.period, safe=':')}"

    def _title(self, view: View, digest: DigestSettings, edition: Edition) -> str:
        return f"{view.title_of(digest)}, {view.name_day(edition.deadline_at)}"

    def _meta(self, path: str, title: str, about: str, picture: str) -> dict[str, str]:
        short = about if len(about) <= _DESCRIPTION else about[:_DESCRIPTION].rpartition(" ")[0] + " …"
        return {"url": self._base + path, "title": title, "about": short, "picture": picture}

    def _changed_at(self, found: Published) -> datetime:
        after = found.beside.after
        return max([found.updated_at, *([after.frozen_at] if after and after.frozen_at else [])])


def _answer_view(request: Request, page: Response, changed_at: datetime | None) -> Response:
    """Answer with a page that depends on the visitor's language, so caches must vary by it."""
    found = answer(request, bytes(page.body), "text/html", changed_at)
    for name in ("Content-Language", "Vary"):
        found.headers[name] = page.headers[name]
    return found
