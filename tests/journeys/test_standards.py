"""What leaves the program keeps the standards on the wire: envelopes, extensions, dots, dates, one recipient each."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from tests.conftest import CONFIG
from tests.support.newsroom import Publication
from tests.support.recording import FULL, Recording, Transaction, by_recipient
from tests.support.standards import (
    check_asking,
    check_date,
    check_digest,
    check_envelope,
    fields,
    parse,
    unfolded,
)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

POSTAL = "The Harbour Courier, 1 Quay Street, Harbourtown"
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "nl", "pl", "pt", "sv", "ja", "")
READERS = [
    ("ann@readers.example", "", "en"),
    ("clara@bücher.example", "Klára Žáková", "de"),
    (f"{'l' * 64}@{'.'.join(['d' * 59] * 3)}.example", "x" * 200, "fr"),
    ("o'brien+news@readers.example", 'Siobhán "the pen" O’Brien, ed.', "en"),
    ("layla@readers.example", "ليلى بنت أحمد", "ar"),
    ("emoji@readers.example", "👩‍👩‍👧 😀" * 20, "es"),
    ("inject@readers.example", "Eve\r\nBcc: everyone@readers.example", "it"),
    ("template@readers.example", "{{ 7 * 7 }} {% raw %}", "nl"),
    ("word@readers.example", "=?utf-8?q?=0d=0aBcc:_x@y.example?=", "pl"),
    ("dots@readers.example", ".\r\n.", "pt"),
]
BEYOND_ASCII = ("jörg@readers.example", "Jörg", "de")
STORY = """---
title: "{title}"
url: https://courier.example/{slug}?a=1&b=2
topics: [world]
---

.
..
.A line that begins with a full stop, and a word of {length} letters: {word}. From the harbour.
"""


def begin(publication: Publication, readers: list[tuple[str, str, str]]) -> None:
    for number, title in enumerate(
        ["Bridge reopens “at last”", "الجسر القديم", "古い橋が再び開通" * 30, "👩‍👩‍👧"]
    ):
        text = STORY.format(title=title, slug=f"s{number}", length=998, word="w" * 998)
        (publication.folder / "articles" / f"s{number}.md").write_text(text)
    path = publication.folder / "readers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("email", "name", "language"), *readers])
    publication.run("subscribers", "import", str(path), "--digest", "world", "--confirmed", "on paper")


def check(recording: Recording, transaction: Transaction) -> None:
    smtputf8 = not transaction.rcpt_to.isascii()
    check_digest(transaction.content, POSTAL, smtputf8=smtputf8)
    check_date(transaction.content, datetime.fromtimestamp(transaction.at, UTC))
    check_envelope(transaction.mail_from, transaction.rcpt_to)
    assert transaction.parameters == ({"SIZE"} if "SIZE 10000000" in recording.extensions else set()) | (
        {"SMTPUTF8"} if smtputf8 else set()
    )
    (to,) = [unfolded(value) for name, value in fields(transaction.content) if name == "to"]
    assert to.rpartition("<")[2].removesuffix(">") == transaction.rcpt_to


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
@pytest.mark.parametrize(
    "extensions", [FULL, ("PIPELINING",), ()], ids=lambda found: " ".join(found) or "none"
)
def test_every_message_keeps_the_standards_whatever_the_server_offers(
    tmp_path: Path, database_url: str, extensions: tuple[str, ...], signed: bool
) -> None:
    recording = Recording(extensions)
    readers = [*READERS, *([BEYOND_ASCII] if "SMTPUTF8" in extensions else [])]
    with recording.server() as server:
        publication = Publication(tmp_path, database_url, port=server.port, connections=2)
        if signed:
            publication.run("dkim", "--out", str(tmp_path / "rsa.pem"), "--selector", "r1")
            publication.change_settings("[web]", '[dkim]\nselector = "r1"\nkey_file = "rsa.pem"\n\n[web]')
        begin(publication, readers)
        publication.run("send", "--now")

    found = by_recipient(recording)
    assert len(found) == len(readers)
    for transaction in recording.transactions:
        check(recording, transaction)
    ids = {parse(one.content)["Message-ID"] for one in recording.transactions}
    assert len(ids) == len(readers)
    assert all(str(one).endswith("@courier.example>") for one in ids)
    assert set(recording.greetings) == {"mail.courier.example"}
    verbs = {command.split(" ")[0] for command in recording.commands}
    assert verbs == {"EHLO", "MAIL", "RCPT", "BDAT" if "CHUNKING" in extensions else "DATA", "QUIT"}
    assert publication.edition()["accepted"] == len(readers)


def test_a_reader_whose_address_this_server_cannot_be_told_fails_alone(
    tmp_path: Path, database_url: str
) -> None:
    recording = Recording(("PIPELINING", "SIZE 10000000"))
    with recording.server() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        begin(publication, [READERS[0], BEYOND_ASCII, READERS[1]])
        publication.run("send", "--now")

    assert sorted(by_recipient(recording)) == ["ann@readers.example", "clara@xn--bcher-kva.example"]
    edition = publication.edition()
    assert (edition["accepted"], edition["failed"]) == (2, 1)
    (reason,) = edition["reasons"]
    assert "SMTPUTF8" in reason["reason"]


def test_a_publication_with_a_domain_beyond_ascii_needs_no_extension(
    tmp_path: Path, database_url: str
) -> None:
    recording = Recording(())
    with recording.server() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.change_settings("<news@courier.example>", "<news@bücher.example>")
        publication.change_settings('"editors@courier.example"', '"Redaktion Süd <post@bücher.example>"')
        begin(publication, READERS[:2])
        publication.run("send", "--now")

    assert len(recording.transactions) == 2
    for transaction in recording.transactions:
        check(recording, transaction)
        assert transaction.mail_from.endswith("@xn--bcher-kva.example")
        found = {name: unfolded(value) for name, value in fields(transaction.content)}
        assert found["reply-to"].endswith("<post@xn--bcher-kva.example>")
        assert found["list-owner"] == "<mailto:post@xn--bcher-kva.example>"
        assert found["message-id"].endswith("@xn--bcher-kva.example>")


def test_an_asking_keeps_the_standards_on_the_wire(tmp_path: Path, database_url: str) -> None:
    recording = Recording()
    with recording.server() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.write_article("Bridge reopens")
        for address, *_ in READERS[:4]:
            publication.run("subscribers", "add", address)
        publication.run("send")

    assert len(recording.transactions) == 4
    for transaction in recording.transactions:
        check_asking(transaction.content)
        check_date(transaction.content, datetime.fromtimestamp(transaction.at, UTC))
        check_envelope(transaction.mail_from, transaction.rcpt_to)


@pytest.mark.parametrize("extensions", [FULL, ()], ids=["pipelined", "in lock-step"])
def test_a_message_behind_a_slow_reply_bears_the_date_of_its_own_hand_over(
    tmp_path: Path, database_url: str, extensions: tuple[str, ...]
) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=True) as clock:

        def slow(_transaction: Transaction) -> str:
            clock.shift(540)
            return "250 2.0.0 kept at last"

        recording = Recording(extensions, reply=slow, clock=lambda: datetime.now(UTC).timestamp())
        with recording.server() as server:
            publication = Publication(tmp_path, database_url, port=server.port)
            begin(publication, READERS[:5])
            publication.run("send", "--now")

    assert len(recording.transactions) == 5
    for transaction in recording.transactions:
        check_date(transaction.content, datetime.fromtimestamp(transaction.at, UTC))


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
def test_no_message_bears_a_date_of_the_future_when_the_clock_is_put_back(
    tmp_path: Path, database_url: str, signed: bool
) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 9, tzinfo=UTC), tick=True) as clock:

        def put_back(_transaction: Transaction) -> str:
            clock.shift(-600)
            return "250 2.0.0 kept"

        recording = Recording(reply=put_back, clock=lambda: datetime.now(UTC).timestamp())
        with recording.server() as server:
            publication = Publication(tmp_path, database_url, port=server.port)
            if signed:
                publication.run("dkim", "--out", str(tmp_path / "rsa.pem"), "--selector", "r1")
                publication.change_settings("[web]", '[dkim]\nselector = "r1"\nkey_file = "rsa.pem"\n\n[web]')
            begin(publication, READERS[:4])
            publication.run("send", "--now")

    assert len(recording.transactions) == 4
    for transaction in recording.transactions:
        check_date(transaction.content, datetime.fromtimestamp(transaction.at, UTC))


@pytest.mark.parametrize(
    ("name", "greets_as"),
    [("", None), ("mail.courier.example", "mail.courier.example"), ("[192.0.2.5]", "[192.0.2.5]")],
)
def test_the_server_is_greeted_with_a_full_name_or_an_address(
    tmp_path: Path, database_url: str, name: str, greets_as: str | None
) -> None:
    assert 'ehlo_name = "mail.courier.example"' in CONFIG
    recording = Recording()
    with recording.server() as server:
        publication = Publication(tmp_path, database_url, port=server.port)
        publication.change_settings('ehlo_name = "mail.courier.example"', f'ehlo_name = "{name}"')
        publication.begin(1)
        publication.run("send", "--now")

    (greeting,) = recording.greetings
    assert greets_as is None or greeting == greets_as
    assert "." in greeting
    assert greeting.isascii()
