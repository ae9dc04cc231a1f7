"""The index of runs: what is noted is found for its days, in whatever lot it stands."""

from datetime import UTC, datetime, timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from digest.store import schema
from digest.store.articles import duplicate_index
from digest.store.database import Database

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
DAY = timedelta(days=1)
LOW, HIGH = -(2**63), 2**63 - 1


def note(database: Database, noted: dict[int, list[int]], at: datetime = NOW) -> None:
    with database.write() as session:
        duplicate_index.note_runs(session, noted, at)


def forget(database: Database, before: datetime) -> None:
    with database.write() as session:
        duplicate_index.forget_runs(session, before)


def found(database: Database, *wanted: int) -> dict[int, set[int]]:
    with database.read() as session:
        return dict(duplicate_index.tellers_of(session, wanted, NOW - 3 * DAY))


def lots(database: Database) -> list[tuple[int, int]]:
    with database.read() as session:
        rows = session.connection().exec_driver_sql("SELECT lot, count(*) FROM run GROUP BY lot ORDER BY lot")
        return [(lot, count) for lot, count in rows]


def test_an_empty_index_knows_nothing(database: Database) -> None:
    assert found(database, 1, 2) == {}


def test_each_article_with_a_run_is_found_by_it(database: Database) -> None:
    note(database, {1: [LOW, 5], 2: [5, HIGH]})
    note(database, {3: [5]})

    assert found(database, LOW, 5, HIGH, 6) == {LOW: {1}, 5: {1, 2, 3}, HIGH: {2}}


def test_a_full_lot_goes_to_its_day_and_all_is_found(database: Database) -> None:
    for number in (1, 2_499, 2_500, 9_000):
        note(database, {number: [7, number]})

    [(is_open, few), (day, most)] = lots(database)
    assert (is_open < 0, few, day > 0, most) == (True, 2, True, 6)
    assert found(database, 7, 2_499) == {7: {1, 2_499, 2_500, 9_000}, 2_499: {2_499}}


def test_an_edited_article_does_not_close_the_lot_that_is_open(database: Database) -> None:
    note(database, {9_000: [1]})
    note(database, {3: [2]})

    assert len(lots(database)) == 1
    assert found(database, 1, 2) == {1: {9_000}, 2: {3}}


def test_a_run_that_is_noted_twice_is_one(database: Database) -> None:
    note(database, {1: [7]})
    note(database, {1: [7]})
    note(database, {1: [7], 2: [8]}, NOW + DAY)
    note(database, {3: [9]}, NOW + 2 * DAY)

    assert found(database, 7) == {7: {1}}


def test_a_day_is_forgotten_when_it_is_over_for_all_that_it_holds(database: Database) -> None:
    note(database, {1: [7]})
    note(database, {2: [7]}, NOW + DAY)
    note(database, {3: [7]}, NOW + 2 * DAY)

    forget(database, NOW + timedelta(hours=5))
    assert found(database, 7) == {7: {1, 2, 3}}
    forget(database, NOW + DAY)
    assert found(database, 7) == {7: {2, 3}}


def test_a_clock_that_was_set_back_loses_nothing(database: Database) -> None:
    note(database, {1: [7]})
    note(database, {2: [7]}, NOW - 300 * DAY)
    note(database, {3: [7]}, datetime(1970, 1, 1, tzinfo=UTC))

    forget(database, NOW - 3 * DAY)
    assert found(database, 7) == {7: {1, 2, 3}}


def test_an_article_from_before_the_moment_is_left_out_though_its_day_is_not_over(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(_ARTICLE.replace("VALUES (1, 'paper', 'u'", "VALUES (2, 'paper', 'v'")))
    note(database, {1: [7], 2: [7]})

    assert found(database, 7) == {7: {2}}


def test_what_an_older_database_has_in_its_index_stays_both_ways(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(_ARTICLE))
    note(database, {1: [LOW, 7]})

    _move(database, "0013")
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT value, article_id FROM run ORDER BY value")).all()
    assert [tuple(row) for row in rows] == [(LOW, 1), (7, 1)]
    _move(database, schema.HEAD)

    assert found(database, 7, LOW) == {7: {1}, LOW: {1}}
    forget(database, NOW - 3 * DAY)
    assert found(database, 7) == {7: {1}}
    forget(database, NOW + DAY)
    assert found(database, 7) == {}


_ARTICLE = (
    "INSERT INTO article (id, source, canonical_url, url, content_hash, title, title_formed, summary, html, text,"
    " word_count, topics, first_seen_at) VALUES (1, 'paper', 'u', 'u', 'h', 't', false, '', '', '', 0, '[]',"
    " '2026-11-23 06:00:00')"
)


def _move(database: Database, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    config.set_main_option("path_separator", "os")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        move = command.downgrade if version < schema.HEAD else command.upgrade
        move(config, version)
