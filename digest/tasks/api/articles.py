"""Articles that programs send in, change and withdraw; cleaned and matched as a feed's are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from typing import Any

from sqlmodel import Session

from digest.articles.building import build_article
from digest.articles.html.titles import Markup
from digest.articles.parsed import ParsedArticle
from digest.errors import InputError
from digest.models import Article, Edition
from digest.models.row import row_id
from digest.rules.articles.sources import API, BY_HAND, LETTERS
from digest.settings import Settings
from digest.store.articles import articles
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.store.editions import archive
from digest.tasks.articles.searching import AT_ONCE, index_due
from digest.tasks.articles.storing import replace_article, store_articles
from digest.tasks.articles.topics import topics_by
from digest.tasks.articles.withdrawing import Withdrawn, withdraw

_GUID = "api:"
_RESERVED = (BY_HAND, LETTERS)
_FIELDS = ("url", "title", "html", "summary", "author", "image", "image_alt", "language", "published_at")


class ArticleWithdrawn(InputError):  # noqa: N818 - named for what happened
    """Refuse the change: the article is withdrawn."""


class ForeignArticle(InputError):  # noqa: N818 - named for what it is
    """Refuse the change: the article comes from elsewhere, whose next fetch would undo it."""


class ArticleUnknown(InputError):  # noqa: N818 - named for what it is
    """Refuse: there is no such article."""


@dataclass(frozen=True, slots=True)
class SentArticle:
    """An article as a program sends it; `html` and `summary` are HTML of any kind, all else is plain text."""

    url: str
    title: str
    html: str = ""
    summary: str = ""
    author: str | None = None
    image: str | None = None
    image_alt: str | None = None
    language: str | None = None
    topics: tuple[str, ...] = ()
    published_at: datetime | None = None
    external_id: str | None = None
    source: str = API


@dataclass(frozen=True, slots=True)
class TakenArticle:
    """An article as it is stored; `is_new` where it was not known before."""

    article: Article
    is_new: bool = False
    editions: list[Edition] = field(default_factory=list)


def external_id(article: Article) -> str | None:
    """Return the id under which a program sent an article in; None where it named none."""
    guid = article.guid or ""
    return guid.removeprefix(_GUID) if guid.startswith(_GUID) else None


def take_article(database: Database, settings: Settings, sent: SentArticle, now: datetime) -> TakenArticle:
    """Store an article, or update the one with its external id; raise InputError where it cannot be taken."""
    taken = _take(database, settings, sent, now)
    index_due(database, AT_ONCE)
    return taken


def _take(database: Database, settings: Settings, sent: SentArticle, now: datetime) -> TakenArticle:
    item = _build(sent)
    with database.write() as session:
        _check_source(session, settings, sent.source)
        articles.take_turns(session)
        known = _find(session, sent.source, item)
        if known is not None:
            _check_stands(known)
            replace_article(session, known, item, now, topics_by(session, settings))
            return TakenArticle(known)
        stored = store_articles(
            session, sent.source, [item], now, topics=topics_by(session, settings), is_complete=False
        )
        session.flush()
        row = _find(session, sent.source, item) or articles.get_article(session, item.canonical_url)
        _check_stands(row)
        return TakenArticle(row, stored.added > 0)


def change_article(
    database: Database, settings: Settings, article_id: int, changes: Mapping[str, Any], now: datetime
) -> TakenArticle:
    """Change fields of an article that was sent in; None clears one. Raise InputError where that is wrong."""
    with database.write() as session:
        articles.take_turns(session)
        row = _get(session, article_id)
        known = {source.name for source in known_sources(session, settings)}
        if row.source in known or row.source in _RESERVED:
            raise ForeignArticle(f"article {article_id} comes from the source {row.source}: change it there")
        _check_stands(row)
        given: dict[str, Any] = {name: changes[name] for name in _FIELDS if name in changes}
        given |= {name: given[name] or "" for name in ("html", "summary") if name in given}
        if "topics" in changes:
            given["topics"] = tuple(changes["topics"] or ())
        sent = replace(_sent(row), **given)
        replace_article(session, row, _build(sent, row.guid), now, topics_by(session, settings))
    index_due(database, AT_ONCE)
    return TakenArticle(row)


def find_article(database: Database, article_id: int) -> TakenArticle:
    """Return an article with the editions that it stood in; raise ArticleUnknown if there is none."""
    with database.read() as session:
        row = _get(session, article_id)
        return TakenArticle(row, editions=archive.list_holding(session, article_id))


def withdraw_article(
    database: Database, article_id: int, reason: str, clock: Callable[[], datetime]
) -> Withdrawn:
    """Withdraw an article; done again, it completes what is left. Raise ArticleUnknown if there is none."""
    with database.read() as session:
        _get(session, article_id)
    return withdraw(database, str(article_id), reason, clock)


def _get(session: Session, article_id: int) -> Article:
    found = articles.get_articles(session, [article_id]).get(article_id)
    if found is None:
        raise ArticleUnknown(f"there is no article {article_id}")
    return found


def _find(session: Session, source: str, item: ParsedArticle) -> Article | None:
    """Find the article with an external id: the program's word for which article it is counts."""
    if item.guid is None:
        return None
    return next(articles.list_by_guid(session, source, [item.guid]), None)


def _check_source(session: Session, settings: Settings, source: str) -> None:
    if source in _RESERVED or any(one.name == source for one in known_sources(session, settings)):
        raise InputError(f'"{source}" is the name of a source that is fetched: use another name, or none')


def _check_stands(row: Article) -> None:
    if row.withdrawn_at is not None:
        raise ArticleWithdrawn(f"article {row_id(row)} is withdrawn for good: send it in as another article")


def _sent(row: Article) -> SentArticle:
    return SentArticle(
        url=row.url, title="" if row.title_formed else row.title, html=row.html, summary=escape(row.summary),
        author=row.author, image=row.image_url, image_alt=row.image_alt, language=row.language,
        topics=tuple(row.categories if row.categories is not None else row.topics),
        published_at=row.published_at, source=row.source,
    )  # fmt: skip


def _build(sent: SentArticle, guid: str | None = None) -> ParsedArticle:
    return build_article(
        title=sent.title, title_markup=Markup.TEXT, url=sent.url, html=sent.html, summary=sent.summary,
        guid=guid or (f"{_GUID}{sent.external_id}" if sent.external_id else None), author=sent.author,
        image=sent.image, image_alt=sent.image_alt, language=sent.language, topics=sent.topics,
        published_at=sent.published_at,
    )  # fmt: skip
