"""Breaking news goes at once to who chose it, once, and is not in their next edition again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from digest.bootstrap import Application
from digest.errors import InputError
from digest.models import Article, DeliveryState, DeskAct, Edition, EditionState, Subscription
from digest.settings import Settings
from digest.tasks.articles.withdrawing import withdraw
from digest.tasks.editions.breaking import BreakingDesk
from tests.support.compilation import DAY, NOW, Newsroom


@pytest.fixture
def settings(settings: Settings) -> Settings:
    digests = tuple(one.model_copy(update={"breaking": True}) for one in settings.digests)
    settings.__dict__["digests"] = digests
    return settings


@pytest.fixture
def desk(newsroom: Newsroom) -> BreakingDesk:
    app = Application(newsroom.settings, clock=lambda: NOW)
    app.__dict__["database"] = newsroom.database
    return app.breaking


def want(newsroom: Newsroom, *topics: str, zone: str | None = None, **values: Any) -> int:
    reader = newsroom.subscribe(*topics, zone=zone)
    with newsroom.database.write() as session:
        chosen = update(Subscription).where(col(Subscription.id) == reader)
        session.exec(chosen.values(breaking=True, **values))
    return reader


def lists(newsroom: Newsroom) -> dict[str, dict[int, list[list[int]]]]:
    return {cadence: newsroom.lists(cadence) for cadence in ("breaking", "daily")}


def test_it_goes_to_who_chose_it_and_its_topic_and_stays_out_of_their_next_edition(
    newsroom: Newsroom, desk: BreakingDesk
) -> None:
    eager, science, usual = want(newsroom), want(newsroom, "science"), newsroom.subscribe()
    before = newsroom.publish()
    newsroom.compile()
    news = newsroom.publish(at=NOW + timedelta(hours=1))
    at = NOW + timedelta(hours=2)

    assert desk.count(str(news)).readers == {"world": 1}
    found = desk.send(str(news), "mara@courier.example", at)
    assert found.readers == {"world": 1}
    assert lists(newsroom)["breaking"] == {eager: [[news]]}
    assert [one.due_at for one in newsroom.deliveries() if one.state == DeliveryState.PLANNED][-1] == at

    later = newsroom.publish("world", "science", at=NOW + timedelta(hours=3))
    newsroom.compile(NOW + DAY)
    assert lists(newsroom)["daily"] == {
        eager: [[before], [later]], usual: [[before], [later, news]], science: [[later]],
    }  # fmt: skip
    with newsroom.database.read() as session:
        edition = session.exec(select(Edition).where(Edition.cadence == "breaking")).one()
        act = session.exec(select(DeskAct)).one()
    assert (edition.period, edition.subject) == (str(news), "Breaking: {lead}")
    assert (act.who, act.act) == ("mara@courier.example", "sent “Story 5” as breaking news to 1 reader")


def test_the_same_article_is_never_sent_twice(newsroom: Newsroom, desk: BreakingDesk) -> None:
    has_it = want(newsroom)
    news = newsroom.publish()
    newsroom.compile()
    assert desk.send(str(news), "mara", NOW).count == 0  # it was in the edition already
    late = want(newsroom)

    again = desk.send(str(news), "mara", NOW + timedelta(hours=1))
    assert (again.readers, again.before) == ({}, ["world"])
    assert has_it not in lists(newsroom)["breaking"]
    assert late not in lists(newsroom)["breaking"]


def test_quiet_hours_count_only_where_somebody_set_them(newsroom: Newsroom, desk: BreakingDesk) -> None:
    night = NOW - timedelta(hours=4)  # 03:05 in Paris
    awake, asleep = want(newsroom), want(newsroom, quiet="22:00-07:00")
    news = newsroom.publish(at=night)
    desk.send(str(news), "mara", night)

    due = {one.subscription_id: one.due_at for one in newsroom.deliveries()}
    assert due == {awake: night, asleep: NOW.replace(minute=0)}


def test_it_goes_beside_an_edition_that_is_being_compiled_and_neither_repeats_the_other(
    newsroom: Newsroom, desk: BreakingDesk
) -> None:
    earlier, later = [want(newsroom) for _ in range(2)], [want(newsroom) for _ in range(2)]
    newsroom.publish(at=NOW - DAY - timedelta(hours=5))
    newsroom.compile(NOW - DAY)  # so that all of them are of one cohort
    news = newsroom.publish()
    slow = Newsroom(newsroom.database, newsroom.settings, newsroom.workers, range_size=2)
    stop_between_ranges(slow, lambda: slow.compile())

    assert desk.send(str(news), "mara", NOW).readers == {"world": 2}
    slow.compile()

    found = lists(newsroom)
    assert found["breaking"] == {reader: [[news]] for reader in later}
    assert [reader for reader, of in found["daily"].items() if [news] in of] == earlier


def test_an_edition_that_begins_beside_it_repeats_nothing(newsroom: Newsroom, desk: BreakingDesk) -> None:
    readers = [want(newsroom) for _ in range(3)]
    before = newsroom.publish(at=NOW - DAY - timedelta(hours=5))
    newsroom.compile(NOW - DAY)
    news = newsroom.publish()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("digest.tasks.editions.breaking.RANGE_SIZE", 1)
        stop_between_ranges(newsroom, lambda: desk.send(str(news), "mara", NOW))

    newsroom.compile()

    first, *others = readers
    assert lists(newsroom) == {
        "breaking": {first: [[news]]},
        "daily": {first: [[before]], **{one: [[before], [news]] for one in others}},
    }
    compiler = newsroom.compiler
    compiler._breaking = lambda digest, edition: desk.compile(digest, edition, compiler.worker_id)
    newsroom.compile()  # who went on has nothing left to plan
    assert lists(newsroom)["breaking"] == {first: [[news]]}


def test_what_a_process_that_died_began_the_next_run_finishes(
    newsroom: Newsroom, desk: BreakingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [want(newsroom) for _ in range(3)]
    news = newsroom.publish()
    monkeypatch.setattr("digest.tasks.editions.breaking.RANGE_SIZE", 1)
    stop_between_ranges(newsroom, lambda: desk.send(str(news), "mara", NOW))
    assert [one.state for one in newsroom.deliveries()] == [DeliveryState.PLANNED]

    compiler = newsroom.compiler
    compiler._breaking = lambda digest, edition: desk.compile(digest, edition, compiler.worker_id)
    newsroom.compile(at_once=False)

    assert lists(newsroom)["breaking"] == {reader: [[news]] for reader in readers}
    with newsroom.database.read() as session:
        edition = session.exec(select(Edition).where(Edition.cadence == "breaking")).one()
        act = session.exec(select(DeskAct)).one()
    assert (edition.state, edition.compiler) == (EditionState.FROZEN, None)
    assert act.act.endswith("as breaking news to 3 readers")
    assert desk.send(str(news), "mara", NOW).before == ["world"]


def test_an_article_withdrawn_while_it_is_planned_reaches_nobody(
    newsroom: Newsroom, desk: BreakingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        want(newsroom)
    news = newsroom.publish()
    monkeypatch.setattr("digest.tasks.editions.breaking.RANGE_SIZE", 1)
    newsroom.database.give_way = lambda: withdraw(  # type: ignore[method-assign, assignment]
        newsroom.database, str(news), "wrong", lambda: NOW
    )

    desk.send(str(news), "mara", NOW)

    assert [one.state for one in newsroom.deliveries()] == [DeliveryState.WITHHELD] * 2


def stop_between_ranges(newsroom: Newsroom, act: Callable[[], object]) -> None:
    """Let a process end after the first range that it planned."""
    before = len(newsroom.deliveries())

    def stop() -> None:
        if len(newsroom.deliveries()) > before:
            raise StoppedError

    newsroom.database.give_way = stop  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        act()
    del newsroom.database.give_way


class StoppedError(Exception):
    """The process ends here."""


def test_what_cannot_be_sent_says_why(newsroom: Newsroom, desk: BreakingDesk) -> None:
    off_topic, hidden = newsroom.publish("gardening"), newsroom.publish()
    with newsroom.database.write() as session:
        session.exec(update(Article).where(col(Article.id) == hidden).values(hidden_at=NOW))
    for article, why in (
        (off_topic, "no topic of a digest"),
        (hidden, "is hidden"),
        (999, "there is no article"),
    ):
        with pytest.raises(InputError, match=why):
            desk.count(str(article))
    silent = newsroom.settings.digests[0].model_copy(update={"breaking": False})
    newsroom.settings.__dict__["digests"] = (silent,)
    with pytest.raises(InputError, match="set breaking = true"):
        desk.count(str(newsroom.publish()))
