"""Commands about articles and their sources."""

import sys
from datetime import datetime
from typing import Any

from digest.cli.common import DEFAULT, AsJson, Common, application
from digest.cli.output import say, show_json, show_table
from digest.cli.sending import complain
from digest.models import Article
from digest.store import articles
from digest.tasks.fetching import add_documents

_LISTED = ("id", "title", "url", "published_at", "topics", "source", "author", "first_seen_at")


def add(*places: str, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Add web pages, saved pages, Markdown or plain text.

    Parameters
    ----------
    places:
        Paths or URLs.
    """
    with application(common) as app:
        report = add_documents(app.database, app.settings, places, app.clock())
    if json:
        show_json({"added": report.added, "updated": report.updated, "unchanged": report.unchanged,
                   "rejected": [{"item": r.item, "why": r.why} for r in report.rejected]})  # fmt: skip
    else:
        say(f"{report.added} new, {report.updated} updated, {report.unchanged} unchanged", quiet=common.quiet)
    if complain([report]):
        sys.exit(1)


def list_(
    *,
    topic: str | None = None,
    source: str | None = None,
    since: datetime | None = None,
    search: str | None = None,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """List articles, newest first.

    Parameters
    ----------
    topic:
        Only those of this topic.
    source:
        Only those of this source.
    since:
        Only those from this date on.
    search:
        Only those with this text.
    """
    with application(common) as app, app.database.read() as session:
        moment = since.replace(tzinfo=app.settings.zone) if since and since.tzinfo is None else since
        found = articles.list_articles(session, source=source, since=moment, search=search)
    rows = [_row(article) for article in found if topic is None or topic in article.topics]
    if json:
        show_json(rows)
    else:
        show_table(["id", "published_at", "topics", "source", "title"], rows)


def show(article_id: int, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show an article with its text.

    Parameters
    ----------
    article_id:
        Its id, as `digest articles list` shows it.
    """
    with application(common) as app, app.database.read() as session:
        article = articles.get_article(session, article_id)
    if json:
        show_json(article.model_dump(mode="json"))
        return
    for name in ("title", "url", "source", "author", "published_at", "place", "agency"):
        if getattr(article, name):
            say(f"{name}: {getattr(article, name)}")
    say(f"topics: {', '.join(article.topics)}")
    for line in ["", *article.text.splitlines()]:
        say(line)


def hide(article_id: int, *, common: Common = DEFAULT) -> None:
    """Keep an article out of coming editions.

    Parameters
    ----------
    article_id:
        Its id, as `digest articles list` shows it.
    """
    with application(common) as app, app.database.write() as session:
        article = articles.get_article(session, article_id)
        article.hidden_at = article.hidden_at or app.clock()
        session.add(article)
    say(f"article {article_id} is hidden", quiet=common.quiet)


def pin(article_id: int, *, common: Common = DEFAULT) -> None:
    """Put an article first in coming editions.

    Parameters
    ----------
    article_id:
        Its id, as `digest articles list` shows it.
    """
    with application(common) as app, app.database.write() as session:
        article = articles.get_article(session, article_id)
        article.pinned_at = article.pinned_at or app.clock()
        session.add(article)
    say(f"article {article_id} is pinned", quiet=common.quiet)


def _row(article: Article) -> dict[str, Any]:
    return {name: getattr(article, name) for name in _LISTED} | {
        "published_at": article.published_at and article.published_at.isoformat(),
        "first_seen_at": article.first_seen_at.isoformat(),
        "hidden": article.hidden_at is not None,
        "pinned": article.pinned_at is not None,
    }
