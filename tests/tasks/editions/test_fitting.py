"""What a list is completed with: related older articles beside it, texts shortened, and preview the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlmodel import Session, select

from digest.errors import StillComparing
from digest.mail.rendering.renderer import Renderer
from digest.models import (
    Article,
    Cohort,
    Delivery,
    Form,
    Subscriber,
    Subscription,
    SubscriptionState,
    Variant,
)
from digest.resources import bundled
from digest.settings import Settings, load_settings
from digest.store import schema
from digest.store.articles import related
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.delivery.deliveries import Job
from digest.store.workers import WorkerLock
from digest.tasks.background import Background
from digest.tasks.composing.composer import Composer
from digest.tasks.editions import fitting
from digest.tasks.editions.compiling import Compiler
from digest.tasks.editions.fitting import Comparison, Fitter, KeptIndex, compare_all
from digest.tasks.editions.preview import Preview, Viewer, preview
from tests.conftest import write_config
from tests.support.editions import list_articles
from tests.support.holding import hold_up
from tests.support.standards import check_digest

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
POSTAL = "The Harbour Courier, 1 Quay Street, Harbourtown"
LONG = (
    "<p>" + "The ferry that replaced the bridge is for sale, and nobody has asked the price. " * 12 + "</p>"
)


class Room:
    """A newsroom that compiles with everything that delivery has."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.digest = settings.digest("world")
        renderer = Renderer(bundled("templates") / "email")
        self.composer = Composer(database, settings, renderer, b"k" * 32)
        self.worker = WorkerLock.acquire(database, host="test", pid=1, now=NOW)

    def publish(
        self, title: str, text: str = "", *, age: timedelta = timedelta(hours=5), html: str = ""
    ) -> int:
        row = Article(
            source="newsroom", canonical_url=f"https://x.example/{title.replace(' ', '-')}", url=f"https://x.example/{title.replace(' ', '-')}",
            content_hash=title, title=title, summary=f"{title}, in short.", text=text or title,
            html=html or f"<p>{text or title}</p>", topics=["world"], first_seen_at=NOW - age, word_count=400,
        )  # fmt: skip
        with self.database.write() as session:
            session.add(row)
            session.flush()
            assert row.id is not None
            return row.id

    def subscribe(self, address: str = "anna@readers.example", since: timedelta = timedelta(days=1)) -> None:
        at = NOW - since
        with self.database.write() as session:
            person = Subscriber(
                public_id=address[0] * 26, address=address, address_key=address, created_at=at
            )
            session.add(person)
            session.flush()
            session.add(Subscription(
                subscriber_id=person.id or 0, digest="world", cadence="daily", created_at=at,
                state=SubscriptionState.CONFIRMED, confirmed_at=at, topics={"*": at.isoformat()},
            ))  # fmt: skip

    def compile(self, at: datetime = NOW) -> None:
        compiler = Compiler(
            self.database, self.settings, self.worker.id,
            fitter=lambda digest, edition: Fitter(self.composer, digest, edition),
        )  # fmt: skip
        compiler.compile_due(self.digest, at, at_once=True)

    def look(self, at: datetime = NOW, compare: Comparison = compare_all) -> Preview:
        return preview(
            self.database, self.settings, self.composer, self.digest,
            cadence="daily", view=Viewer("anna@readers.example"), at=at, compare=compare,
        )  # fmt: skip

    def job(self, session: Session) -> Job:
        delivery = session.exec(select(Delivery)).one()
        return deliveries.make_job(delivery, session.exec(select(Subscriber)).one(), "world")

    def compose(self, session: Session) -> bytes:
        return self.composer.compose(self.job(session), NOW).content

    def variant(self, session: Session) -> Variant:
        return session.exec(select(Variant)).one()


@pytest.fixture
def newsroom(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    path = write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db")
    show = request.getfixturevalue("show") if "show" in request.fixturenames else "full"
    path.write_text(path.read_text().replace("max_articles = 5", f'max_articles = 200\nshow = "{show}"'))
    settings = load_settings(path)
    database = Database(settings.database_url)
    schema.migrate(database)
    room = Room(database, settings)
    room.subscribe()
    yield room
    room.worker.release(database, NOW)
    database.close()


def test_texts_are_shortened_until_the_message_fits_and_preview_shows_the_same(newsroom: Room) -> None:
    for number in range(50):
        newsroom.publish(f"Story {number}", html=LONG)
    shown = newsroom.look()
    newsroom.compile()

    with newsroom.database.read() as session:
        rows = list_articles(session, newsroom.variant(session).id or 0)
        raw = newsroom.compose(session)
        assert newsroom.variant(session).left_out == 0
    forms = [row.form for row in rows]
    assert len(forms) == 50
    assert {Form.FULL, Form.SUMMARY} == set(forms)
    assert forms == sorted(forms)  # "full" before "summary": the last are shortened first
    assert [choice.article_id for choice in shown.shortened] == [
        row.article_id for row in rows if row.form != Form.FULL
    ]
    assert raw == shown.message
    check_digest(raw, POSTAL)


@pytest.mark.parametrize("show", ["summary"])
def test_articles_that_do_not_fit_are_named_as_online_and_come_next_time(newsroom: Room, show: str) -> None:
    assert show
    for number in range(200):
        newsroom.publish(f"Story {number:03} " + "of a very long title " * 12)
    newsroom.compile()
    with newsroom.database.read() as session:
        variant = newsroom.variant(session)
        got = {row.article_id for row in list_articles(session, variant.id or 0)}
        text, html = check_digest(newsroom.compose(session), POSTAL)
    assert 0 < variant.left_out == 200 - len(got)
    assert f"{variant.left_out} more online" in text
    assert f"{variant.left_out} more online" in html

    with newsroom.database.write() as session:
        session.exec(select(Delivery)).one().state = "accepted"
    later = newsroom.look(NOW + timedelta(days=1))
    again = {choice.article_id for choice in later.chosen.choices}
    assert again
    assert again.isdisjoint(got)
    assert len(again) + later.chosen.left_out == 200 - len(got)


def publish_bridge(newsroom: Room) -> None:
    """Publish an article that older ones are related to, and some that none is."""
    words = "The swing bridge over the inner harbour, its girders and the bridge keeper Ekholm."
    for n in range(5):
        newsroom.publish(f"Bridge girders {n}", words, age=timedelta(days=40 + n))
    for n in range(9):
        newsroom.publish(f"Sponge {n}", "Glass sponges grow in the deep sea.", age=timedelta(days=50 + n))
    newsroom.publish("Bridge reopens", words)


def test_a_kept_index_is_made_again_where_an_article_changed_and_only_there(
    newsroom: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_bridge(newsroom)
    kept, made = KeptIndex(newsroom.database, Background()).find, 0
    list_stories = related.list_stories

    def count(*given: Any, **named: Any) -> Any:
        nonlocal made
        made += 1
        return list_stories(*given, **named)

    monkeypatch.setattr(related, "list_stories", count)
    shown = [newsroom.look(compare=kept).message for _ in range(3)]
    assert made == 1
    assert set(shown) == {newsroom.look().message}

    (first, *_) = newsroom.look(compare=kept).chosen.related
    for change in (
        {"title": "Sponge once more", "content_hash": "x", "text": "Sponges."}, {"hidden_at": NOW},
        {"hidden_at": None, "topics": ["culture"]}, {"first_seen_at": NOW - timedelta(days=90)},
    ):  # fmt: skip
        with newsroom.database.write() as session:
            row = session.get_one(Article, first)
            for name, value in change.items():
                setattr(row, name, value)
        before = made
        assert newsroom.look(compare=kept).message == newsroom.look().message, change
        assert made == before + 2, "once for each: the kept one was made again"
        newsroom.look(compare=kept)
        assert made == before + 2


def test_of_many_articles_an_index_is_made_beside_the_page_that_needs_it(
    newsroom: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_bridge(newsroom)
    background = Background()
    kept = KeptIndex(newsroom.database, background)
    monkeypatch.setattr(fitting, "_QUICKLY", 6)
    monkeypatch.setattr(fitting, "_PATIENCE", 0)
    goes_on = hold_up(monkeypatch, fitting, "compare_all")
    for _ in range(2):
        with pytest.raises(StillComparing):
            newsroom.look(compare=kept.find_soon)
    goes_on.set()
    monkeypatch.setattr(fitting, "_PATIENCE", 30)
    assert newsroom.look(compare=kept.find_soon).message == newsroom.look().message
    monkeypatch.setattr(fitting, "compare_all", lambda *_: pytest.fail("it was made already"))
    assert newsroom.look(compare=kept.find_soon).chosen.related
    background.close()


def test_an_index_can_be_made_before_a_preview_needs_it(
    newsroom: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.publish("Bridge reopens", "The swing bridge over the inner harbour.")
    background = Background()
    kept = KeptIndex(newsroom.database, background)
    with newsroom.database.read() as session:
        kept.prepare(session, newsroom.digest, NOW)
    assert newsroom.look(compare=kept.find_soon).message, "few articles are compared at once"
    monkeypatch.setattr(fitting, "_QUICKLY", 1)
    newsroom.publish("Bridge closes", "The swing bridge over the inner harbour.")
    with newsroom.database.read() as session:
        kept.prepare(session, newsroom.digest, NOW)
    assert background.begin("after it", lambda: None, 30)
    monkeypatch.setattr(fitting, "compare_all", lambda *_: pytest.fail("it was made already"))
    assert newsroom.look(compare=kept.find_soon).message
    background.close()


def test_related_are_older_than_any_edition_may_hold_and_nobody_has_got_them(newsroom: Room) -> None:
    words = "The swing bridge over the inner harbour, its girders and the bridge keeper Ekholm."
    other = "Glass sponges of the deep sea grow slowly in the cold dark water."
    old = [newsroom.publish(f"Bridge girders {n}", words, age=timedelta(days=40 + n)) for n in range(5)]
    for n in range(9):
        newsroom.publish(f"Sponge {n}", other, age=timedelta(days=50 + n))
    rolled = newsroom.publish("Bridge keeper Ekholm", words, age=timedelta(days=20))
    fresh = newsroom.publish("Bridge reopens", words)
    shown = newsroom.look()
    newsroom.compile()

    with newsroom.database.read() as session:
        variant = newsroom.variant(session)
        held = [row.article_id for row in list_articles(session, variant.id or 0)]
        raw = newsroom.compose(session)
        history = deliveries.history_of(session, 1)
    assert held == [fresh]  # the other one was there before the reader came
    assert len(variant.related) == 4
    assert set(variant.related) <= set(old)
    assert rolled not in variant.related
    assert not history & set(old)
    assert shown.chosen.related == tuple(variant.related)
    assert raw == shown.message
    text, _ = check_digest(raw, POSTAL)
    assert "YOU MAY ALSO LIKE" in text

    with newsroom.database.write() as session:
        withdrawn = session.get(Article, variant.related[0])
        assert withdrawn is not None
        withdrawn.withdrawn_at = NOW
    newsroom.composer = Composer(
        newsroom.database, newsroom.settings, Renderer(bundled("templates") / "email"), b"k" * 32
    )
    with newsroom.database.read() as session:
        text, _ = check_digest(newsroom.compose(session), POSTAL)
    assert withdrawn.title not in text


@pytest.mark.parametrize("way", ["withdrawn_at", "hidden_at"])
@pytest.mark.parametrize("is_held", [True, False])
def test_a_program_that_runs_on_names_no_article_that_has_been_taken_back(
    newsroom: Room, way: str, is_held: bool
) -> None:
    words = "The swing bridge over the inner harbour, its girders and the bridge keeper Ekholm."
    other = "Glass sponges of the deep sea grow slowly in the cold dark water."
    for n in range(4):
        newsroom.publish(f"Bridge girders {n}", words, age=timedelta(days=40 + n))
    for n in range(12):
        newsroom.publish(f"Sponge {n}", other, age=timedelta(days=50 + n))
    newsroom.publish("Bridge reopens", words)
    newsroom.compile()

    def composed() -> str:
        with newsroom.database.read() as session:
            newsroom.composer.expect([newsroom.job(session)])
            return check_digest(newsroom.compose(session), POSTAL)[0]

    before = composed()
    with newsroom.database.write() as session:
        gone = session.get_one(Article, newsroom.variant(session).related[0])
        setattr(gone, way, NOW)
    if not is_held:
        newsroom.composer._compositions.clear()

    assert gone.title in before
    assert gone.title not in composed()
    assert composed().count("Bridge girders") == before.count("Bridge girders") - 1


def test_an_article_that_grew_after_the_freeze_is_shortened_and_not_dropped(newsroom: Room) -> None:
    ids = [newsroom.publish(f"Story {number}", html=LONG) for number in range(20)]
    newsroom.compile()
    with newsroom.database.write() as session:
        grown = session.get(Article, ids[0])
        assert grown is not None
        grown.html = LONG * 200
    with newsroom.database.read() as session:
        text, _ = check_digest(newsroom.compose(session), POSTAL)
    assert all(f"https://x.example/Story-{number}" in text.split() for number in range(20))


def test_lists_that_are_the_same_are_completed_once(newsroom: Room) -> None:
    newsroom.publish("Story")
    newsroom.subscribe("ben@readers.example", since=timedelta(days=2))
    with mock.patch.object(newsroom.composer, "measure", wraps=newsroom.composer.measure) as measure:
        newsroom.compile()
    with newsroom.database.read() as session:
        assert len(session.exec(select(Cohort)).all()) == 2
        assert len(session.exec(select(Variant)).all()) == 1
    assert measure.call_count == 1


def test_a_public_archive_is_named_in_the_message_and_a_private_one_is_not(newsroom: Room) -> None:
    newsroom.publish("Bridge reopens")
    newsroom.compile()
    assert newsroom.digest.is_public
    base = newsroom.settings.site.base_url
    with newsroom.database.read() as session:
        message = message_from_bytes(newsroom.compose(session))
        private = newsroom.digest.model_copy(update={"archive": "private"})
        headers = newsroom.composer._headers_of(private)

    assert message["List-Archive"] == f"<{base}/archive/world>"
    assert headers.archive_url is None
