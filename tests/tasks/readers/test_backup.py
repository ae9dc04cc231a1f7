"""An export is a backup of readers: imported into an empty database it restores them whole."""

import csv
import io
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, delete, select

from digest.models import (
    Act,
    Confirmation,
    ConsentEvent,
    Subscriber,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from digest.models.row import row_id
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.keys import keep_keys
from digest.tasks.readers import on_request, privacy
from digest.tasks.readers.enrolment import subscribe_confirmed
from digest.tasks.readers.lists.backup_rows import COLUMNS
from digest.tasks.readers.lists.csv_export import export_subscribers
from digest.tasks.readers.lists.csv_import import ImportOptions, import_subscribers
from digest.tasks.readers.lists.import_report import ImportReport
from digest.tasks.readers.on_request import Change
from digest.tasks.readers.preferences import set_preferences
from digest.tasks.readers.readers import Readers, leave
from digest.tasks.readers.sign_up import Choices, ask

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
PHONE = {"command": "subscribers set", "asked_by": "phone"}


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    ids = itertools.count()
    with database.write() as session:
        key = keep_keys(session, {"suppression": b"s" * 32, "identity": b"i" * 32})["suppression"]
    return Readers(
        database, settings, settings.web.signing_keys, key,
        lambda: f"{next(ids):026}".translate(str.maketrans("0123456789", "abcdefghij")),
        lambda: f"token {next(ids)}",
    )  # fmt: skip


def add(readers: Readers, name: str, wording: str = "On paper, 2019") -> str:
    address = f"{name}@readers.example"
    subscribe_confirmed(readers, address, "world", Choices(), wording, {"form": "https://a.example"}, NOW)
    return address


def link(readers: Readers, action: str, address: str) -> str:
    rows = csv.DictReader(io.StringIO(exported(readers), newline=""))
    reader_id = next(row["reader_id"] for row in rows if row["email"] == address)
    return tokens.sign(readers.signing_keys, action, reader_id, "world")


def publish(readers: Readers) -> Readers:
    """Enter one reader of each kind that there is."""
    anna = add(readers, "anna", 'Yes, "the Courier" may write;\n=once a week')
    everything = Change(
        "weekly", ("science", "world"), 9, 3, name="=Anna", language="sv", timezone="Europe/Oslo"
    )
    on_request.set_choices(readers, anna, None, everything, LATER, PHONE)
    set_preferences(readers, link(readers, tokens.PREFERENCES, anna), Choices("daily", ("world",)), LATER, {})
    with readers.database.write() as session:
        row = session.exec(select(Subscription)).one()
        row.min_articles, row.quiet, row.breaking, row.mail_form = 2, "", True, "text"
        session.add(row)
    until = Change(paused=True, until=NOW + timedelta(days=40))
    on_request.set_choices(readers, add(readers, "bo"), None, until, LATER, PHONE)
    on_request.set_choices(readers, add(readers, "cy"), None, Change(paused=True), LATER, PHONE)
    leave(readers, link(readers, tokens.UNSUBSCRIBE, add(readers, "di")), LATER, {"link": "mail"})
    on_request.suppress(readers, add(readers, "ed"), LATER, PHONE)
    privacy.erase(readers, add(readers, "fi"), LATER)
    on_request.suppress(readers, "nobody@readers.example", LATER, PHONE)
    ask(readers, "gil@readers.example", "world", Choices("weekly"), {"ip": "192.0.2.9"}, NOW)
    return readers


def exported(readers: Readers) -> str:
    file = io.StringIO(newline="")
    export_subscribers(readers, file)
    return file.getvalue()


def restore(readers: Readers, text: str, folder: Path, **options: Any) -> ImportReport:
    path = folder / "readers.csv"
    path.write_text(text, newline="")
    return import_subscribers(readers, path, None, None, LATER, options=ImportOptions(**options))


def lose(readers: Readers, key: bytes = b"t" * 32) -> Readers:
    """Empty the database, and make it another one."""
    with readers.database.write() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.connection().execute(delete(table))
        keep_keys(session, {"suppression": key, "identity": b"j" * 32})
    return replace(readers, suppression_key=key)


def reopen(readers: Readers) -> Readers:
    with readers.database.write() as session:
        return replace(readers, suppression_key=keep_keys(session, {})["suppression"])


def test_everything_comes_back_into_an_empty_database(readers: Readers, tmp_path: Path) -> None:
    before = exported(publish(readers))
    lost = lose(readers)

    report = restore(lost, before, tmp_path)

    assert (report.added, report.banned, report.rejected) == (6, 2, [])
    restored = reopen(lost)
    assert exported(restored) == before
    shown: Any = privacy.show(restored, "anna@readers.example")
    assert (shown["name"], shown["language"], shown["timezone"]) == ("=Anna", "sv", "Europe/Oslo")
    row = shown["subscriptions"][0]
    assert (row["cadence"], row["topics"], row["max_articles"]) == ("daily", ["world"], 3)
    assert shown["consent"][0]["wording"] == 'Yes, "the Courier" may write;\n=once a week'
    assert shown["consent"][0]["at"] == NOW.isoformat()
    for gone in ("ed", "fi", "nobody"):
        assert add_again(restored, gone) == "suppressed"
    assert add_again(restored, "di") == "left"
    # An old link, and the question that was open, go on as they were.
    assert leave(restored, link(restored, tokens.UNSUBSCRIBE, "bo@readers.example"), LATER, {}) is not None
    with restored.database.read() as session:
        asking = session.exec(select(Confirmation)).one()
    assert (asking.choices["cadence"], asking.mail_state) == ("weekly", "planned")


def test_every_column_of_a_subscription_is_in_a_backup() -> None:
    internal = {"id", "subscriber_id", "cohort_id"}
    assert set(Subscription.model_fields) - internal <= set(COLUMNS)


def add_again(readers: Readers, name: str) -> str:
    return subscribe_confirmed(
        readers, f"{name}@readers.example", "world", Choices(), "By phone", {}, LATER
    ).value


def test_a_backup_changes_nothing_where_nothing_is_lost(readers: Readers, tmp_path: Path) -> None:
    before = exported(publish(readers))

    report = restore(readers, before, tmp_path)

    assert (report.unchanged, report.added, report.changed, report.rejected) == (8, 0, 0, [])
    assert exported(readers) == before
    dry = restore(lose(readers), before, tmp_path, dry_run=True)
    assert (dry.added, dry.banned) == (6, 2)
    assert exported(readers).count("\n") == 2


def test_what_readers_did_since_the_backup_stands(readers: Readers, tmp_path: Path) -> None:
    text = exported(publish(readers))
    leave(readers, link(readers, tokens.UNSUBSCRIBE, "bo@readers.example"), LATER, {})
    on_request.set_choices(readers, "anna@readers.example", None, Change("weekly"), LATER, PHONE)

    report = restore(readers, text, tmp_path)
    assert (report.left, report.kept) == (1, 1)
    assert "--update" in report.examples["kept"][0]

    assert restore(readers, text, tmp_path, update=True).changed == 1
    shown: Any = privacy.show(readers, "anna@readers.example")
    assert shown["subscriptions"][0]["cadence"] == "daily"
    chosen = LATER + timedelta(hours=1)
    set_preferences(
        readers, link(readers, tokens.PREFERENCES, "anna@readers.example"), Choices("weekly"), chosen, {}
    )
    assert "made by the reader" in restore(readers, text, tmp_path, update=True).examples["kept"][0]


def test_a_sign_up_that_waits_lets_no_backup_revive_who_left(readers: Readers, tmp_path: Path) -> None:
    anna = add(readers, "anna")
    text = exported(readers)
    leave(readers, link(readers, tokens.UNSUBSCRIBE, anna), LATER, {})
    ask(readers, anna, "world", Choices(), {"ip": "203.0.113.9"}, LATER)

    assert restore(readers, text, tmp_path, update=True).left == 1

    shown: Any = privacy.show(readers, anna)
    assert shown["subscriptions"][0]["state"] == "pending"


def test_an_older_backup_brings_nobody_back_who_was_erased(readers: Readers, tmp_path: Path) -> None:
    anna = add(readers, "anna")
    on_request.suppress(readers, anna, NOW, PHONE)
    older = exported(readers)
    privacy.erase(readers, anna, LATER)
    newer = exported(readers)
    restore(lose(readers), newer, tmp_path)

    report = restore(reopen(readers), older, tmp_path)

    assert (report.added, report.suppressed) == (0, 1)
    with readers.database.read() as session:
        assert session.exec(select(Subscriber).where(Subscriber.address == anna)).all() == []


def test_departures_since_come_along_into_a_database_that_has_readers(
    readers: Readers, tmp_path: Path
) -> None:
    add(readers, "anna")
    active = exported(readers)
    leave(readers, link(readers, tokens.UNSUBSCRIBE, "anna@readers.example"), LATER, {})
    left = exported(readers)
    other = lose(readers)
    restore(other, active, tmp_path)

    assert restore(reopen(other), left, tmp_path).departed == 1
    with readers.database.read() as session:
        row = session.exec(select(Subscription)).one()
    assert (row.state, row.ended_at) == (SubscriptionState.ENDED, LATER)


def test_hashes_under_another_key_are_refused_where_readers_are_kept(
    readers: Readers, tmp_path: Path
) -> None:
    text = exported(publish(readers))
    other = lose(readers)
    add(other, "zoe")

    report = restore(other, text, tmp_path)

    assert (report.added, report.banned, report.rejected_count) == (6, 0, 2)
    assert "another database's key" in report.rejected[0][1]
    assert add_again(other, "ed") == "suppressed"


def test_a_row_that_was_spoilt_is_refused_by_its_column_and_stops_nothing(
    readers: Readers, tmp_path: Path
) -> None:
    text = exported(publish(readers))
    text = text.replace("bo@readers.example,,,,daily", "bo@readers.example,,,Mars/Olympus,daily")
    text = text.replace("cy@readers.example,,,,daily", "cy@readers.example,,,,hourly")
    text = text.replace(",paused,", ",asleep,", 0) + "z@readers.example" + "," * 19 + "ab-\n"

    report = restore(lose(readers), text, tmp_path)

    assert report.added == 4
    assert [why.split()[0] for _, why in report.rejected] == ["timezone", '"hourly"', "reader_id"]


def test_a_backup_has_its_own_consent_and_takes_no_other(readers: Readers, tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(exported(publish(readers)), newline="")
    with pytest.raises(Exception, match="leave the wording and the state out"):
        import_subscribers(readers, path, None, "By phone", LATER)


def test_an_older_backup_tells_nothing_of_who_was_erased_and_asks_again(
    readers: Readers, tmp_path: Path
) -> None:
    anna = add(readers, "anna")
    with readers.database.write() as session:
        person = session.exec(select(Subscriber)).one()
        privacy.suppress(session, readers, person, SuppressionReason.COMPLAINT, NOW)
    older = exported(readers)
    privacy.erase(readers, anna, LATER)
    ask(readers, anna, "world", Choices(), {"ip": "203.0.113.9"}, LATER)

    report = restore(readers, older, tmp_path, update=True)

    shown: Any = privacy.show(readers, anna)
    assert [one["act"] for one in shown["consent"]] == ["asked"]
    assert shown["subscriptions"][0]["state"] == "pending"
    assert report.suppressed == 1


def test_no_row_of_a_backup_makes_a_suppressed_reader_active(readers: Readers, tmp_path: Path) -> None:
    anna = add(readers, "anna")
    on_request.suppress(readers, anna, NOW, PHONE)
    forged = exported(readers).replace(",ended,", ",confirmed,")
    with readers.database.write() as session:
        session.execute(delete(Subscription))

    restore(readers, forged, tmp_path)

    shown: Any = privacy.show(readers, anna)
    assert [one["state"] for one in shown["subscriptions"]] in ([], ["ended"])


@pytest.mark.parametrize(
    ("column", "old", "new"),
    [
        ("hour", "", "9" * 5000),
        ("askings", '"attempts":0', '"attempts":' + "9" * 20),
        ("askings", '"wording":""', '"wording":"\\u0000"'),
        ("consent", '"wording":""', '"wording":"\\ud800"'),
    ],
)
def test_one_bad_cell_costs_its_own_line_only(
    readers: Readers, tmp_path: Path, column: str, old: str, new: str
) -> None:
    add(readers, "anna")
    ask(readers, "gil@readers.example", "world", Choices("weekly"), {"ip": "192.0.2.9"}, NOW)
    rows = list(csv.DictReader(io.StringIO(exported(readers), newline="")))
    spoilt = next(row for row in rows if row["email"] == "gil@readers.example")
    assert old in spoilt[column]
    spoilt[column] = spoilt[column].replace(old, new, 1)
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)

    report = restore(lose(readers), file.getvalue(), tmp_path)

    assert (report.added, [why.split()[0] for _, why in report.rejected]) == (1, [column])


@pytest.mark.parametrize("topics", [("arts, culture", "world"), ("retired",), ("κόσμος",), ("+1", "c#")])
def test_topics_come_back_as_they_were(readers: Readers, tmp_path: Path, topics: tuple[str, ...]) -> None:
    add(readers, "anna")
    with readers.database.write() as session:
        row = session.exec(select(Subscription)).one()
        row.topics = {topic: NOW.isoformat() for topic in topics}
        session.add(row)
    before = exported(readers)
    lost = lose(readers)

    assert restore(lost, before, tmp_path).rejected == []
    assert exported(reopen(lost)) == before


def test_acts_of_one_moment_all_come_back_and_none_twice(readers: Readers, tmp_path: Path) -> None:
    add(readers, "anna")
    with readers.database.write() as session:
        person = session.exec(select(Subscriber)).one()
        for origin in ({"command": "set"}, {"command": "move"}, {"command": "move"}):
            session.add(
                ConsentEvent(
                    subscriber_id=row_id(person), digest="world", act=Act.CHANGED, at=NOW, origin=origin
                )
            )
    before = exported(readers)
    lost = lose(readers)

    for _ in range(2):
        restore(lost, before, tmp_path)
        lost = reopen(lost)
        assert exported(lost) == before


@pytest.mark.parametrize("lift", [True, False], ids=["lifted", "erased"])
def test_a_question_that_was_open_after_a_suppression_stays_open(
    readers: Readers, tmp_path: Path, lift: bool
) -> None:
    anna = add(readers, "anna")
    if lift:
        on_request.suppress(readers, anna, NOW, PHONE)
        on_request.unsuppress(readers, anna, LATER, PHONE)
    else:
        privacy.erase(readers, anna, NOW)
    ask(readers, anna, "world", Choices(), {"ip": "192.0.2.9"}, LATER)
    before = exported(readers)
    lost = lose(readers)

    restore(lost, before, tmp_path)

    assert exported(reopen(lost)) == before
