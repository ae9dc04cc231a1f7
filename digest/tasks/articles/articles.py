"""Commands on stored articles: list, show, hide, pin, split, find related, prune."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from digest.articles.related import Index
from digest.errors import UsageError
from digest.models import Article, Edition, Fold
from digest.models.article import ArticleFilter
from digest.models.row import ListPage, row_id
from digest.settings import Settings
from digest.store.articles import articles, duplicates, images, pruning
from digest.store.articles import related as stories
from digest.store.articles.duplicates import OtherSource
from digest.store.articles.listing import find_articles
from digest.store.articles.listing import list_articles as select_articles
from digest.store.database import Database
from digest.store.editions import archive
from digest.tasks.articles import duplicates as folding
from digest.tasks.articles.searching import index_due

PAGE = 50
Mark = Literal["hidden_at", "pinned_at"]


@dataclass(frozen=True, slots=True)
class ShownArticle:
    """An article with the other articles of its story: those folded into it, and its root."""

    article: Article
    also_at: Sequence[OtherSource] = ()
    folded_into: Article | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning deleted, or would delete."""

    removed: int
    emptied: int
    before: datetime


def list_articles(database: Database, wanted: ArticleFilter, limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` articles, newest first, without their texts; 0 means no limit."""
    with database.read() as session:
        return list(select_articles(session, wanted, limit))


def list_page(
    database: Database, wanted: ArticleFilter, below: int | None, limit: int = PAGE
) -> ListPage[Article]:
    """List a page of the articles that match, the last stored first, without their texts."""
    with database.read() as session:
        return find_articles(session, wanted, below, limit)


def list_editions_of(database: Database, article_id: int) -> list[Edition]:
    """List the editions that an article stood in for some reader, the latest first."""
    with database.read() as session:
        return archive.list_holding(session, article_id)


def show_article(database: Database, name: str) -> ShownArticle:
    """Return an article by id or URL with its story; raise InputError if there is none."""
    with database.read() as session:
        found = articles.get_article(session, name)
        number = row_id(found)
        told = duplicates.list_told(session, [number]).get(number, [])
        root_id = duplicates.story_of(session, number)[0]
        root = None if root_id == number else articles.get_article(session, str(root_id))
        return ShownArticle(found, told, root)


def mark_article(database: Database, name: str, mark: Mark, now: datetime, *, on: bool) -> int:
    """Hide or pin an article, or undo that; return its id.

    An article that is no longer hidden is no longer held back either.
    """
    with database.write() as session:
        found = articles.get_article(session, name)
        setattr(found, mark, (getattr(found, mark) or now) if on else None)
        if mark == "hidden_at" and not on:
            found.held_back = None
        session.add(found)
        return row_id(found)


def split_article(database: Database, name: str, now: datetime) -> Fold:
    """Separate an article from its root; raise InputError if that is impossible."""
    with database.write() as session:
        return folding.split(session, row_id(articles.get_article(session, name)), now)


def list_related(
    database: Database, name: str, limit: int, now: datetime, *, stored_last: int = stories.STORED_LAST
) -> list[Article]:
    """Return the articles nearest to one, the nearest first, among the latest 10,000.

    A page asks for those `stored_last` alone, because it has to come at once.
    """
    with database.read() as session:
        found = articles.get_article(session, name)
        index = Index(stories.list_stories(session, before=now, stored_last=stored_last))
        near = index.near([stories.to_story(found)], limit)
        known = articles.get_articles(session, near)
        return [known[number] for number in near]


def prune(
    database: Database, settings: Settings, now: datetime, older_than: timedelta, *, dry_run: bool
) -> Pruned:
    """Prune articles older than a period; raise UsageError if an edition could still use them."""
    longest = max(max(digest.carry, digest.lookback) for digest in settings.digests)
    if older_than <= longest:
        raise UsageError(
            f'--older-than "{older_than.days}d" is within reach of an edition: the longest "carry" or'
            f' "lookback" of a digest is {longest.days} days; name more'
        )
    before = now - older_than
    if dry_run:
        with database.read() as session:
            counted = pruning.count_prunable(session, before)
    else:
        with database.write() as session:
            articles.take_turns(session)
            counted = pruning.prune(session, before)
            images.forget_unused(session)
        index_due(database)
    return Pruned(counted.removed, counted.emptied, before)
