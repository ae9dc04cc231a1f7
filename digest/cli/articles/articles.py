"""Commands about articles and their sources."""

import sys
from datetime import datetime
from typing import Annotated, Any

from cyclopts import Parameter, validators

from digest.cli.editions.send import complain
from digest.cli.terminal.common import (
    DEFAULT,
    MOST,
    AsJson,
    AtLeastOne,
    Common,
    application,
    in_zone,
    layout_of,
    read_duration,
)
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.tables import say_moment, show_table
from digest.models.article import ArticleFilter
from digest.tasks.articles import articles
from digest.tasks.articles.adding import add_documents
from digest.tasks.articles.articles import Mark

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
    search: str = "",
    hidden: bool | None = None,
    pinned: bool | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=MOST))] = 100,
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
        Only those with all these words.
    hidden:
        Only hidden ones, or only those that are not.
    pinned:
        Only pinned ones, or only those that are not.
    limit:
        List at most this many; 0 lists all.
    """
    with application(common) as app:
        moment = in_zone(since, app.settings.zone, "--since") if since else None
        wanted = ArticleFilter(topic, source, moment, search, hidden, pinned)
        found = articles.list_articles(app.database, wanted, limit and limit + 1)
        layout = layout_of(app)
    rows = [_row(one) for one in found]
    more = bool(limit) and len(rows) > limit
    if json:
        show_json(rows[: limit or None])
    else:
        show_table(["id", "published_at", "topics", "source", "title"], rows[: limit or None], layout)
    if more:
        warn(f"the first {limit} articles; --limit 0 shows all")


def show(article: str, *, json: AsJson = False, common: Common = DEFAULT) -> None:
    """Show an article with its text.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    """
    with application(common) as app:
        shown = articles.show_article(app.database, article)
        moments = app.settings.zone, app.clock()
    found, into = shown.article, shown.folded_into
    also_at = [
        {"id": t.article_id, "source": t.source, "title": t.title, "url": t.url} for t in shown.also_at
    ]
    if json:
        show_json(found.model_dump(mode="json") | {"also_at": also_at, "folded_into": into and into.id})
        return
    for name in ("title", "url", "source", "author", "place", "agency"):
        if getattr(found, name):
            say(f"{name}: {getattr(found, name)}")
    if found.published_at:
        say(f"published: {say_moment(found.published_at, *moments)}")
    say(f"topics: {', '.join(found.topics)}")
    for name in ("hidden_at", "pinned_at"):
        if getattr(found, name):
            say(f"{name.removesuffix('_at')} since {say_moment(getattr(found, name), *moments)}")
    if found.held_back:
        say(f"held back: {found.held_back}")
    for place in also_at:
        say(f"also at {place['source']}: {place['url']} (article {place['id']})")
    if into is not None:
        say(f"folded into article {into.id} of {into.source}: {into.url}")
    for line in ["", *found.text.splitlines()]:
        say(line)


def hide(article: str, *, common: Common = DEFAULT) -> None:
    """Keep an article out of future editions.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    """
    _mark(common, article, "hidden_at", "is hidden", on=True)


def unhide(article: str, *, common: Common = DEFAULT) -> None:
    """Allow a hidden or held-back article in future editions.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    """
    _mark(common, article, "hidden_at", "is not hidden", on=False)


def pin(article: str, *, common: Common = DEFAULT) -> None:
    """Put an article first in future editions.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    """
    _mark(common, article, "pinned_at", "is pinned", on=True)


def unpin(article: str, *, common: Common = DEFAULT) -> None:
    """Return a pinned article to its usual place.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    """
    _mark(common, article, "pinned_at", "is not pinned", on=False)


def split(article: str, *, common: Common = DEFAULT) -> None:
    """Separate an article from the story it was folded into.

    Parameters
    ----------
    article:
        Its id, as `digest articles show` shows it, or its URL.
    """
    with application(common) as app:
        parted = articles.split_article(app.database, article, app.clock())
    say(
        f"article {parted.article_id} is a story of its own again, apart from {parted.root_id}",
        quiet=common.quiet,
    )


def related(
    article: str,
    *,
    limit: AtLeastOne = 4,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """List the articles most similar to one.

    Parameters
    ----------
    article:
        Its id, as `digest articles list` shows it, or its URL.
    limit:
        List at most this many.
    """
    with application(common) as app:
        near = articles.list_related(app.database, article, limit, app.clock())
        layout = layout_of(app)
    rows = [_row(one.model_dump()) for one in near]
    if json:
        show_json(rows)
    else:
        show_table(["id", "published_at", "topics", "source", "title"], rows, layout)


def prune(
    *, older_than: str = "400d", yes: bool = False, json: AsJson = False, common: Common = DEFAULT
) -> None:
    """Remove old articles that no edition contains.

    Parameters
    ----------
    older_than:
        How old: "400d" or "60w".
    yes:
        Remove them; without this, only say how many would be removed.
    """
    span = read_duration(older_than, "--older-than")
    with application(common) as app:
        pruned = articles.prune(app.database, app.settings, app.clock(), span, dry_run=not yes)
    if json:
        show_json({"removed": pruned.removed, "emptied": pruned.emptied, "before": pruned.before.isoformat(),
                   "dry_run": not yes})  # fmt: skip
        return
    verb = "" if yes else "would be "
    say(
        f"{pruned.removed} articles {verb}removed, {pruned.emptied} {verb}emptied of their text",
        quiet=common.quiet,
    )
    if not yes:
        say("nothing was changed: --yes does it", quiet=common.quiet)


def _mark(common: Common, name: str, mark: Mark, told: str, *, on: bool) -> None:
    with application(common) as app:
        number = articles.mark_article(app.database, name, mark, app.clock(), on=on)
    say(f"article {number} {told}", quiet=common.quiet)


def _row(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in _LISTED} | {
        "published_at": found["published_at"] and found["published_at"].isoformat(),
        "first_seen_at": found["first_seen_at"].isoformat(),
        "hidden": found["hidden_at"] is not None,
        "pinned": found["pinned_at"] is not None,
    }
