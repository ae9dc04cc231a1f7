"""The schema: made once, by whoever comes first, and always the one that the models describe."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlmodel import SQLModel, select

from digest.errors import DigestError
from digest.models import Article, Cohort
from digest.store import schema
from digest.store.articles import search
from digest.store.database import Database
from digest.store.readers.wordings import keep_wording
from digest.tasks.articles.searching import index_due
from tests.support.fast_set_up import REAL_UPGRADE


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of an empty database of each kind, whose tables the migrations make."""
    monkeypatch.setattr(schema, "_upgrade", REAL_UPGRADE)
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/digest.db"
    url: str = request.getfixturevalue("postgresql_database")
    return url


def test_the_migrations_make_what_the_models_describe(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def is_compared(_object: object, name: str | None, *_more: object) -> bool:
        # PostgreSQL's migrations have another set of these on purpose: see `Delivery` and `in_states`.
        # The index of words is no model: see migration 0041.
        if (name or "").removeprefix("ix_").startswith("article_search"):
            return False
        return database.is_sqlite or name not in ("is_open", "ix_delivery_owned")

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_compared})
        found = compare_metadata(context, SQLModel.metadata)

    assert found == []


def test_the_head_is_the_last_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(schema._FOLDER)).get_current_head() == schema.HEAD


def test_migrating_again_changes_nothing(database: Database) -> None:
    assert schema.migrate(database) is None


def test_eight_processes_may_create_the_tables_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(schema.migrate, databases)) == [None] * 8
    for database in databases:
        database.close()


def test_a_database_of_a_later_version_is_refused_with_its_version(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DigestError, match="9999"):
        schema.migrate(database)


def test_sqlite_commits_are_durable_and_readers_do_not_wait(database: Database) -> None:
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        return
    with database.engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_wordings_of_older_events_are_kept_once_under_numbers(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    config.set_main_option("path_separator", "os")
    event = text(
        "INSERT INTO consent_event (subscriber_id, digest, act, at, wording, origin)"
        " VALUES (1, 'world', 'asked', :at, :wording, '{}')"
    )
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0029")
        connection.execute(
            text(
                "INSERT INTO subscriber (id, public_id, address, address_key, name, created_at)"
                " VALUES (1, 'p', 'a@x.example', 'a@x.example', '', '2026-01-01')"
            )
        )
        for day, wording in enumerate(["Yes.", "", "Ja.", "Yes."], start=1):
            connection.execute(event, {"at": f"2026-01-0{day} 00:00:00.000000", "wording": wording})
        command.upgrade(config, schema.HEAD)
        numbers = connection.execute(text("SELECT wording_id FROM consent_event ORDER BY id")).scalars().all()
        texts = connection.execute(text("SELECT id, text FROM consent_wording ORDER BY id")).all()
    assert texts == [(1, "Yes."), (2, "Ja.")]
    assert numbers == [1, None, 2, 1]
    with database.write() as session:
        assert keep_wording(session, "Yes.", "", datetime(2026, 2, 1, tzinfo=UTC)) == 1


def test_the_articles_of_an_older_database_wait_to_be_read_for_the_search(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    config.set_main_option("path_separator", "os")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0040")
    with database.write() as session:
        session.add(Article(source="wire", canonical_url="u", url="u", content_hash="c", title="Bridge",
                            first_seen_at=datetime(2026, 1, 1, tzinfo=UTC)))  # fmt: skip

    schema.migrate(database)
    read = index_due(database)

    with database.read() as session:
        found = search.list_found(session, "bridge", most=5)
    assert (read, len(found)) == (1, 1)


def test_greek_topics_of_an_older_database_get_their_one_form(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    config.set_main_option("path_separator", "os")
    chosen = {"κόσμοσ": "2026-01-02T00:00:00+00:00", "local": "2026-01-03T00:00:00+00:00"}
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0044")
    with database.write() as session:
        session.add(Article(source="wire", canonical_url="u", url="u", content_hash="c", title="Γέφυρα",
                            topics=["κόσμοσ", "κοσμοσ", "zürich"], categories=["κόσμοσ"],
                            first_seen_at=datetime(2026, 1, 1, tzinfo=UTC)))  # fmt: skip
        session.add(Cohort(key="k", digest="world", cadence="daily", language="el", topics=chosen,
                           history_from=datetime(2026, 1, 1, tzinfo=UTC)))  # fmt: skip

    schema.migrate(database)

    with database.read() as session:
        article, cohort = session.exec(select(Article)).one(), session.exec(select(Cohort)).one()
    assert (article.topics, article.categories) == (["κοσμος", "zürich"], ["κοσμος"])
    assert article.categories_elsewhere is None
    assert cohort.topics == {"κοσμος": chosen["κόσμοσ"], "local": chosen["local"]}
