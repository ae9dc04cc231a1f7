"""What is wrong is found in the tables, kept while it stands, and mailed once, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.models import Alert, AlertKind, Edition, EditionName, Source
from digest.settings import Settings, load_settings
from digest.store import alerts
from digest.tasks.alerts.alert_facts import name_of
from digest.tasks.alerts.alert_mail import watch
from digest.tasks.alerts.alerts import OBSERVED, list_shown, note_conditions, observe
from tests.conftest import write_config
from tests.support.compilation import DAY, NOW, Newsroom
from tests.support.desks import Clock, Newsdesk
from tests.support.newsroom import Caught, parse

MINUTE = timedelta(minutes=1)
EDITORS, OPERATORS = "night@courier.example", "ops@courier.example"


def titles(newsroom: Newsroom, at: datetime = NOW) -> list[str]:
    note_conditions(newsroom.database, newsroom.settings, at, lambda _folder: 10**12)
    with newsroom.database.read() as session:
        return sorted(f"{one.kind} {one.name}" for one in alerts.list_alerts(session) if one.ended_at is None)


def store(newsroom: Newsroom, row: Any) -> None:
    with newsroom.database.write() as session:
        session.add(row)


def test_an_edition_that_had_nothing_new_is_an_alert_until_one_has(newsroom: Newsroom) -> None:
    newsroom.subscribe()
    newsroom.compile()
    assert titles(newsroom) == ["empty World Briefing, daily"]

    newsroom.publish(at=NOW + timedelta(hours=1))
    newsroom.compile(NOW + DAY)
    assert titles(newsroom, NOW + DAY) == []


def test_an_edition_without_readers_is_no_alert(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.compile()
    assert titles(newsroom) == []


def test_a_deadline_that_nothing_ran_at_is_late_until_its_edition_is_made(newsroom: Newsroom) -> None:
    newsroom.compile(at_once=False)
    assert titles(newsroom, NOW + DAY) == []
    late = NOW + DAY + timedelta(hours=1)
    assert titles(newsroom, late) == [
        "late World Briefing, daily, 2026-11-24", "missed World Briefing, daily, 2026-11-24",
    ]  # fmt: skip
    newsroom.compile(late, at_once=False)
    assert titles(newsroom, late) == []


def test_a_source_that_has_failed_for_a_day_is_dead_until_it_is_fetched(newsroom: Newsroom) -> None:
    configured = newsroom.settings.sources[0]
    row = Source(name=configured.name, url=configured.url, failures=3, last_success_at=NOW - DAY)
    gone = Source(name="not-configured", url="https://x.example", stopped_at=NOW, failures=9)
    for one in (row, gone):
        store(newsroom, one)
    assert titles(newsroom) == [f"source {configured.name}"]

    row.failures = 0
    store(newsroom, row)
    assert titles(newsroom) == []


def test_the_desk_sees_what_is_wrong_though_nothing_runs(newsroom: Newsroom) -> None:
    name = f"127.0.0.1:{newsroom.settings.smtp.port}"
    observe(newsroom.database, AlertKind.RELAY, name, "550 go away", NOW)
    store(newsroom, Edition(digest="world", cadence="daily", period="2026-11-23", state="paused", deadline_at=NOW,
                            freeze_at=NOW, frozen_at=NOW, reason="an operator paused it"))  # fmt: skip
    with newsroom.database.read() as session:
        shown = [one for one in list_shown(session, newsroom.settings, NOW) if one["kind"] != "disk"]
    assert [one["title"] for one in shown] == [
        "World Briefing, daily, 2026-11-23 is paused", f"The relay {name} refuses us",
    ]  # fmt: skip
    assert shown[0]["path"] == "/desk/world/daily/2026-11-23"


@pytest.fixture
def relay() -> Iterator[Caught]:
    with Caught() as relay:
        yield relay


@pytest.fixture
def newsdesk(tmp_path: Path, database_url: str, relay: Caught) -> Iterator[Newsdesk]:
    config = write_config(tmp_path, database_url, port=relay.port)
    zone = 'timezone = "Europe/Paris"'
    named = f'{zone}\nalerts = ["Night desk <{EDITORS}>"]\noperators = ["{OPERATORS}"]'
    text = config.read_text().replace(zone, named)
    config.write_text(text.replace("max_articles = 5", 'max_articles = 5\napproval = "require-approval"'))
    settings: Settings = load_settings(config)
    newsdesk = Newsdesk(settings, Clock())
    yield newsdesk
    newsdesk.close()


def test_a_held_edition_is_mailed_once_when_a_relay_takes_it_and_ended_by_an_all_clear(
    newsdesk: Newsdesk, relay: Caught
) -> None:
    newsdesk.subscribe("anna@readers.example")
    newsdesk.publish("Alps")
    newsdesk.compile()
    desk, clock = newsdesk.app.desk, newsdesk.clock
    relay.__exit__()
    assert watch(desk, clock()) == 0
    relay.__enter__()
    assert watch(desk, clock()) == 0  # it waits for ten minutes after a mail that did not leave
    clock.now += 10 * MINUTE
    assert [watch(desk, clock()) for _ in range(3)] == [1, 0, 0]

    assert relay.recipients == [EDITORS]
    message = parse(relay.messages[0][1])
    assert message["Subject"] == "World Briefing, daily, 2026-11-23 is held, and 1 more"
    text = message.get_body(("plain",))
    assert text is not None
    assert "Nobody has approved it. It is sent as soon as nothing holds it." in " ".join(
        text.get_content().split()
    )
    assert "https://courier.example/desk/world/daily/2026-11-23" in text.get_content()
    assert message["Auto-Submitted"] == "auto-generated"

    newsdesk.sign_in().do("approve")
    newsdesk.compile(clock() + 10 * MINUTE)
    assert watch(desk, clock()) == 1
    subject = parse(relay.messages[1][1])["Subject"]
    assert subject == "All clear: World Briefing, daily, 2026-11-23 is no longer held"


def test_editors_are_told_before_the_deadline_that_nobody_has_approved(
    newsdesk: Newsdesk, relay: Caught
) -> None:
    newsdesk.clock.now = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # the deadline is at six
    assert watch(newsdesk.app.desk, newsdesk.clock()) == 1
    assert "is not approved yet" in parse(relay.messages[0][1])["Subject"]


def test_operators_are_told_of_a_relay_and_after_a_whole_outage_from_when_to_when(
    newsdesk: Newsdesk, relay: Caught
) -> None:
    desk, clock, name = newsdesk.app.desk, newsdesk.clock, f"127.0.0.1:{relay.port}"
    database = newsdesk.app.database
    observe(database, AlertKind.RELAY, name, "421 try later", clock())
    assert watch(desk, clock()) == 0  # it may only restart
    clock.now += 10 * MINUTE
    relay.__exit__()
    assert watch(desk, clock()) == 0
    relay.__enter__()
    clock.now += 10 * MINUTE
    observe(database, AlertKind.RELAY, name, "", clock())
    assert watch(desk, clock()) == 1

    assert relay.recipients == [OPERATORS]
    message = parse(relay.messages[0][1])
    assert message["Subject"] == f"The relay {name} refused us"
    assert "From 2026-11-22 19:00 to 2026-11-22 19:20" in message.as_string()
    clock.now += DAY
    note_conditions(database, desk.settings, clock(), lambda _folder: 10**12)
    with database.read() as session:
        assert [one.key for one in alerts.list_open(session, [AlertKind.RELAY])] == []
        stored = session.get(Alert, f"relay {name}")
    assert stored is not None
    assert stored.cleared_at is not None


def test_a_relay_that_is_taken_out_of_the_settings_is_no_alert_any_more(
    newsdesk: Newsdesk, relay: Caught
) -> None:
    desk, database, now = newsdesk.app.desk, newsdesk.app.database, newsdesk.clock()
    for name in ("mail.example:25", f"127.0.0.1:{relay.port}"):
        observe(database, AlertKind.RELAY, name, "421 try later", now)
    observe(database, AlertKind.MAILBOX, "news on mail.example", "cannot be read", now)
    with database.read() as session:
        shown = [one["title"] for one in list_shown(session, desk.settings, now)]

    note_conditions(database, desk.settings, now, lambda _folder: 10**12)

    assert [title for title in shown if "relay" in title or "mailbox" in title] == [
        f"The relay 127.0.0.1:{relay.port} refuses us"
    ]
    with database.read() as session:
        assert [one.name for one in alerts.list_alerts(session) if one.kind in OBSERVED] == [
            f"127.0.0.1:{relay.port}"
        ]


def test_an_alert_names_a_week_by_its_monday(settings: Settings) -> None:
    assert name_of(settings, EditionName("world", "weekly", "2026-W48")) == (
        "World Briefing, weekly, week of 23 November 2026"
    )
    assert name_of(settings, EditionName("world", "daily", "2026-11-23")).endswith("daily, 2026-11-23")
