"""What `status`, `audit` and `why` tell is so: of messages that wait, and of a restored database."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.clock import utc_now
from digest.models import Edition
from digest.store.database import Database
from digest.store.workers import WorkerLock
from digest.tasks.ledger.audit import SHOWN
from tests.support.newsroom import Caught, Publication
from tests.support.scripted import Scripted, answers, greets, steps

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def put_off(folder: Path, database_url: str) -> Publication:
    """Make an edition whose message a server defers."""
    script = steps(greets, answers("250 2.1.0 ok", "451 4.7.1 Greylisted, try again later", "250 2.0.0 ok"))
    with Scripted(script) as relay:
        publication = Publication(folder, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("send", "--now")
    return publication


def test_a_reader_whose_message_is_deferred_does_not_have_it_yet(tmp_path: Path, database_url: str) -> None:
    publication = put_off(tmp_path, database_url)

    said = publication.run("why", "r0@readers.example", "1")
    facts = publication.facts("why", "r0@readers.example", "1")

    assert "does not have yet" in said
    assert "451 4.7.1 Greylisted" in said
    assert "next try to" in said
    assert facts["state"] == "deferred"
    assert facts["included"], "the ledger counts it: it is in no other edition"
    assert "451 4.7.1" in facts["reply"]
    assert facts["next_try_at"] is not None


def test_a_message_that_is_due_is_sent_by_the_next_run_and_names_no_time_that_is_past(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url)
    publication.begin(readers=1)
    publication.run("send", "world", "--now", code=1)  # no relay is there

    said = publication.run("why", "r0@readers.example", "1")

    assert "does not have yet" in said
    assert said.rstrip().endswith("; the next run sends it")


def test_status_counts_what_is_deferred_with_its_reason_and_the_next_try(
    tmp_path: Path, database_url: str
) -> None:
    publication = put_off(tmp_path, database_url)

    row = publication.edition()
    said = publication.run("status")

    assert row["deferred"] == 1
    assert [(one["state"], one["count"]) for one in row["reasons"]] == [("deferred", 1)]
    assert "1 deferred: " in said
    assert "451 4.7.1 Greylisted" in said
    assert "; next try to" in said


def test_status_names_the_processes_at_work_and_how_fast_the_edition_goes(
    tmp_path: Path, database_url: str
) -> None:
    publication = put_off(tmp_path, database_url)
    database = Database(database_url)
    worker = WorkerLock.acquire(database, host="mail-2", pid=7, now=utc_now())

    said = publication.run("status")
    worker.release(database, utc_now())
    database.close()

    assert f"worker {worker.id} on mail-2 (pid 7), since " in said
    assert ": 0 messages claimed" in said
    assert "/daily/" in said
    assert "nothing was accepted in the last minute" in said
    assert "worker" not in publication.run("status")


@pytest.mark.parametrize("command", ["status", "audit", "resume"])
def test_a_restored_database_is_told_by_every_command_that_speaks_of_its_health(
    tmp_path: Path, database_url: str, command: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        shutil.copy(tmp_path / "digest.db", tmp_path / "backup.db")
        publication.run("send", "--now")
        for file in tmp_path.glob("digest.db*"):
            file.unlink()
        shutil.copy(tmp_path / "backup.db", tmp_path / "digest.db")

    said = publication.run(command, code=1)

    assert "restored from a backup" in said
    assert "digest resume --sent-until TIME" in said
    if command != "resume":
        told = publication._run((command, "--json"), 1)[0]
        assert "restored from a backup" in json.loads(told)["refused"]


def test_status_tells_of_the_last_editions_and_how_many_came_before(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url)
    publication.run("send")
    database, day = Database(database_url), datetime(2026, 1, 1, tzinfo=UTC)
    with database.write() as session:
        for number in range(SHOWN + 2):
            at, state = day + timedelta(days=number), "finished" if number else "paused"
            session.add(
                Edition(digest="world", cadence="daily", period=f"{at:%Y-%m-%d}", state=state,
                        deadline_at=at, freeze_at=at, frozen_at=at)
            )  # fmt: skip
    database.close()

    facts = publication.facts("status", "world/daily")
    said = publication.run("status")

    assert [row["period"] for row in facts["editions"]][:2] == ["2026-01-01", "2026-01-03"]
    assert (len(facts["editions"]), facts["earlier"]) == (SHOWN + 1, 1)
    assert "1 earlier edition is not shown: `digest audit` prints the sums of all" in said
    assert len(publication.facts("audit", "world", code=1)["editions"]) == SHOWN + 2
    assert 'there is no edition "world weekly"; the latest are: world daily 2026-01-01;' in publication.run(
        "status", "world weekly", code=2
    )
