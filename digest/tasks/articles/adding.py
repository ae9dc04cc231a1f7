"""Add single documents: web pages, saved pages, Markdown and plain text."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from digest.articles.documents.detect import parse_document
from digest.articles.parsed import ParsedArticle, Rejected
from digest.errors import DigestError
from digest.models import Article
from digest.net.files import read_file
from digest.rules.articles.sources import BY_HAND
from digest.safe_text import without_secrets
from digest.settings import Settings
from digest.store.articles import articles
from digest.store.database import Database
from digest.tasks.articles.fetching import FetchReport
from digest.tasks.articles.searching import AT_ONCE, index_due
from digest.tasks.articles.storing import store_articles
from digest.tasks.articles.topics import topics_by
from digest.tasks.sources.site import check_address


def add_documents(
    database: Database, settings: Settings, places: Iterable[str], now: datetime
) -> FetchReport:
    """Store single pages, saved pages, Markdown or plain text, by path or URL, under the source "added"."""
    report = FetchReport(BY_HAND)
    for place in places:
        try:
            parsed = _read_document(settings, place, now)
        except DigestError as error:
            report.rejected.append(Rejected(without_secrets(place), str(error)))
            continue
        with database.write() as session:
            articles.take_turns(session)
            made_by = topics_by(session, settings)
            report.count(store_articles(session, BY_HAND, [parsed], now, topics=made_by))
    index_due(database)
    return report


def read_page(address: str, now: datetime) -> ParsedArticle:
    """Read what a public web page would bring as an article; raise DigestError where it cannot be taken."""
    return _read_page(check_address(address.strip()), now)


def add_page(database: Database, settings: Settings, address: str, now: datetime) -> Article:
    """Store the article of a public web page, and return it as it is stored."""
    parsed = read_page(address, now)
    with database.write() as session:
        articles.take_turns(session)
        store_articles(session, BY_HAND, [parsed], now, topics=topics_by(session, settings))
        added = articles.get_article(session, parsed.canonical_url)
    index_due(database, AT_ONCE)
    return added


def _read_document(settings: Settings, place: str, now: datetime) -> ParsedArticle:
    if place.startswith(("http://", "https://")):
        return _read_page(place, now)
    path = Path(place)
    return parse_document(read_file(path), name=path.name, base_url=settings.site.base_url, now=now)


def _read_page(url: str, now: datetime) -> ParsedArticle:
    from digest.net.http import fetch

    fetched = fetch(url)
    return parse_document(
        fetched.content,
        name=url,
        base_url=fetched.url,
        url=fetched.url,
        content_type=fetched.content_type,
        now=now,
    )
