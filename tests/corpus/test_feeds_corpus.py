"""Feeds as they are found, oddities and all: what the database holds afterwards, field by field.

A case is one file: a line of JSON (`expect`, a list with the fields of each article or the count of those
rejected; `encoding`, `content_type` and `url` where they matter), then the feed itself, written in UTF-8.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from digest.articles.feeds.feeds import parse_feed
from digest.models import Article
from digest.store.database import Database
from digest.tasks.articles.storing import store_articles
from digest.tasks.sources.feeds import without_future

CASES = sorted((Path(__file__).parent / "feeds").glob("*.case"))
NOW = datetime(2026, 12, 31, 7, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def stored(session: Session) -> list[Article]:
    return list(session.exec(select(Article).order_by(col(Article.id))))


def shown(article: Article, name: str) -> Any:
    value = getattr(article, name)
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_feed_is_stored_as_its_author_means_it(path: Path, database: Database) -> None:
    head, _, body = path.read_text(encoding="utf-8").partition("\n")
    case = json.loads(head)
    wanted = [item for item in case["expect"] if "rejected" not in item]
    feed = parse_feed(
        body.encode(case.get("encoding", "utf-8")),
        url=case.get("url", "https://quay.example/feed"),
        content_type=case.get("content_type", ""),
    )
    with database.write() as session:
        store_articles(session, "quay", without_future(feed.articles, NOW), NOW)
    with database.read() as session:
        found = stored(session)
        assert [
            {name: shown(article, name) for name in item}
            for article, item in zip(found, wanted, strict=False)
        ] == wanted
    rejected = sum(item.get("rejected", 0) for item in case["expect"])
    assert len(feed.rejected) >= rejected
