import csv
import io
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, func, select

from digest.bootstrap import new_public_id
from digest.errors import InputError
from digest.models import Confirmation, Subscriber, Subscription, SuppressionReason
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import subscribers
from digest.tasks.readers import enrolment
from digest.tasks.readers.lists import csv_import
from digest.tasks.readers.lists.csv_export import export_subscribers, neutralise
from digest.tasks.readers.lists.csv_import import ImportOptions, import_subscribers
from digest.tasks.readers.lists.import_report import ImportReport, LineReport
from digest.tasks.readers.preferences import set_preferences
from digest.tasks.readers.privacy import show
from digest.tasks.readers.readers import Readers, leave
from digest.tasks.readers.sign_up import Choices, ask

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TO_BASE32 = str.maketrans("0123456789", "abcdefghij")


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    ids = itertools.count()
    return Readers(
        database, settings, settings.web.signing_keys, b"the suppression key",
        lambda: f"{next(ids):026}".translate(TO_BASE32), lambda: f"token {next(ids)}",
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readers.csv"


def take(
    readers: Readers,
    file: Path,
    text: str | bytes,
    *,
    wording: str | None = "Paper form",
    now: datetime = NOW,
    **options: Any,
) -> ImportReport:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return import_subscribers(readers, file, "world", wording, now, options=ImportOptions(**options))


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.asked, report.suppressed


def find_subscription(readers: Readers, address: str) -> dict[str, object]:
    subscriptions = show(readers, address)["subscriptions"]
    assert isinstance(subscriptions, list)
    found: dict[str, object] = subscriptions[0]
    return found


def test_addresses_alone_are_enough(readers: Readers, file: Path) -> None:
    report = take(readers, file, "email\nanna@example.org\nben@example.org\n")
    assert counts(report) == (2, 0, 0, 0, 0)
    found = find_subscription(readers, "anna@example.org")
    assert (found["state"], found["cadence"], found["topics"]) == ("confirmed", "daily", ["*"])


def test_every_column_is_taken(readers: Readers, file: Path) -> None:
    take(
        readers,
        file,
        "Email,Name,Language,Timezone,Cadence,Topics\n"
        '"anna@example.org","Berg,\nAnna",pt_br,europe/lisbon,Weekly,science|World\n',
    )
    shown = show(readers, "anna@example.org")
    assert (shown["name"], shown["language"], shown["timezone"]) == ("Berg, Anna", "pt-BR", "Europe/Lisbon")
    found = find_subscription(readers, "anna@example.org")
    assert (found["cadence"], found["topics"]) == ("weekly", ["science", "world"])


def test_without_a_wording_each_address_is_asked_first(readers: Readers, file: Path) -> None:
    text = "email,cadence\nanna@example.org,weekly\n"
    assert counts(take(readers, file, text, wording=None)) == (0, 0, 0, 1, 0)
    assert counts(take(readers, file, text, wording=None, now=NOW + timedelta(days=2))) == (0, 0, 1, 0, 0)
    assert find_subscription(readers, "anna@example.org")["state"] == "pending"
    with readers.database.read() as session:
        asking = session.exec(select(Confirmation)).one()
    assert (asking.choices["cadence"], asking.origin) == ("weekly", {"import": "readers.csv"})


def test_the_wording_of_the_consent_is_recorded(readers: Readers, file: Path) -> None:
    take(readers, file, "email\nanna@example.org\n")
    events = show(readers, "anna@example.org")["consent"]
    assert isinstance(events, list)
    assert [(e["act"], e["wording"]) for e in events] == [("confirmed", "Paper form")]


def test_a_second_import_changes_nothing(readers: Readers, file: Path) -> None:
    text = "email,name,topics\nanna@example.org,Anna,science\nben@example.org,,\n"
    take(readers, file, text)
    before = show(readers, "anna@example.org")
    assert counts(take(readers, file, text, now=NOW + timedelta(days=1))) == (0, 0, 2, 0, 0)
    assert show(readers, "anna@example.org") == before


def test_filled_columns_change_and_empty_ones_do_not(readers: Readers, file: Path) -> None:
    take(readers, file, "email,name,cadence\nanna@example.org,Anna,weekly\n")
    text = "email,name,cadence,timezone\nanna@example.org,,,Europe/Oslo\n"
    report = take(readers, file, text)
    assert (report.kept, report.changed, show(readers, "anna@example.org")["timezone"]) == (1, 0, None)
    assert "--update" in report.examples["kept"][0]
    report = take(readers, file, text, update=True)
    assert counts(report) == (0, 1, 0, 0, 0)
    shown = show(readers, "anna@example.org")
    assert (shown["name"], shown["timezone"]) == ("Anna", "Europe/Oslo")
    assert find_subscription(readers, "anna@example.org")["cadence"] == "weekly"


def test_what_a_reader_chose_is_not_turned_back(readers: Readers, file: Path) -> None:
    text = "email,cadence\nanna@example.org,daily\n"
    take(readers, file, text)
    set_preferences(readers, link(readers, tokens.PREFERENCES), Choices("weekly"), NOW, {"link": "mail"})
    for update in (False, True):
        report = take(readers, file, text, update=update)
        assert (report.kept, report.changed) == (1, 0)
        assert "made by the reader" in report.examples["kept"][0]
    assert find_subscription(readers, "anna@example.org")["cadence"] == "weekly"


def test_other_choices_of_a_reader_who_is_being_asked_are_kept_and_said_or_taken(
    readers: Readers, file: Path
) -> None:
    take(readers, file, "email,cadence\nanna@example.org,daily\n", wording=None)
    text = "email,cadence,topics\nanna@example.org,weekly,science\n"
    report = take(readers, file, text, wording=None)
    assert (report.kept, report.unchanged) == (1, 0)
    assert "--update" in report.examples["kept"][0]
    report = take(readers, file, text, wording=None, update=True)
    assert (report.changed, find_subscription(readers, "anna@example.org")["state"]) == (1, "pending")
    with readers.database.read() as session:
        asking = session.exec(select(Confirmation)).one()
    assert (asking.choices["cadence"], asking.choices["topics"]) == ("weekly", ["science"])


def test_columns_that_say_nothing_kept_here_are_named(readers: Readers, file: Path) -> None:
    report = take(readers, file, "email,name,Shoe size,status\nanna@example.org,Anna,38,active\n")
    assert report.unread == ("Shoe size",)


def test_nobody_who_left_or_is_suppressed_is_revived(readers: Readers, file: Path) -> None:
    take(readers, file, "email\nanna@example.org\n")
    leave(readers, link(readers, tokens.UNSUBSCRIBE), NOW, {})
    with readers.database.write() as session:
        hashed = readers.hash_address("ben@example.org")
        subscribers.add_suppression(session, hashed, SuppressionReason.BOUNCE, NOW)
    for wording in ("Paper form", None):
        report = take(readers, file, "email\nAnna@Example.org\nBen@example.org\n", wording=wording)
        assert counts(report) == (0, 0, 0, 0, 1)
        assert report.left == 1
        assert "unsubscribed here on 2026-03-02" in report.examples["left"][0]
        assert "bounced (2026-03-02)" in report.examples["suppressed"][0]
    assert find_subscription(readers, "anna@example.org")["state"] == "ended"


def test_a_sign_up_that_waits_lets_no_list_revive_who_left(readers: Readers, file: Path) -> None:
    take(readers, file, "email\nanna@example.org\n")
    leave(readers, link(readers, tokens.UNSUBSCRIBE), NOW, {})
    ask(readers, "anna@example.org", "world", Choices(), {"ip": "203.0.113.9"}, NOW)
    for wording in ("Paper form", None):
        report = take(readers, file, "email\nanna@example.org\n", wording=wording, update=True)
        assert (report.left, counts(report)) == (1, (0, 0, 0, 0, 0))
        assert "unsubscribed here on 2026-03-02" in report.examples["left"][0]
    assert find_subscription(readers, "anna@example.org")["state"] == "pending"


def test_one_person_on_two_lines_is_merged_and_said(readers: Readers, file: Path) -> None:
    text = "email,name,topics,language\nAnna@Example.org,One,world,\nanna@example.ORG,Two,science,sv\n"
    report = take(readers, file, text)
    assert counts(report) == (1, 0, 0, 0, 0)
    assert report.examples["merged"] == ["line 3: anna@example.org: as line 2"]
    shown = show(readers, "anna@example.org")
    assert (shown["name"], shown["language"]) == ("One", "sv")
    assert find_subscription(readers, "anna@example.org")["topics"] == ["science", "world"]


@pytest.mark.parametrize("wording", ["Paper form", None])
def test_two_lines_far_apart_are_merged_too(
    readers: Readers, file: Path, wording: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "_BATCH", 1000)
    between = "".join(f"reader{n}@example.org,,\n" for n in range(2100))
    text = f"email,topics,name\nanna@example.org,world,\n{between}Anna@example.org,science,Anna\n"
    report = take(readers, file, text, wording=wording)
    assert (report.added + report.asked, report.merged, report.unchanged) == (2101, 1, 0)
    assert show(readers, "anna@example.org")["name"] == "Anna"
    assert find_subscription(readers, "anna@example.org")["topics"] == ["science", "world"]
    if wording is None:
        with readers.database.read() as session:
            first = session.exec(select(Confirmation).order_by(col(Confirmation.id))).first()
        assert first is not None
        assert first.choices["topics"] == ["science", "world"]


@pytest.mark.parametrize("states", [("subscribed", "unsubscribed"), ("unsubscribed", "subscribed")])
def test_of_two_lines_about_one_person_the_worse_counts(
    readers: Readers, file: Path, states: tuple[str, str]
) -> None:
    between = "".join(f"reader{n}@example.org,active\n" for n in range(2100))
    for gap, address in (("", "anna@example.org"), (between, "ben@example.org")):
        take(readers, file, f"email,status\n{address},{states[0]}\n{gap}{address},{states[1]}\n")
        with readers.database.read() as session:
            assert subscribers.is_suppressed(session, readers.hash_address(address))
            person = subscribers.find_subscriber(session, address)
            rows = subscribers.list_subscriptions(session, person.id or 0) if person else []
        assert [row.state for row in rows] in ([], ["ended"])


def test_bad_rows_are_named_by_line_and_stop_nothing(readers: Readers, file: Path) -> None:
    report = take(
        readers,
        file,
        "email,name,language,timezone,cadence,topics\r\n"
        'first@example.org,"two\r\nlines",,,,\r\n'
        "nobody,,,,,\r\n"
        ",Anna,,,,\r\n"
        "\r\n"
        "a@example.org,,xx-klingon,,,\r\n"
        "b@example.org,,,Mars/Olympus,,\r\n"
        "c@example.org,,,,hourly,\r\n"
        "d@example.org,,,,,sports\r\n"
        "last@example.org,,,,,\r\n",
    )
    assert counts(report) == (2, 0, 0, 0, 0)
    assert [line for line, _ in report.rejected] == [4, 5, 7, 8, 9, 10]
    for (_, why), word in zip(
        report.rejected, ['"nobody"', "no address", '"xx-klingon"', '"Mars/Olympus"', '"hourly"', '"sports"'],
        strict=True,
    ):  # fmt: skip
        assert word in why


def test_a_quotation_mark_that_is_never_closed_costs_its_own_line_only(readers: Readers, file: Path) -> None:
    rest = "".join(f"reader{n}@example.org,\n" for n in range(50))
    report = take(readers, file, f'email,name\na@example.org,"Anna\n{rest}z@example.org,"Zoe\n')
    assert counts(report)[0] == 50
    assert [line for line, _ in report.rejected] == [2, 53]


@pytest.mark.parametrize(
    "text",
    [
        "E-Mail;Vorname\nanna@example.org;Anna\n",
        "Email Address\tFirst Name\tLast Name\nanna@example.org\tAnna\tBerg\n",
        'name,Subscribed Address\n"Berg, Anna",anna@example.org\n',
        "\ufeffEMAIL\r\nanna@example.org\r\n",
        "email\ranna@example.org\r",
        b"\xff\xfe" + "email\tname\nanna@example.org\tAnna\n".encode("utf-16-le"),
    ],
)
def test_the_exports_of_other_tools_are_recognised(readers: Readers, file: Path, text: str | bytes) -> None:
    assert counts(take(readers, file, text)) == (1, 0, 0, 0, 0)
    assert find_subscription(readers, "anna@example.org")["state"] == "confirmed"


def test_an_unknown_word_for_a_state_is_refused_by_name_with_its_line(readers: Readers, file: Path) -> None:
    report = take(readers, file, "email,status\na@example.org,enabled\nb@example.org,Moved on\n")
    assert counts(report) == (1, 0, 0, 0, 0)
    assert report.rejected[0][0] == 3
    assert 'status is "Moved on"' in report.rejected[0][1]
    assert '--ignore "status"' in report.rejected[0][1]
    assert counts(take(readers, file, "email,status\nb@example.org,Moved on\n", ignored=("Status",)))[0] == 1


@pytest.mark.parametrize(
    ("encoded", "encoding", "name"),
    [
        ("email,name\na@example.org,Zoë\n".encode(), "utf-8", "Zoë"),
        ("email,name\na@example.org,Zoë €\n".encode("cp1252"), "cp1252", "Zoë €"),
        ("email,name\na@example.org,Zoë Größe\n".encode("mac_roman"), "mac_roman", "Zoë Größe"),
    ],
)
def test_the_encoding_is_found_and_told(
    readers: Readers, file: Path, encoded: bytes, encoding: str, name: str
) -> None:
    assert take(readers, file, encoded).encoding == encoding
    assert show(readers, "a@example.org")["name"] == name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name;town\nAnna;Oslo\n", r'readers\.csv: no column holds addresses; .*"name", "town"'),
        (b"", "no column holds addresses; .* none"),
        (b"PK\x03\x04....", r"a spreadsheet or an archive, not CSV: save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet of an old kind, not CSV: save the sheet as CSV"),
    ],
)
def test_a_file_without_addresses_is_refused_by_name(
    readers: Readers, file: Path, content: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        take(readers, file, content)


def test_a_file_that_is_missing_is_named(readers: Readers, file: Path) -> None:
    with pytest.raises(InputError, match=r"readers\.csv cannot be read"):
        import_subscribers(readers, file, "world", None, NOW)


def test_more_readers_than_a_batch_are_all_taken(
    readers: Readers, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "_BATCH", 1000)
    rows = "".join(f"reader{n}@example.org\n" for n in range(2500))
    assert counts(take(readers, file, f"email\n{rows}"))[0] == 2500
    with readers.database.read() as session:
        assert session.exec(select(func.count()).select_from(Subscription)).one() == 2500
        assert sum(1 for _ in subscribers.list_readers(session, "world")) == 2500


def test_batches_are_stored_as_if_one_by_one(
    readers: Readers, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "_BATCH", 7)
    lines = [
        f"r{number}@example.org,{'unsubscribed' if number % 5 == 4 else 'active'}" for number in range(100)
    ]
    lines[50] = "r3@example.org,unsubscribed"  # of an earlier batch, who is taken out of the list again
    lines[52] = "r9@example.org,active"
    lines[60] = "r61@example.org,pending"  # of the same batch
    told = io.StringIO()
    report = take(readers, file, "email,status\n" + "\n".join(lines), lines=LineReport(told))

    assert (report.added, report.asked, report.departed, report.merged) == (76, 1, 20, 3)
    assert find_subscription(readers, "r3@example.org")["state"] == "ended"
    with readers.database.read() as session:
        confirmed = select(func.count(col(Subscription.id))).where(Subscription.state == "confirmed")
        assert session.exec(confirmed).one() == 76 - 1
    departed = [
        int(row["line"])
        for row in csv.DictReader(io.StringIO(told.getvalue()))
        if row["result"] == "departed"
    ]
    assert len(departed) == 20
    assert departed == sorted(departed)


def test_a_batch_that_cannot_be_stored_ends_the_import_and_keeps_those_before(
    readers: Readers, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_import, "_BATCH", 10)
    stored, entered = enrolment.enrol, itertools.count(1)

    def failing(*given: Any) -> Any:
        if next(entered) == 4:
            raise OSError("the disk is full")
        return stored(*given)

    monkeypatch.setattr(csv_import, "enrol", failing)
    with pytest.raises(OSError, match="the disk is full"):
        take(readers, file, "email\n" + "".join(f"r{number}@example.org\n" for number in range(100)))

    with readers.database.read() as session:  # the three before, and those that were stored beside it
        assert session.exec(select(func.count(col(Subscriber.id)))).one() in (30, 40, 50)
    monkeypatch.setattr(csv_import, "enrol", stored)
    assert take(readers, file, file.read_bytes()).added in (50, 60, 70)


def test_an_export_reads_back_as_it_was(readers: Readers, file: Path) -> None:
    text = "email,name,cadence,topics\n'=anna@example.org,'=1+1,weekly,science\n+b@example.org,'@x,,\n"
    take(readers, file, text)
    assert show(readers, "=anna@example.org")["name"] == "=1+1"
    exported = io.StringIO(newline="")
    assert export_subscribers(readers, exported, "world") == 2
    rows = list(csv.DictReader(io.StringIO(exported.getvalue(), newline="")))
    assert rows[0] | {"email": "'=anna@example.org", "name": "'=1+1", "topics": "science"} == rows[0]
    assert counts(take(readers, file, exported.getvalue(), wording=None)) == (0, 0, 2, 0, 0)


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a", "\t1", "\r1", "\n1", "'=1", "''@1"]
)
def test_no_exported_cell_is_a_formula_and_none_is_ambiguous(cell: str) -> None:
    assert neutralise(cell) == f"'{cell}"


def test_a_harmless_cell_is_exported_as_it_is() -> None:
    assert neutralise("O'Hara = fine") == "O'Hara = fine"


def link(readers: Readers, action: str) -> str:
    with readers.database.read() as session:
        found = session.exec(select(Subscriber)).first()
        assert found is not None
        return tokens.sign(readers.signing_keys, action, found.public_id, "world")


def test_many_newcomers_are_neighbours_in_every_index(
    database: Database, settings: Settings, file: Path
) -> None:
    readers = Readers(
        database, settings, settings.web.signing_keys, b"the suppression key", new_public_id, new_public_id
    )
    addresses = [f"{n * 7_919 % 3_001:x}@example.org" for n in range(3_001)]
    assert take(readers, file, "email\n" + "\n".join(addresses)).added == 3_001
    assert take(readers, file, "email\n" + "\n".join([*addresses, "one@example.org"])).unchanged == 3_001

    with database.read() as session:
        *rows, last = session.exec(select(Subscriber).order_by(col(Subscriber.id)))
    assert {row.address for row in rows} == set(addresses)
    assert [row.address_key for row in rows] == sorted(row.address_key for row in rows)
    ids = [row.public_id for row in rows]
    assert ids == sorted(set(ids))
    assert {one[:2] for one in ids} == {ids[0][:2]}
    assert len({one[2:4] for one in ids}) > 500, "the rest is random"
    assert last.address == "one@example.org"
    for one in [*ids, last.public_id]:
        assert tokens.sign(readers.signing_keys, tokens.UNSUBSCRIBE, one, "world")


def test_few_newcomers_have_ids_of_their_own(database: Database, settings: Settings, file: Path) -> None:
    readers = Readers(
        database, settings, settings.web.signing_keys, b"the suppression key", new_public_id, new_public_id
    )
    take(readers, file, "email\n" + "\n".join(f"r{n}@example.org" for n in reversed(range(300))))
    with database.read() as session:
        rows = list(session.exec(select(Subscriber).order_by(col(Subscriber.id))))
    assert [row.address for row in rows] == [f"r{n}@example.org" for n in reversed(range(300))]
    assert len({row.public_id[:2] for row in rows}) > 100
