"""What a backup does not know, breaking news and single readers' editions too, is not sent again."""

import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select, update

from digest.bootstrap import Application
from digest.errors import Refused
from digest.models import (
    Article,
    Delivery,
    DeliveryState,
    Edition,
    Subscriber,
    Subscription,
    VariantArticle,
    Withheld,
)
from digest.settings import Settings
from digest.store.editions import editions
from digest.store.workers import raise_counter
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.editions.planning import Plan
from digest.tasks.ledger.state_file import check_state, ledger_state
from tests.support.compilation import DAY, NOW, Newsroom

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    digests = tuple(one.model_copy(update={"breaking": True}) for one in settings.digests)
    settings.__dict__["digests"] = digests
    (settings.folder / "articles").mkdir()
    return settings


class _PowerCut(Exception):  # noqa: N818 - an event
    pass


def _cut_power(*_: object, **__: object) -> None:
    raise _PowerCut


class Restorable:
    """A newsroom's database, its state file, and a copy of both from before."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom, self.now = newsroom, NOW
        self.app = Application(newsroom.settings, clock=lambda: self.now)
        self.app.__dict__["database"] = newsroom.database
        self._path = Path(newsroom.database.url.removeprefix("sqlite:///"))

    def back_up(self) -> None:
        with sqlite3.connect(self._path) as database:
            database.execute("VACUUM INTO ?", (f"{self._path}.backup",))
        database.close()

    def restore(self) -> None:
        self.app.save_state()
        self.newsroom.database.close()
        for file in self._path.parent.glob(f"{self._path.name}-*"):
            if file.suffix != ".lock":
                file.unlink()
        shutil.copy(f"{self._path}.backup", self._path)

    def ask(self, reader: int, at: datetime) -> str:
        own = self.app.reader_editions
        with self.newsroom.database.write() as session:
            row = session.get_one(Subscription, reader)
            person = session.get_one(Subscriber, row.subscriber_id)
            return own.enter(session, self.newsroom.digest, person, row, at)

    def fetch(self) -> None:
        fetch_due(self.newsroom.database, self.newsroom.settings, self.now, every=True)

    def withhold_until(self, until: datetime, now: datetime | None = None) -> list[str]:
        self.now = now or until
        with self.app.worker(checked=False) as worker:
            return self.app.restorer.withhold_until(until, self.app.compiler(worker)).entered


def test_breaking_news_and_requests_after_the_backup_are_not_sent_again(newsroom: Newsroom) -> None:
    place = Restorable(newsroom)
    eager, asking, usual = (newsroom.subscribe() for _ in range(3))
    with newsroom.database.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) == eager).values(breaking=True))
    old = newsroom.publish(at=NOW - HOUR)
    newsroom.compile()
    news, asked_for = newsroom.publish(at=NOW + HOUR), newsroom.publish(at=NOW + HOUR)
    place.back_up()
    place.app.breaking.send(str(news), "mara", NOW + 2 * HOUR)
    assert place.ask(asking, NOW + 3 * HOUR) == "planned"
    place.restore()
    with pytest.raises(Refused, match="restored from a backup"):
        check_state(newsroom.database, place.app.state_path, place.app.identity)

    entered = place.withhold_until(NOW + 4 * HOUR)

    assert entered == [f"world breaking {news}", f"world request 2026-11-23-{asking}"]
    newsroom.compile(NOW + DAY)
    daily = {reader: [sorted(one) for one in found] for reader, found in newsroom.lists().items()}
    assert daily == {eager: [[old], [asked_for]], asking: [[old]], usual: [[old], [news, asked_for]]}
    with newsroom.database.read() as session:
        single = (
            select(Delivery.reason).join(Edition).where(col(Edition.cadence).in_(["breaking", "request"]))
        )
        assert set(session.exec(single)) == {Withheld.RESTORED}


@pytest.mark.parametrize("is_decided", [True, False], ids=["by a decision that a crash ended", "by a run"])
def test_what_was_fetched_between_the_restoring_and_the_decision_still_counts_as_sent(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, is_decided: bool
) -> None:
    place = Restorable(newsroom)
    reader, old = newsroom.subscribe(), newsroom.publish()
    newsroom.compile()
    place.back_up()
    (newsroom.settings.folder / "articles" / "lost.md").write_text("# Lost\n\nIt had gone before.\n")
    place.now = NOW + DAY - HOUR
    place.fetch()
    assert newsroom.compile(NOW + DAY)[0].planned == 1
    place.restore()
    place.now = decided_at = NOW + DAY + HOUR
    if is_decided:
        with monkeypatch.context() as crashing:
            crashing.setattr("digest.store.articles.articles.set_first_seen", _cut_power)
            with pytest.raises(_PowerCut):
                place.withhold_until(NOW + DAY, now=decided_at)
    else:
        place.fetch()
    with pytest.raises(Refused, match="restored from a backup"):
        check_state(newsroom.database, place.app.state_path, place.app.identity)

    assert place.withhold_until(NOW + DAY, now=decided_at) == ["world daily 2026-11-24"]

    assert newsroom.lists() == {reader: [[old], [old + 1]]}, "what had gone does not count as got"
    newsroom.compile(NOW + 2 * DAY)
    assert newsroom.lists() == {reader: [[old], [old + 1]]}


def test_a_lost_request_holds_all_that_may_have_been_in_it_however_few_its_reader_wants(
    newsroom: Newsroom,
) -> None:
    place, wanted = Restorable(newsroom), 3
    asking = newsroom.subscribe()
    with newsroom.database.write() as session:
        session.exec(update(Subscription).values(max_articles=wanted))
    newsroom.compile()
    got = newsroom.publish(at=NOW + HOUR)
    place.back_up()
    assert place.ask(asking, NOW + 2 * HOUR) == "planned"
    place.restore()
    for _ in range(wanted):  # without a date: nothing says that they came after the request
        newsroom.publish(at=NOW + 3 * HOUR)
    place.withhold_until(NOW + 4 * HOUR)

    newsroom.publish(at=NOW + 5 * HOUR)
    newsroom.compile(NOW + DAY)

    assert got not in {article for found in newsroom.lists()[asking] for article in found}


def backed_up(newsroom: Newsroom, *, most: int) -> tuple[Restorable, int]:
    """Back up a newsroom whose reader wants so many articles, and has had a first edition."""
    place = Restorable(newsroom)
    reader = newsroom.subscribe()
    with newsroom.database.write() as session:
        session.exec(update(Subscription).values(max_articles=most))
    newsroom.publish()
    newsroom.compile()
    place.back_up()
    return place, reader


@pytest.mark.parametrize("is_cut", [False, True], ids=["at once", "after a power cut"])
def test_one_edition_for_several_lost_ones_holds_what_a_reader_got_who_wants_few_articles(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    place, reader = backed_up(newsroom, most=1)
    got = [newsroom.publish(at=NOW + days * DAY + HOUR) for days in range(3)]
    for days in (1, 2, 3):
        newsroom.compile(NOW + days * DAY, at_once=False)
    assert newsroom.lists()[reader][1:] == [[article] for article in got]
    place.restore()
    for days in range(3):
        newsroom.publish(at=NOW + days * DAY + HOUR)

    if is_cut:  # after the edition was entered
        with monkeypatch.context() as patched:
            patched.setattr(Plan, "prepare", _cut_power)
            with pytest.raises(_PowerCut):
                place.withhold_until(NOW + 3 * DAY + HOUR)
    place.withhold_until(NOW + 3 * DAY + HOUR)

    new = newsroom.publish(at=NOW + 3 * DAY + 2 * HOUR)
    known = len(newsroom.lists()[reader])
    for days in (4, 5):
        newsroom.compile(NOW + days * DAY, at_once=False)
    assert newsroom.lists()[reader][known:] == [[new]]


def test_articles_without_a_date_leave_lost_ones_their_places_in_an_edition_that_stands_for_lost_ones(
    newsroom: Newsroom,
) -> None:
    """Nothing says whether they came before the edition or after it: what had gone is not sent again."""
    place, reader = backed_up(newsroom, most=2)
    names = [f"lost-{number}" for number in range(6)]
    folder = newsroom.settings.folder / "articles"
    (folder / "lost-0.md").write_text("# Lost 0\n\nIt had gone before.\n")
    place.now = NOW + HOUR
    place.fetch()
    newsroom.compile(NOW + DAY, at_once=False)
    assert [len(found) for found in newsroom.lists()[reader]] == [1, 1]
    place.restore()
    for name in names[1:]:
        (folder / f"{name}.md").write_text(f"# {name}\n\nIt came after the edition.\n")

    place.withhold_until(NOW + DAY + HOUR, now=NOW + DAY + 2 * HOUR)

    with newsroom.database.read() as session:
        lost = session.exec(select(Article.id).where(Article.title == "Lost 0")).one()
    known = len(newsroom.lists()[reader])
    newsroom.compile(NOW + 2 * DAY, at_once=False)
    newsroom.compile(NOW + 3 * DAY, at_once=False)
    assert lost not in {article for found in newsroom.lists()[reader][known:] for article in found}


def test_a_late_reader_gets_of_two_lost_editions_only_the_one_that_was_not_due(newsroom: Newsroom) -> None:
    """Yesterday's went to everybody; today's has gone to all but those who read in the evening."""
    place = Restorable(newsroom)
    early, late = newsroom.subscribe(), newsroom.subscribe(at=NOW - 2 * DAY)
    with newsroom.database.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) == late).values(hour=20))
    newsroom.publish()
    newsroom.compile()
    place.back_up()
    got, coming = (newsroom.publish(at=NOW + hours * HOUR) for hours in (2, 26))
    newsroom.compile(NOW + DAY, at_once=False)
    newsroom.compile(NOW + 2 * DAY, at_once=False)
    place.restore()
    for hours in (2, 26):
        newsroom.publish(at=NOW + hours * HOUR)

    place.withhold_until(NOW + 2 * DAY + 4 * HOUR)

    with newsroom.database.read() as session:
        sent = (
            select(Delivery.subscription_id, VariantArticle.article_id)
            .join(VariantArticle, col(VariantArticle.variant_id) == col(Delivery.variant_id))
            .where(Delivery.state == DeliveryState.PLANNED)
        )
        assert list(session.exec(sent)) == [(late, coming)]
    newsroom.compile(NOW + 3 * DAY, at_once=False)
    assert all(found[1:] == [[got], [coming]] for found in newsroom.lists().values())
    assert set(newsroom.lists()) == {early, late}


def test_what_was_sent_without_waiting_for_a_readers_hour_is_not_sent_at_that_hour(
    newsroom: Newsroom,
) -> None:
    place = Restorable(newsroom)
    newsroom.subscribe(), newsroom.publish()
    with newsroom.database.write() as session:
        session.exec(update(Subscription).values(hour=20))
    place.back_up()
    newsroom.compile(NOW)
    newsroom.compile(NOW + DAY, at_once=False)
    place.restore()
    newsroom.publish()

    place.withhold_until(NOW + DAY + HOUR)

    assert {row.state for row in newsroom.deliveries()} == {DeliveryState.WITHHELD}


def test_what_went_after_the_named_time_is_sent_again(newsroom: Newsroom) -> None:
    place = Restorable(newsroom)
    eager = newsroom.subscribe()
    with newsroom.database.write() as session:
        session.exec(update(Subscription).where(col(Subscription.id) == eager).values(breaking=True))
    newsroom.compile()
    news = newsroom.publish(at=NOW + HOUR)
    place.back_up()
    place.app.breaking.send(str(news), "mara", NOW + 3 * HOUR)
    place.restore()

    assert place.withhold_until(NOW + 2 * HOUR) == []
    newsroom.compile(NOW + DAY)
    assert newsroom.lists() == {eager: [[news]]}


def test_the_state_file_names_no_more_than_the_latest_of_each_kind(newsroom: Newsroom) -> None:
    place = Restorable(newsroom)
    newsroom.publish()
    reader = newsroom.subscribe()
    newsroom.compile()
    newsroom.publish(at=NOW + HOUR)
    place.ask(reader, NOW + 2 * HOUR)

    found = ledger_state(newsroom.database, "one")

    assert sorted(found.editions) == ["world daily", "world weekly"]
    asked = ["world", f"2026-11-23-{reader}", (NOW + 2 * HOUR).isoformat()]
    assert [list(one) for one in found.requests] == [asked]
    with newsroom.database.read() as session:
        assert editions.list_last_requests(session, limit=0) == []


def test_on_sqlite_any_edition_without_a_state_file_is_refused(newsroom: Newsroom) -> None:
    place = Restorable(newsroom)
    check_state(newsroom.database, place.app.state_path, "one")
    with newsroom.database.write() as session:
        _enter_welcome(session)

    with pytest.raises(Refused, match="is missing"):
        check_state(newsroom.database, place.app.state_path, "one")


def _enter_welcome(session: Session) -> None:
    session.add(Edition(digest="world", cadence="welcome", period="2026-11-23-1", deadline_at=NOW,
                        freeze_at=NOW, frozen_at=NOW))  # fmt: skip
    raise_counter(session)
