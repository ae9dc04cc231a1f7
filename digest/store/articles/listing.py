"""The list of articles for editors: filtered, ordered and limited by the database."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, String, cast
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from digest.models import Article
from digest.models.article import ArticleFilter
from digest.models.row import ListPage, row_id
from digest.store.articles import search
from digest.store.articles.articles import WITHOUT_BODIES
from digest.store.bounded_search import end_of, find_page
from digest.store.many_values import is_one_of

_AT_ONCE = 500
MOST_READ = 20_000
"""How many articles one page of a search reads at most."""
_LIKELY = 200
"""From how many of the newest that match those for an edition are taken."""
_SHOWN = (
    "id", "title", "url", "published_at", "topics", "source", "author", "first_seen_at", "hidden_at",
    "pinned_at",
)  # fmt: skip


def list_articles(session: Session, wanted: ArticleFilter, limit: int) -> Iterator[dict[str, Any]]:
    """Yield at most `limit` articles, newest first, without their texts; 0 means no limit, and streams."""
    query: Any = select(*(getattr(Article, name) for name in _SHOWN))
    if wanted.search:
        query = query.where(search.has_words(session, wanted.search))
    query = query.where(*_conditions(wanted)).order_by(_dated().desc(), col(Article.id).desc())
    if limit:
        query = query.limit(limit)
    for row in session.exec(query.execution_options(yield_per=_AT_ONCE)):
        yield dict(zip(_SHOWN, row, strict=True))


def find_articles(
    session: Session, wanted: ArticleFilter, below: int | None, limit: int
) -> ListPage[Article]:
    """Find a page of the articles that match, the last stored first, without their bodies.

    With words, these are the articles that the index has with them (`store.articles.search`).
    """
    if wanted.search:
        return _find_with_words(session, wanted, end_of(session, col(Article.id), below), limit)
    query = select(Article).where(*_conditions(wanted)).options(*WITHOUT_BODIES)
    return find_page(session, query, col(Article.id), below, limit, MOST_READ)


def _find_with_words(session: Session, wanted: ArticleFilter, top: int, limit: int) -> ListPage[Article]:
    conditions = list(_conditions(wanted))
    most = MOST_READ if conditions else limit + 1
    ids = search.list_found(session, wanted.search, below=top, most=most)
    unread = search.count_due(session, MOST_READ)
    found = _first_of(session, ids, limit + 1, *conditions)
    if len(found) > limit:
        return ListPage(found[:limit], row_id(found[limit - 1]), is_whole=True, unread=unread)
    is_end = len(ids) < most
    return ListPage(found, None if is_end else ids[-1], is_whole=is_end, unread=unread)


def find_for_edition(session: Session, words: str, limit: int) -> list[Article]:
    """Find articles that an editor may mean, without their texts: those with these words in the title first.

    None of them is hidden or withdrawn. Of each kind the newest come first.
    """
    found: dict[int, Article] = {}
    for in_title in (True, False):
        ids = search.list_found(session, words, most=_LIKELY, in_title=in_title)
        may_be_shown = col(Article.hidden_at).is_(None), col(Article.withdrawn_at).is_(None)
        for article in _first_of(session, [one for one in ids if one not in found], limit, *may_be_shown):
            found[row_id(article)] = article
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def find_filtered(session: Session, wanted: ArticleFilter, limit: int) -> list[Article]:
    """Find articles that match and may be shown, the last stored first, among those that one page reads."""
    page = find_articles(session, replace(wanted, hidden=False), None, limit)
    return [one for one in page.rows if one.withdrawn_at is None]


def _first_of(
    session: Session, ids: Sequence[int], limit: int, *conditions: ColumnElement[bool]
) -> list[Article]:
    """Return the first of some articles, in falling order of ids, that fulfil conditions.

    A few are likely to be enough; if they are not, all others are looked through at once.
    """
    found: list[Article] = []
    for part in (ids[:_AT_ONCE], ids[_AT_ONCE:]):
        if part and len(found) < limit:
            query = _newest_first(is_one_of(session, col(Article.id), part), *conditions)
            found.extend(session.exec(query.limit(limit - len(found))))
    return found


def _newest_first(*conditions: ColumnElement[bool]) -> SelectOfScalar[Article]:
    return select(Article).where(*conditions).options(*WITHOUT_BODIES).order_by(col(Article.id).desc())


def _dated() -> ColumnElement[Any]:
    return func.coalesce(Article.published_at, Article.first_seen_at)


def _conditions(wanted: ArticleFilter) -> Iterator[ColumnElement[bool]]:
    """Yield what an article that matches fulfils, its words aside."""
    if wanted.topic:
        yield _has_topic(wanted.topic)
    if wanted.source:
        yield col(Article.source) == wanted.source
    if wanted.since:
        yield _dated() >= wanted.since
    if wanted.until:
        yield _dated() < wanted.until
    for state, field in ((wanted.hidden, Article.hidden_at), (wanted.pinned, Article.pinned_at)):
        if state is not None:
            yield col(field).is_not(None) if state else col(field).is_(None)


def _has_topic(topic: str) -> ColumnElement[bool]:
    # No topic contains a quotation mark, so the quoted topic matches whole members of the list only.
    return cast(col(Article.topics), String).contains(json.dumps(topic), autoescape=True)
