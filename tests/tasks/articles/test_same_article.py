"""What a source names anew is not sent again; what only sounds the same is not swallowed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlmodel import Session, col, select

from digest.articles.parsed import ParsedArticle
from digest.models import Article
from digest.rules.articles.admission import TAKEN_BACK, Admission
from digest.settings import Settings, SourceSettings
from digest.store.articles import articles
from digest.store.database import Database
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.articles.storing import Stored, store_articles
from digest.tasks.editions.candidates import candidates
from tests.support.compilation import Newsroom
from tests.support.websites import Website, page
from tests.tasks.articles.test_storing import ALL, OTHER, TEXT, item, only, rows

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHORT = "Trains are late between the harbour and the hill."


def store(database: Database, *items: ParsedArticle, at: datetime = NOW, intake: Admission = ALL) -> Stored:
    with database.write() as session:
        articles.take_turns(session)
        return store_articles(session, "paper", items, at, intake)


@pytest.mark.parametrize(
    "again",
    [
        item("Bridge opens again", "https://paper.example/bridge-opens", "h1", TEXT + " Corrected.", NOW),
        item("Bridge reopens", "https://other.example/bridge", "tag:other,1", TEXT, NOW),
        item("Bridge reopens", "https://paper.example/bridge", "urn:new:1", TEXT, NOW),
        item("A headline without one word of it", "https://paper.example/2", "h1", TEXT + " More.", NOW),
    ],
    ids=["title mended with its address", "another domain", "new guid", "another headline"],
)
def test_an_article_under_a_new_name_is_not_new(database: Database, again: ParsedArticle) -> None:
    store(database, item(at=NOW))
    done = store(database, again, at=NOW + HOUR)
    assert (done.added, done.updated) == (0, 1)
    assert only(database).first_seen_at == NOW
    assert store(database, again, at=NOW + 2 * HOUR).unchanged == 1


def test_a_new_article_does_not_take_the_place_of_one_that_scrolled_out(database: Database) -> None:
    store(database, item(at=NOW))
    done = store(
        database, item("Strike ends", "https://paper.example/strike", "g2", OTHER, NOW), at=NOW + HOUR
    )
    assert (done.added, len(rows(database))) == (1, 2)


def test_a_live_story_whose_guid_counts_on_is_one_article(database: Database) -> None:
    address = "https://paper.example/bridge"
    store(database, item(guid=f"{address}#0", at=NOW))
    done = store(
        database, item("Now it is open", guid=f"{address}#1", text=OTHER, at=NOW + HOUR), at=NOW + HOUR
    )
    assert (done.added, done.updated) == (0, 1)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("#1795741200", "#1795755600"),
        ("?updated=2026-11-23T06:00:00Z", "?updated=2026-11-23T07:00:00Z"),
        ("#post-a1b2c3", "#post-d4e5f6"),
        ("@1", "@2"),
        ("-v1", "-v2"),
        ("", "#1"),
        ("/", "?v=3"),
    ],
)
def test_a_live_story_goes_on_whatever_counts_after_its_link(
    database: Database, before: str, now: str
) -> None:
    address = "https://paper.example/bridge"
    store(database, item(guid=address + before, at=NOW))
    told_on = item("Now it is open", guid=address + now, text=OTHER, at=NOW + HOUR)
    done = store(database, told_on, at=NOW + HOUR)
    assert (done.added, done.updated) == (0, 1)


@pytest.mark.parametrize(
    ("before", "now", "apart"),
    [
        ("#2026-11-23", "#2026-11-24", DAY),
        ("?at=2026-11-23T06:00:00Z", "?at=2026-11-24T06:00:00Z", DAY),
        ("#1", "#2", 3 * DAY),
        ("-news", "-comment", HOUR),
    ],
)
def test_a_daily_page_is_no_live_story(database: Database, before: str, now: str, apart: timedelta) -> None:
    address = "https://paper.example/bridge"
    store(database, item(guid=address + before, at=NOW))
    next_one = item("Now it is open", guid=address + now, text=OTHER, at=NOW + apart)
    assert store(database, next_one, at=NOW + apart).added == 1


@pytest.mark.parametrize(
    ("before", "now", "apart"),
    [
        ("urn:news:c1:v1", "urn:news:c1:v2", DAY),
        ("tag:paper.example,2026:bridge", "tag:paper.example,2026:bridge;rev=2", DAY),
        ("bridge-7_1", "bridge-7_2", HOUR),
        ("c1", "c1#1", HOUR),
    ],
)
def test_a_live_story_goes_on_whatever_its_guid_begins_with(
    database: Database, before: str, now: str, apart: timedelta
) -> None:
    store(database, item(guid=before, at=NOW))
    told_on = item("Now it is open", guid=now, text=OTHER, at=NOW + apart)
    assert store(database, told_on, at=NOW + apart).added == 0


@pytest.mark.parametrize(
    ("before", "now", "apart"),
    [
        ("forecast-101", "forecast-102", DAY),
        ("urn:news:c1:v1", "urn:news:c1:v2", 3 * DAY),
        ("forecast-101", "forecast-190", HOUR),
        ("tag:paper.example,2026:7", "tag:paper.example,2027:8", HOUR),
        ("101", "102", HOUR),
        ("north-1", "south-2", HOUR),
    ],
)
def test_a_page_with_another_guid_of_its_own_is_another_article(
    database: Database, before: str, now: str, apart: timedelta
) -> None:
    store(database, item(guid=before, at=NOW))
    next_one = item("Now it is open", guid=now, text=OTHER, at=NOW + apart)
    assert store(database, next_one, at=NOW + apart).added == 1


@pytest.mark.parametrize(
    ("path", "apart", "added"),
    [
        ("2026/11/23/bridge", DAY, 0),
        ("news/2026-11-23-bridge.html", HOUR, 0),
        ("2026/11/23/bridge", 3 * DAY, 1),
        ("forecast/today", DAY, 1),
        ("2026/11/23/", DAY, 1),
        ("1998/47/11/bridge", DAY, 1),
    ],
)
def test_title_text_guid_and_date_may_all_change_at_an_address_with_a_date(
    database: Database, path: str, apart: timedelta, added: int
) -> None:
    address = f"https://paper.example/{path}"
    store(database, item("Bridge shut", address, "a", TEXT, NOW))
    anew = item("A day on the river", address, "b", OTHER, NOW + apart)
    assert store(database, anew, at=NOW + apart).added == added


def test_a_site_that_gives_all_its_articles_new_guids_has_no_new_article(database: Database) -> None:
    def all_of(guid: str, text: str, at: datetime) -> list[ParsedArticle]:
        return [
            item(f"Bridge {n} opens", f"https://paper.example/bridge/{n}", f"{guid}{n}", text, at)
            for n in range(3)
        ]

    for guid, text, at in (
        ("old-", TEXT, NOW),
        ("urn:new:", TEXT, NOW),
        ("id=", TEXT + " Mended.", NOW + DAY),
    ):
        done = store(database, *all_of(guid, text, at), at=NOW + HOUR)
        assert done.added == (3 if guid == "old-" else 0)


@pytest.mark.parametrize("stays", [True, False], ids=["both stand there", "the first is gone"])
@pytest.mark.parametrize("later", [DAY, 4 * HOUR], ids=["the next day", "four hours later"])
@pytest.mark.parametrize("text", [SHORT, f"{SHORT} Trains are late between the harbour and the hill."])
def test_a_second_alert_in_the_same_words_is_an_article_of_its_own(
    database: Database, stays: bool, later: timedelta, text: str
) -> None:
    first = item("Delays", "https://paper.example/alert/1", "a1", text, NOW - later)
    second = item("Delays", "https://paper.example/alert/2", "a2", text, NOW)
    store(database, first, at=NOW - later)
    assert store(database, second, *([first] if stays else []), at=NOW).added == 1


def test_a_short_text_under_a_new_headline_and_address_is_not_sent_again(database: Database) -> None:
    at = NOW + timedelta(minutes=7)
    text = "The public library in the old customs house is closed all week: its roof leaks over the upper reading room."
    store(database, item("Library closed", "https://paper.example/library-closed", "l1", text, at), at=at)
    mended = item("Roof leaks at the customs house", "https://paper.example/roof-leaks", "l2", text, at)
    done = store(database, mended, at=at + HOUR)
    assert (done.added, done.updated) == (0, 1)


def test_a_weekly_thread_in_the_same_long_words_is_an_article_each_week(database: Database) -> None:
    for week in range(3):
        at = NOW + week * timedelta(days=7)
        thread = item("Open thread", f"https://paper.example/thread/{week}", f"t{week}", TEXT, at)
        assert store(database, thread, at=at).added == 1


def test_two_pictures_with_one_caption_are_two_articles(database: Database) -> None:
    one, two = (item("Harbour", f"https://paper.example/p/{n}", f"p{n}", "At dusk.", NOW) for n in (1, 2))
    assert store(database, one, two).added == 2


def test_an_article_settles_and_an_edit_makes_it_wait_again(database: Database) -> None:
    intake = Admission(settle=10 * MINUTE)
    store(database, item(at=NOW), intake=intake)
    assert only(database).settles_at == NOW + 10 * MINUTE
    store(database, item("Bridge is open", at=NOW), at=NOW + 5 * MINUTE, intake=intake)
    assert only(database).settles_at == NOW + 15 * MINUTE
    store(database, item("Bridge is open", at=NOW), at=NOW + 9 * MINUTE, intake=intake)
    assert only(database).settles_at == NOW + 15 * MINUTE, "nothing has changed"
    with database.read() as session:
        (found,) = candidates(session, seen_from=NOW - DAY, seen_to=NOW + HOUR)
    assert found.news_at == NOW + 15 * MINUTE


def test_an_article_that_has_not_settled_waits_for_the_next_edition(newsroom: Newsroom) -> None:
    at = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
    reader = newsroom.subscribe()
    ready, young = newsroom.publish(), newsroom.publish()
    settle(newsroom.database, young, at + HOUR)
    newsroom.compile(at)
    assert newsroom.lists()[reader] == [[ready]]
    newsroom.compile(at + DAY)
    assert newsroom.lists()[reader] == [[ready], [young]]


def test_an_article_that_settles_after_the_last_edition_is_still_sent_at_once(newsroom: Newsroom) -> None:
    at = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
    newsroom.digest = newsroom.digest.model_copy(update={"cadences": {"news": "at once"}})
    newsroom.compile(at, at_once=False)
    reader = newsroom.subscribe(cadence="news")
    late, first = newsroom.publish(at=at + MINUTE), newsroom.publish(at=at + 2 * MINUTE)
    settle(newsroom.database, late, at + 40 * MINUTE)
    newsroom.compile(at + 15 * MINUTE, at_once=False)
    assert newsroom.lists("news")[reader] == [[first]]
    newsroom.compile(at + 60 * MINUTE, at_once=False)
    assert newsroom.lists("news")[reader] == [[first], [late]]


def settle(database: Database, article_id: int, at: datetime) -> None:
    with database.write() as session:
        row = session.get_one(Article, article_id)
        row.settles_at = at
        session.add(row)


class Feed:
    """A feed on loopback whose items one chooses, and what the database has of it."""

    def __init__(self, database: Database, settings: Settings, site: Website) -> None:
        self._database, self._site, self._now = database, site, NOW
        source = SourceSettings(name="paper", url=f"{site.url}/feed", allow_private=True)
        self._settings = settings.model_copy(update={"sources": (source,)})

    def show(self, *numbers: int, dated: bool = True) -> dict[str, str | None]:
        """Let the feed have these items, fetch it, and return why each article is held back."""
        items = "".join(
            f"<item><title>Story {n}</title><link>https://paper.example/{n}</link><guid>g{n}</guid>"
            f"<description>{'word ' * n} {n}</description>{self._date(n) if dated else ''}</item>"
            for n in numbers
        )
        return self._fetch(f'<rss version="2.0"><channel><title>Paper</title>{items}</channel></rss>')

    def show_atom(self, *numbers: int, deleted: Sequence[str] = ()) -> dict[str, str | None]:
        """Let the feed be Atom, undated, with these entries and others declared deleted."""
        entries = "".join(
            f'<entry><title>Story {n}</title><link href="https://paper.example/{n}"/><id>tag:paper.example,2026:{n}</id>'
            f"<summary>{'word ' * n} {n}</summary></entry>"
            for n in numbers
        )
        stones = "".join(
            f'<at:deleted-entry ref="{ref}" when="2026-11-23T05:00:00Z"><at:comment>An error</at:comment>'
            "<at:by><name>The desk</name></at:by></at:deleted-entry>"
            for ref in deleted
        )
        return self._fetch(
            '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">'
            f"<title>Paper</title>{stones}{entries}</feed>"
        )

    def _fetch(self, text: str) -> dict[str, str | None]:
        self._site.pages["/feed"] = page(text.encode())
        self._now += timedelta(hours=2)
        (report,) = fetch_due(self._database, self._settings, self._now)
        assert report.error == ""
        with self._database.read() as session:
            return {row.title: row.held_back for row in self._rows(session)}

    def _date(self, number: int) -> str:
        return f"<pubDate>{format_datetime(NOW - timedelta(hours=20 - number))}</pubDate>"

    def _rows(self, session: Session) -> list[Article]:
        return list(session.exec(select(Article).order_by(col(Article.id))))


@pytest.fixture
def feed(database: Database, settings: Settings) -> Iterator[Feed]:
    with Website() as site:
        yield Feed(database, settings, site)


def test_what_goes_from_a_feed_while_older_ones_stand_there_is_held_back_until_it_returns(feed: Feed) -> None:
    free = {f"Story {n}": None for n in (1, 2, 3)}
    feed.show(3, 2, 1)
    assert feed.show(3, 1) == free | {"Story 2": TAKEN_BACK}
    assert feed.show(3, 2, 1) == free


def test_what_an_atom_feed_declares_deleted_is_held_back_until_it_returns(feed: Feed) -> None:
    free = {f"Story {n}": None for n in (1, 2, 3)}
    feed.show_atom(3, 2, 1)
    first = "tag:paper.example,2026:1"
    assert feed.show_atom(3, 2, deleted=[first]) == free | {"Story 1": TAKEN_BACK}
    assert feed.show_atom(3, 2) == free | {"Story 1": TAKEN_BACK}
    assert feed.show_atom(3, 2, 1) == free


def test_what_a_feed_shows_was_not_deleted_and_nothing_else_is(feed: Feed) -> None:
    feed.show_atom(3, 2, 1)
    shown = feed.show_atom(3, 2, deleted=["tag:paper.example,2026:3", "tag:other.example,2026:1", ""])
    assert set(shown.values()) == {None}


def test_what_scrolls_out_of_a_feed_was_not_taken_back(feed: Feed) -> None:
    feed.show(3, 2, 1)
    assert set(feed.show(4, 3).values()) == {None}


def test_a_feed_out_of_order_or_without_dates_or_empty_takes_nothing_back(feed: Feed) -> None:
    feed.show(3, 2, 1)
    assert set(feed.show(1, 3).values()) == {None}
    assert set(feed.show(3, 1, dated=False).values()) == {None}
    assert set(feed.show().values()) == {None}
