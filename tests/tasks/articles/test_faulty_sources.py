"""One bad source never stops the rest, not even where the program itself fails at it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session

from digest.articles.feeds.feeds import parse_feed
from digest.articles.parsed import ParsedFeed, Rejected
from digest.settings import Settings, SourceSettings
from digest.store.database import Database
from digest.tasks.articles.fetching import FetchReport, fetch_due
from digest.tasks.articles.storing import Stored, store_articles
from digest.tasks.sources import feeds  # noqa: F401 - imported before parse_feed is patched
from tests.tasks.articles.test_fetching import NOW, feed


def fetch_both(database: Database, settings: Settings, folder: Path) -> tuple[FetchReport, FetchReport]:
    paths = [folder / "bad.xml", folder / "good.xml"]
    for path in paths:
        path.write_bytes(feed("one"))
    sources = tuple(SourceSettings(name=path.stem, url=str(path)) for path in paths)
    bad, good = fetch_due(database, settings.model_copy(update={"sources": sources}), NOW)
    return bad, good


def test_a_fault_of_the_program_at_one_source_is_named(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(content: bytes, *, url: str, content_type: str = "") -> ParsedFeed:
        if "bad" in url:
            raise ZeroDivisionError
        return parse_feed(content, url=url, content_type=content_type)

    monkeypatch.setattr("digest.articles.feeds.feeds.parse_feed", parse)
    bad, good = fetch_both(database, settings, tmp_path)
    assert "ZeroDivisionError" in bad.error
    assert (good.added, good.error) == (1, "")


def test_what_the_database_does_not_take_is_the_failure_of_its_source_alone(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store(session: Session, source: str, *arguments: Any) -> Stored:
        if source == "bad":
            session.connection().execute(text("INSERT INTO source (name) VALUES (NULL)"))
        return store_articles(session, source, *arguments)

    monkeypatch.setattr("digest.tasks.articles.fetching.store_articles", store)
    bad, good = fetch_both(database, settings, tmp_path)
    assert "IntegrityError" in bad.error
    assert (good.added, good.error) == (1, "")


def test_of_very_many_items_that_cannot_be_taken_the_first_are_named() -> None:
    report = FetchReport("paper")
    report.reject([Rejected(str(number), "no link") for number in range(1_000)])
    assert len(report.rejected) == 51
    assert report.rejected[-1].item == "950 more"
