"""Editions are held, released and paused from the command line, and the desk's activity keeps it."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.newsroom import Caught, Publication

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_held_edition_waits_until_it_is_released(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=2)

        assert "on hold" in publication.run("hold", "world/daily")
        publication.run("send", "--now")
        assert relay.messages == []
        assert publication.edition()["state"] == "held"

        assert "released" in publication.run("release", "world/daily")
        publication.run("send")
        assert len(relay.messages) == 2


def test_a_hold_is_for_the_edition_that_the_schedule_names_next(tmp_path: Path, database_url: str) -> None:
    """Where the first deadline of all is still to come, `send --now` makes an earlier one: that is held, too."""
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        passed = datetime.now(ZoneInfo("Europe/Paris")) - timedelta(minutes=2)
        publication.change_settings('daily = "07:00"', f'daily = "{passed:%H:%M}"')
        publication.begin(readers=1)
        (following,) = [row["period"] for row in publication.facts("schedule") if row["cadence"] == "daily"]

        assert f"world daily {following}: on hold" in publication.run("hold", "world/daily")
        assert f"world daily {following}: On hold by" in publication.run("schedule")
        publication.run("send", "--now")
        assert publication.edition()["state"] == "held"
        assert following not in publication.run("release", "world/daily"), "the held one comes first"
        publication.run("send")
        assert len(relay.messages) == 1
        assert f"world daily {following}: released" in publication.run("release", "world/daily")


def test_a_schedule_until_a_date_includes_that_day_and_none_that_has_passed(
    tmp_path: Path, database_url: str
) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(readers=1)
    day = datetime.now(ZoneInfo("Europe/Paris")).date() + timedelta(days=3)

    rows = [row for row in publication.facts("schedule", "--until", f"{day}") if row["cadence"] == "daily"]

    assert rows[-1]["period"] == f"{day}"
    said = publication.run("schedule", "--until", f"{day - timedelta(days=5)}", code=2)
    assert f'--until "{day - timedelta(days=5)}" has passed' in said


def test_releasing_what_is_not_on_hold_is_refused(tmp_path: Path, database_url: str) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(readers=1)

    assert "is not on hold" in publication.run("release", "world/daily", code=1)
    publication.change_settings("max_articles = 5", 'max_articles = 5\napproval = "require-approval"')
    said = publication.run("release", "world/daily", code=1)
    assert "is not on hold: it waits for approval, which a publisher gives at http" in said
    assert "/desk/world/daily/" in said


def test_a_paused_edition_goes_on_only_when_it_is_resumed(tmp_path: Path, database_url: str) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(readers=1)
    publication.run("send", "--now", code=1)
    publication.run("resume")

    said = publication.run("pause", "world/daily")

    assert "paused; `digest resume world/daily/" in said
    assert publication.edition()["state"] == "paused"
    assert "by command" in publication.edition()["reason"]
    with Caught() as relay:
        publication.change_settings("port = 1\n", f"port = {relay.port}\n")
        publication.run("send")
        assert relay.messages == []
        publication.run("resume", "world/daily")
        publication.run("send")
        assert len(relay.messages) == 1


def test_what_is_not_there_is_told(tmp_path: Path, database_url: str) -> None:
    publication = Publication(tmp_path, database_url, port=1)

    assert 'no digest "wrold"' in publication.run("hold", "wrold/daily", code=2)
    assert 'no cadence "dayly"' in publication.run("release", "world/dayly", code=2)
    assert "there is no edition" in publication.run("pause", "world/daily", code=2)
    assert "--failed needs an edition" in publication.run("resume", "--failed", code=2)


def test_nothing_is_retried_where_nothing_has_failed(tmp_path: Path, database_url: str) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("send", "--now")

        said = publication.run("resume", "world/daily", "--failed")

        assert said.strip() == "no delivery of world/daily has failed"
        publication.run("send")
        assert len(relay.messages) == 1


def test_a_blank_name_is_no_name_for_all_editions(tmp_path: Path, database_url: str) -> None:
    """`digest pause "$EDITION"` had paused everything where the variable was empty."""
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(readers=1)
    publication.run("send", "--now", code=1)
    publication.run("resume")

    for act in ("pause", "resume", "status", "audit"):
        for blank in ("", " ", "/"):
            assert "names no edition" in publication.run(act, blank, code=2)
    assert publication.edition()["state"] == "frozen"


def test_the_activity_keeps_who_resumed_and_retried_by_command(tmp_path: Path, database_url: str) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(readers=1)
    publication.run("send", "--now", code=1)
    for act in ("pause", "resume", "pause"):
        publication.run(act, "world/daily")
    publication.run("resume")

    with sqlite3.connect(tmp_path / "digest.db") as database:
        acts = database.execute("SELECT who, act FROM desk_act ORDER BY id").fetchall()
        assert [act for _, act in acts] == ["paused delivery", "resumed delivery"] * 2
        assert all(who.endswith(" by command") for who, _ in acts)
        database.execute("UPDATE delivery SET state = 'failed'")
    publication.run("resume", "world/daily", "--failed")
    with sqlite3.connect(tmp_path / "digest.db") as database:
        ((who, act),) = database.execute("SELECT who, act FROM desk_act ORDER BY id DESC LIMIT 1").fetchall()
    assert (who.endswith(" by command"), act) == (True, "retried 1 failed reader")


def test_a_hold_may_name_the_period_as_every_other_command_does(tmp_path: Path, database_url: str) -> None:
    publication = Publication(tmp_path, database_url, port=1)
    publication.begin(readers=1)
    period = publication.facts("schedule")[0]["period"]

    said = publication.run("hold", f"world/daily/{period}")
    assert said.strip().splitlines() == [
        f"world daily {period}: on hold; `digest release world/daily` ends that"
    ]
    refused = publication.run("hold", "world/daily/1999-01-01", code=2)
    assert "is not the next edition or one on hold" in refused
    assert f"world/daily/{period}" in refused
    assert "released" in publication.run("release", f"world daily {period}")
