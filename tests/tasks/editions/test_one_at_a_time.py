"""Two editions of one digest and cadence are never compiled at once: both would hold the same articles."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select, update

from digest.errors import Refused
from digest.models import Approval, Edition, EditionState, Subscription
from digest.rules.editions.lost_editions import MadeEdition
from digest.store.editions import drafts, editions, placements, planning
from digest.tasks.editions.compiling import Compiled
from tests.support.compilation import DAY, NOW, Newsroom

TODAY, TOMORROW = "2026-11-23", "2026-11-24"


@pytest.fixture
def newsroom(newsroom: Newsroom) -> Newsroom:
    newsroom.digest = newsroom.digest.model_copy(update={"cadences": {"daily": "07:00"}})
    return newsroom


class SlowCompiler(Newsroom):
    """Another process, which stops between two ranges until `finish`."""

    def __init__(self, newsroom: Newsroom) -> None:
        super().__init__(newsroom.database, newsroom.settings, newsroom.workers, range_size=1)
        self.digest = newsroom.digest

    def begin(self, now: datetime = NOW, *, at_once: bool = True) -> None:
        """Compile the first range of what is due, and stop there."""
        waited, before = self.database.give_way, len(self.deliveries())

        def stop() -> None:
            if len(self.deliveries()) > before:
                raise _StopsError
            waited()

        self.database.give_way = stop  # type: ignore[method-assign]
        with pytest.raises(_StopsError):
            self.compile(now, at_once=at_once)
        self.database.give_way = waited  # type: ignore[method-assign]

    def finish(self) -> None:
        """Compile the other ranges, and freeze."""
        self.compiler._resume(self.digest)


class _StopsError(Exception):
    pass


def states(newsroom: Newsroom) -> dict[str, str]:
    with newsroom.database.read() as session:
        return {one.period: one.state for one in session.exec(select(Edition))}


def draft(newsroom: Newsroom, period: str, **values: object) -> None:
    with newsroom.database.write() as session:
        found = drafts.find_or_new(session, "world", "daily", period)
        found.version += 1
        for name, value in values.items():
            setattr(found, name, value)
        drafts.save(session, found, "mara", "changed it", NOW)


def test_the_next_edition_waits_until_the_one_before_is_frozen(newsroom: Newsroom) -> None:
    article, readers = newsroom.publish(), [newsroom.subscribe() for _ in range(3)]
    slow = SlowCompiler(newsroom)
    slow.begin()

    (waiting,) = newsroom.compile(NOW + DAY, at_once=False)
    assert waiting == Compiled("world", "daily", TOMORROW, made=False, waits=True)
    assert states(newsroom) == {TODAY: "compiling"}

    slow.finish()
    later = newsroom.publish(at=NOW + timedelta(hours=1))
    (made,) = newsroom.compile(NOW + DAY, at_once=False)
    assert made.made
    assert newsroom.lists() == {reader: [[article], [later]] for reader in readers}


def test_a_held_edition_stays_held_while_another_is_compiled(newsroom: Newsroom) -> None:
    newsroom.digest = newsroom.digest.model_copy(update={"approval": Approval.REQUIRE})
    article, readers = newsroom.publish(), [newsroom.subscribe() for _ in range(3)]
    newsroom.compile(NOW)
    draft(newsroom, TODAY, approved_version=1)
    with newsroom.database.write() as session:  # as if the one before had taken a day
        session.add(Edition(digest="world", cadence="daily", period="2026-11-22", deadline_at=NOW - DAY,
                            freeze_at=NOW - DAY, state=EditionState.COMPILING,
                            compiler=SlowCompiler(newsroom).worker.id))  # fmt: skip

    newsroom.compiler.compile_due(newsroom.digest, NOW)
    assert states(newsroom) == {TODAY: "held", "2026-11-22": "compiling"}

    with newsroom.database.write() as session:
        session.exec(update(Edition).where(col(Edition.period) == "2026-11-22").values(state="finished"))
    newsroom.compiler.compile_due(newsroom.digest, NOW)
    assert newsroom.lists() == {reader: [[article]] for reader in readers}


def test_a_released_edition_that_is_still_compiled_at_the_next_deadline_repeats_nothing(
    newsroom: Newsroom,
) -> None:
    newsroom.digest = newsroom.digest.model_copy(update={"approval": Approval.HOLD})
    article, readers = newsroom.publish(), [newsroom.subscribe() for _ in range(3)]
    draft(newsroom, TODAY, held_by="mara")
    newsroom.compile(NOW)
    draft(newsroom, TODAY, held_by=None)
    slow = SlowCompiler(newsroom)
    slow.begin(NOW + DAY - timedelta(seconds=301), at_once=False)
    assert states(newsroom) == {TODAY: "compiling"}

    newsroom.compile(NOW + DAY, at_once=False)
    slow.finish()
    newsroom.compile(NOW + DAY + timedelta(minutes=1), at_once=False)

    assert states(newsroom) == {TODAY: "frozen", TOMORROW: "frozen"}
    assert newsroom.lists() == {reader: [[article]] for reader in readers}


def test_what_an_editor_publishes_now_goes_once_the_one_before_is_frozen(newsroom: Newsroom) -> None:
    article, reader = newsroom.publish(), newsroom.subscribe()
    newsroom.subscribe()
    slow = SlowCompiler(newsroom)
    slow.begin()
    draft(newsroom, TOMORROW, at_once=True, approved_version=1, approved_by="mara")

    newsroom.compiler.compile_due(newsroom.digest, NOW)
    assert states(newsroom) == {TODAY: "compiling"}

    slow.finish()
    later = newsroom.publish(at=NOW + timedelta(minutes=1))
    newsroom.compiler.compile_due(newsroom.digest, NOW + timedelta(minutes=2))
    assert newsroom.lists()[reader] == [[article], [later]]


def test_a_restored_database_says_that_another_process_compiles(newsroom: Newsroom) -> None:
    newsroom.publish()
    for _ in range(2):
        newsroom.subscribe()
    SlowCompiler(newsroom).begin()
    made = {"world daily": [MadeEdition(TOMORROW, NOW + DAY, NOW + DAY, at_once=False)]}

    with pytest.raises(Refused, match="another process compiles an edition of world, daily"):
        newsroom.compiler.compile_lost(newsroom.digest, NOW + DAY, made)


def test_other_cadences_do_not_wait(newsroom: Newsroom) -> None:
    cadences = {"daily": "07:00", "weekly": "Mon 07:00"}
    newsroom.digest = newsroom.digest.model_copy(update={"cadences": cadences})
    article = newsroom.publish()
    for _ in range(2):
        newsroom.subscribe()
    moved = newsroom.subscribe()
    SlowCompiler(newsroom).begin()
    with newsroom.database.write() as session:
        chosen = update(Subscription).where(col(Subscription.id) == moved)
        session.exec(chosen.values(cadence="weekly", cohort_id=None))

    assert [(one.cadence, one.made, one.waits) for one in newsroom.compile()] == [
        ("daily", False, False), ("weekly", True, False),
    ]  # fmt: skip
    assert newsroom.lists("weekly") == {moved: [[article]]}
    with newsroom.database.read() as session:
        assert editions.is_compiling(session, "world", "daily")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_reader_changes_nothing_between_being_read_and_being_placed(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.publish("world")
    reader = newsroom.subscribe("world")
    place, tried = placements.place, []

    def change_meanwhile(*arguments: Any) -> None:
        with newsroom.database.engine.connect() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(OperationalError, match="lock timeout"):
                connection.execute(
                    update(Subscription).where(col(Subscription.id) == reader).values(topics={})
                )
        tried.append(reader)
        place(*arguments)

    monkeypatch.setattr(placements, "place", change_meanwhile)
    newsroom.compile()

    assert tried == [reader]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_processes_plan_one_after_the_other(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.subscribe()
    with newsroom.database.write() as session:
        planning.take_turns(session)
        thread = threading.Thread(target=newsroom.compile)
        thread.start()
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        with newsroom.database.engine.connect() as connection:
            watch = connection.execution_options(isolation_level="AUTOCOMMIT")
            while not watch.exec_driver_sql(waits).scalar():
                assert thread.is_alive()
    thread.join()
    assert len(newsroom.deliveries()) == 1
