"""A watched folder: files are articles as long as they are there and published; nobody gets one twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from digest.models import Article
from digest.rules.articles.admission import GONE
from digest.settings import Settings
from digest.store.articles.articles import get_articles, list_candidates
from digest.store.database import Database
from digest.tasks.articles.fetching import FetchReport, fetch_due

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TEXT = (
    "The old bridge opened on Monday after nine winters of repair, and the ferry is for sale since then. " * 3
)


class Folder:
    """A folder of articles, and what the database has of it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.path = settings.folder / "articles"
        self.path.mkdir()
        self._now = NOW

    def write(self, name: str, title: str = "Bridge", text: str = TEXT, **front: str) -> Path:
        lines = "".join(f"{key}: {value}\n" for key, value in {"title": title, **front}.items())
        (self.path / name).write_text(f"---\n{lines}---\n{text}\n")
        return self.path / name

    def fetch(self) -> FetchReport:
        self._now += timedelta(hours=2)
        (report,) = fetch_due(self.database, self.settings, self._now)
        assert report.error == ""
        return report

    def rows(self) -> list[Article]:
        with self.database.read() as session:
            return list(session.exec(select(Article).order_by(col(Article.id))))

    def candidates(self) -> list[str]:
        with self.database.read() as session:
            found = list_candidates(session, seen_from=NOW - timedelta(days=9), seen_to=self._now)
            named = get_articles(session, [row.id for row in found if row.id is not None])
        return sorted(row.title for row in named.values())


@pytest.fixture
def folder(database: Database, settings: Settings) -> Folder:
    return Folder(database, settings)


def test_a_removed_file_is_in_no_edition_and_one_that_returns_is_the_same_article(folder: Folder) -> None:
    path = folder.write("bridge.md")
    folder.write("ferry.md", "Ferry", "The ferry is for sale.")
    assert folder.fetch().added == 2
    content = path.read_bytes()
    path.unlink()

    assert folder.fetch().gone == 1
    assert folder.candidates() == ["Ferry"]
    assert [row.held_back for row in folder.rows()] == [GONE, None]
    assert folder.fetch().gone == 0
    path.write_bytes(content)
    assert folder.fetch().added == 0
    assert folder.candidates() == ["Bridge", "Ferry"]
    assert len(folder.rows()) == 2


def test_an_edit_changes_the_article_and_a_new_name_makes_no_new_one(folder: Folder) -> None:
    path = folder.write("bridge.md")
    folder.fetch()
    folder.write("bridge.md", "Bridge is open")
    assert folder.fetch().updated == 1
    path.rename(folder.path / "old-bridge.md")
    report = folder.fetch()

    assert (report.added, report.gone) == (0, 0)
    (row,) = folder.rows()
    assert (row.title, row.guid, row.held_back) == ("Bridge is open", "file:old-bridge.md", None)


def test_a_new_name_and_new_words_at_the_same_address_are_the_same_article(folder: Folder) -> None:
    folder.write("bridge.md", url="https://courier.example/bridge")
    folder.fetch()
    (folder.path / "bridge.md").unlink()
    folder.write("2026-bridge.md", "The bridge", "Other words.", url="https://courier.example/bridge")
    report = folder.fetch()
    assert (report.added, report.updated, report.gone) == (0, 1, 0)
    assert folder.candidates() == ["The bridge"]


def test_drafts_and_what_is_dated_ahead_wait_without_complaint(folder: Folder) -> None:
    folder.write("draft.md", "Draft", draft="true")
    ahead = NOW + timedelta(hours=5)
    folder.write("ahead.md", "Ahead", date=ahead.isoformat())
    folder.write("bridge.md")
    report = folder.fetch()
    assert (report.added, report.waiting, report.rejected) == (1, 2, [])

    folder.write("bridge.md", draft="true")
    report = folder.fetch()
    assert (report.gone, report.waiting) == (1, 3)
    assert folder.candidates() == []
    report = folder.fetch()
    assert (report.added, report.waiting) == (1, 2)
    assert folder.candidates() == ["Ahead"]
    folder.write("bridge.md")
    assert folder.fetch().added == 0
    assert folder.candidates() == ["Ahead", "Bridge"]


def test_a_file_that_cannot_be_read_keeps_its_article(folder: Folder) -> None:
    path = folder.write("bridge.md")
    folder.fetch()
    path.write_text("---\ntitle: [\n---\nText\n")
    report = folder.fetch()
    assert ([one.item for one in report.rejected], report.gone) == (["bridge.md"], 0)
    assert folder.candidates() == ["Bridge"]


def test_saved_pages_and_plain_texts_are_followed_as_well(folder: Folder) -> None:
    body = "".join(f"<p>{TEXT} Part {n}.</p>" for n in range(4))
    page = folder.path / "page.html"
    page.write_text(
        f"<html><head><title>Harbour</title></head><body><article><h1>Harbour</h1>{body}</article></body></html>"
    )
    (folder.path / "note.txt").write_text(f"Tide tables\n\n{TEXT}\n")
    assert folder.fetch().added == 2
    page.unlink()
    assert folder.fetch().gone == 1
    assert len(folder.candidates()) == 1


def test_a_folder_that_is_not_there_changes_nothing(folder: Folder) -> None:
    folder.write("bridge.md")
    folder.fetch()
    folder.path.rename(folder.path.with_name("away"))
    (report,) = fetch_due(folder.database, folder.settings, NOW + timedelta(days=2))
    assert report.error
    assert folder.candidates() == ["Bridge"]
