"""A publication that outgrows SQLite moves to PostgreSQL whole, and its old database takes no change any more."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text

from digest.cli.terminal.application import open_application
from digest.models import Memo
from digest.store import schema, table_copy
from digest.store.database import Database
from digest.tasks.sources.desk_sources import WantedSource, add_source, change_source, show_source
from tests.support.newsroom import Caught, Publication


@pytest.fixture
def small(tmp_path: Path) -> Publication:
    return Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db")


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[tuple[Publication, Caught]]:
    """Yield a publication whose first edition has been sent, and its relay."""
    with Caught() as relay:
        publication = Publication(tmp_path, f"sqlite:///{tmp_path}/digest.db", port=relay.port)
        publication.begin(readers=5)
        publication.run("send", "--now")
        publication.run("subscribers", "erase", "r4@readers.example")
        yield publication, relay


def move_to(publication: Publication, url: str, code: int = 0) -> str:
    return publication.run("move", url, code=code)


def test_after_a_move_the_next_edition_goes_on_where_the_last_one_ended(
    lived: tuple[Publication, Caught], postgresql_database: str
) -> None:
    publication, relay = lived
    before = {n: publication.facts("why", "r0@readers.example", str(n)) for n in (1, 2)}

    said = move_to(publication, postgresql_database)
    publication.change_settings(f"sqlite:///{publication.folder}/digest.db", postgresql_database)
    publication.write_article("Ferry strike ends")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
        publication.run("send", "--now")

    assert "the same in both databases" in said
    assert {n: publication.facts("why", "r0@readers.example", str(n)) for n in (1, 2)} == before
    assert Counter(relay.recipients) == {f"r{n}@readers.example": 2 if n < 4 else 1 for n in range(5)}
    for message in relay.parsed()[5:]:
        body = message.get_body(("plain",))
        assert body is not None
        content = body.get_content()
        assert "Ferry strike ends" in content
        assert "Bridge reopens" not in content
    publication.run("audit")
    for words in ("bridge reop", "ferry strike"):
        assert len(publication.facts("articles", "list", "--search", words)) == 1, words


def test_the_sources_of_the_desk_move_along(small: Publication, postgresql_database: str) -> None:
    small.begin(readers=1)
    with open_application(small.config) as app:
        wanted = WantedSource("https://harbour.example/feed", name="harbour", topics=("world",))
        add_source(app.database, app.settings, wanted, "olga@courier.example", app.clock())
    before = small.facts("sources")

    move_to(small, postgresql_database)
    small.change_settings(f"sqlite:///{small.folder}/digest.db", postgresql_database)

    assert small.facts("sources") == before
    assert (before[1]["name"], before[1]["added_by"]) == ("harbour", "olga@courier.example")
    with open_application(small.config) as app:
        change = WantedSource("", title="The Harbour")
        change_source(app.database, app.settings, "harbour", 1, change, "olga@courier.example", app.clock())
        assert len(show_source(app.database, app.settings, "harbour").acts) == 2


def test_an_erased_reader_stays_barred_after_a_move(
    lived: tuple[Publication, Caught], postgresql_database: str
) -> None:
    publication, _ = lived
    move_to(publication, postgresql_database)
    publication.change_settings(f"sqlite:///{publication.folder}/digest.db", postgresql_database)

    publication.run("subscribers", "import", str(publication.write_readers(5)), "--confirmed", "on paper")

    assert "r4@" not in publication.run("subscribers", "list")


def test_the_old_database_refuses_every_change_and_names_the_new_place(
    lived: tuple[Publication, Caught], postgresql_database: str
) -> None:
    publication, relay = lived
    sent = len(relay.messages)
    move_to(publication, postgresql_database)

    said = publication.run("send", "--now", code=1)

    assert "was moved" in said
    assert "[database] url" in said
    assert len(relay.messages) == sent
    with sqlite3.connect(publication.folder / "digest.db") as old:
        tables = [name for (name,) in old.execute("SELECT name FROM pragma_table_list WHERE type = 'table'")]
        for name in (one for one in tables if not one.startswith("sqlite_")):
            if not old.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():
                continue
            with pytest.raises(sqlite3.IntegrityError, match="moved: "):
                old.execute(f"DELETE FROM {name}")


def test_a_database_that_is_not_empty_is_left_alone(small: Publication, postgresql_database: str) -> None:
    small.begin(readers=2)
    other = Database(postgresql_database)
    schema.migrate(other)
    with other.write() as session:
        session.add(Memo(name="of another publication", value="x"))
    other.close()

    said = move_to(small, postgresql_database, code=1)

    assert "is not empty: name a new one" in said
    small.run("subscribers", "import", str(small.write_readers(3)), "--confirmed", "on paper")


@pytest.mark.parametrize(
    "url", ["sqlite:///other.db", "mysql://root@db/news", "postgresql://db:none/news", ""]
)
def test_an_address_that_is_no_postgresql_database_is_refused(small: Publication, url: str) -> None:
    small.begin(readers=1)

    said = move_to(small, url, code=2)

    assert "postgresql://USER@HOST/NAME" in said
    small.run("status")


def test_nothing_moves_while_the_program_is_at_work(small: Publication, postgresql_database: str) -> None:
    with Caught(delay=0.5) as relay:
        small.use_relay(relay.port)
        small.begin(readers=20)
        sending = small.start("send", "--now")
        relay.wait_for(1)

        said = move_to(small, postgresql_database, code=1)

        assert "at work" in said
        sending.terminate()
        sending.communicate(timeout=60)
    small.run("status")


def test_a_row_that_differs_stops_the_move(
    lived: tuple[Publication, Caught], postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication, _ = lived
    copy_rows = table_copy.copy_rows

    def copy_and_lose(source, target, table):  # type: ignore[no-untyped-def]
        count = copy_rows(source, target, table)
        if table.name == "subscriber":
            target.connection().execute(text("UPDATE subscriber SET name = 'x' WHERE id = 2"))
        return count

    monkeypatch.setattr(table_copy, "copy_rows", copy_and_lose)

    said = move_to(publication, postgresql_database, code=1)

    assert "subscriber (id 2) is not the same" in said
    target = Database(postgresql_database)
    with target.read() as session:
        assert table_copy.is_empty(session)
    target.close()
    publication.run("audit")


def test_a_text_with_a_nul_is_named_by_its_row(small: Publication, postgresql_database: str) -> None:
    small.begin(readers=1)
    with sqlite3.connect(small.folder / "digest.db") as old:
        old.execute("UPDATE subscriber SET name = 'a' || char(0) || 'b'")

    said = move_to(small, postgresql_database, code=1)

    assert "subscriber 1 has a text with a NUL character" in said
