"""A database restored from a backup sends nothing by itself; the operator decides what it may send."""

import re
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from digest.bootstrap import Application
from digest.clock import utc_now
from digest.scheduler import Ticker
from digest.settings import load_settings
from digest.store.database import Database
from digest.tasks.editions.correcting import correct
from digest.web.app import create_app
from tests.support.desks import Clock, Newsdesk
from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def restore(publication: Publication) -> None:
    """Put the copy in the database's place, as an operator does after a broken disk."""
    for file in publication.folder.glob("digest.db*"):
        file.unlink()
    shutil.copy(publication.folder / "backup.db", publication.folder / "digest.db")


def back_up(publication: Publication) -> None:
    shutil.copy(publication.folder / "digest.db", publication.folder / "backup.db")


def restored(folder: Path, database_url: str) -> Publication:
    """Return a publication with one reader, whose copy of before its first edition was restored."""
    with Caught() as relay:
        publication = Publication(folder, database_url, port=relay.port)
        publication.begin(readers=1)
        back_up(publication)
        publication.run("send", "--now")
        restore(publication)
    return publication


def test_a_restored_database_refuses_to_send_and_says_what_to_decide(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=3)
        back_up(publication)
        publication.run("send", "--now")
        restore(publication)

        said = publication.run("send", "--now", code=1)

        assert "restored from a backup" in said
        assert "digest resume --sent-until TIME" in said
        assert len(relay.messages) == 3


def test_sent_until_counts_what_had_gone_and_only_the_new_is_sent(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=3)
        back_up(publication)
        publication.run("send", "--now")
        restore(publication)

        said = publication.run("resume", "--sent-until", datetime.now(UTC).isoformat())
        assert "3 deliveries withheld" in said
        publication.run("send", "--now")
        publication.run("send", "--now")

        assert Counter(relay.recipients) == {f"r{n}@readers.example": 1 for n in range(3)}
        assert publication.edition()["withheld"] == 3
        bridge = next(a for a in publication.facts("articles", "list") if a["title"] == "Bridge reopens")
        assert publication.facts("why", "r0@readers.example", str(bridge["id"]))["included"] is True


def test_a_copy_from_the_middle_of_an_edition_withholds_the_rest_too(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=40)
        with publication.start("send", "--now") as process:
            relay.wait_for(5)
            process.terminate()
            process.communicate()
        back_up(publication)
        publication.run("send", "--now")
        restore(publication)

        publication.run("send", "--now", code=1)
        publication.run("resume", "--sent-until", datetime.now(UTC).isoformat())
        publication.run("send", "--now")

        assert set(Counter(relay.recipients).values()) == {1}
        assert publication.facts("audit")["ok"] is True


def test_resend_sends_what_the_restored_database_says_is_due(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=3)
        back_up(publication)
        publication.run("send", "--now")
        restore(publication)

        publication.run("resume", "--resend")
        publication.run("send", "--now")

        assert set(Counter(relay.recipients).values()) == {2}
        first, again = (relay.parsed()[n]["Message-ID"] for n in (0, 3))
        assert first == again


def test_what_freezes_an_edition_beside_the_runs_decides_nothing_about_a_restored_database(
    tmp_path: Path, database_url: str
) -> None:
    """Each act had raised the counter, until the copy seemed to be as new as its state file."""
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=3)
        publication.run("send", "--now")
        back_up(publication)
        publication.begin(readers=4)
        publication.run("send", "--now")
        restore(publication)
        before = (tmp_path / "config.state").read_text()

        for arguments in (
            ("articles", "correct", "1", "--text", "It was Monday."),
            ("articles", "breaking", "1", "--yes"),
            ("receive", "--now"),
        ):
            assert "restored from a backup" in publication.run(*arguments, code=1)
        settings = load_settings(tmp_path / "config.toml")
        database = Database(settings.database_url)
        for number in range(9):  # as the desk does
            correct(database, settings, "1", f"It was day {number}.", utc_now(), speaks=lambda _: True)
        database.close()

        assert "restored from a backup" in publication.run("send", "--now", code=1)
        assert (tmp_path / "config.state").read_text() == before


def test_the_daemon_is_not_ready_while_it_refuses_to_send(tmp_path: Path, database_url: str) -> None:
    publication = restored(tmp_path, database_url)
    app = Application(load_settings(tmp_path / "config.toml"))
    ticker = Ticker(app)
    pages = create_app(app.readers, app.settings, is_refused=lambda: ticker.is_refused)
    with TestClient(pages) as client:
        ticker.tick()
        refused, alive = client.get("/health/ready"), client.get("/health/live")
        publication.run("resume", "--resend")
        ticker.tick()
        ready = client.get("/health/ready")
    app.close()

    assert (refused.status_code, alive.status_code, ready.status_code) == (503, 200, 200)
    assert refused.json()["scheduler"] == "sends nothing: the database was restored from a backup"


def test_the_desk_tells_editors_that_a_restored_database_sends_nothing(
    tmp_path: Path, database_url: str
) -> None:
    publication = restored(tmp_path, database_url)
    newsdesk = Newsdesk(load_settings(tmp_path / "config.toml"), Clock(), compiles=False)
    mara = newsdesk.sign_in()
    edition = re.findall(r'href="(/desk/world/daily/[^"]+)"', mara.client.get("/desk").text)[0]
    told = "Nothing is sent: the database was restored from a backup"

    refused = [mara.client.get(path).text for path in ("/desk", edition)]
    (tmp_path / "config.state").write_text("{}")  # damaged
    damaged = mara.client.get("/desk").text
    publication.run("resume", "--resend", code=1)
    (tmp_path / "config.state").unlink()
    publication.run("resume", "--resend")
    decided = [mara.client.get(path).text for path in ("/desk", edition)]
    newsdesk.close()

    assert [told in page for page in (*refused, damaged, *decided)] == [True, True, True, False, False]
    assert "until an operator decides" in refused[0]


def test_the_schedule_of_a_restored_database_says_that_nothing_is_sent(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        back_up(publication)
        publication.run("send", "--now")
        restore(publication)

    for arguments in ((), ("--json",), ("--as", "r0@readers.example")):
        said = publication.run("schedule", *arguments, code=1)
        assert "restored from a backup" in said
        assert "world" in said


def test_a_missing_state_file_beside_a_ledger_that_has_sent_is_a_reason_to_ask(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("send", "--now")
        (tmp_path / "config.state").unlink()

        assert "is missing: was it restored?" in publication.run("send", code=1)


def test_a_new_database_in_the_old_ones_place_is_no_restored_one(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("send", "--now")
        for file in tmp_path.glob("digest.db*"):
            file.unlink()

        publication.begin(readers=1)
        publication.run("send", "--now")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sent-until", "yesterday"), '--sent-until "yesterday" is not a time; write 2026-11-23T07:00'),
        (("--sent-until", "2199-01-01T00:00"), "is yet to come"),
        (("--sent-until", "2026-01-01T00:00", "--resend"), "exclude each other"),
    ],
)
def test_a_decision_that_cannot_be_is_a_usage_error(
    tmp_path: Path, database_url: str, options: tuple[str, ...], says: str
) -> None:
    publication = Publication(tmp_path, database_url)
    assert says in publication.run("resume", *options, code=2)
