"""Each line of the standards for messages, on messages in every language and with whatever values may come.

A is syntax (RFC 5321, 5322, 2045-2047), B the fields of lists (2369, 2919, 8058), C what is signed (6376).
What the wire itself must show (A4, A13-A17) is in tests/journeys/test_standards.py.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings

from digest.mail.dkim import BodyHash, Signer
from digest.mail.headers import ReaderHeaders
from digest.mail.rendering.content import Content
from digest.mail.rendering.renderer import Renderer, Rendering
from tests.support.editions import compose
from tests.support.samples import (
    ARABIC,
    CONTENT,
    HEADERS,
    LEAD,
    NOW,
    OWN,
    POSTAL,
    STORIES,
    VALUES,
    examples,
    hostile_text,
)
from tests.support.standards import (
    check_asking,
    check_date,
    check_digest,
    check_fields,
    check_list,
    check_parts,
    check_wire,
    fields,
    parse,
    unfolded,
)
from tests.unit.mail.dkim.test_dkim import RSA, tags, verifies

TEMPLATES = Path(__file__).parents[3] / "templates" / "email"
RENDERER = Renderer(TEMPLATES)
LANGUAGES = list(RENDERER.catalogues.languages)
SAID = {
    "ar": "الجسر القديم يفتح من جديد",
    "de": "Die alte Brücke öffnet wieder – „endlich“, sagt der Fährmann",
    "en": "Old bridge reopens “after nine winters”",
    "es": "¿Quién pregunta el precio del transbordador?",
    "fr": "L’ancien pont rouvre : « enfin », dit le passeur",
    "hy": "Հին կամուրջը վերաբացվում է ինը ձմեռ անց",
    "it": "Il vecchio ponte riapre: c’è chi piange",
    "nl": "De oude brug gaat weer open ’s ochtends",
    "pl": "Źdźbło trawy i gęś: stary most znów otwarty",
    "ru": "Старый мост снова открыт после девяти зим",
    "pt": "A ponte velha reabre após nove invernos, não dez",
    "sv": "Den gamla bron öppnar igen på Ångströms gård",
}
OTHERS = {
    "Hebrew": "הגשר הישן נפתח מחדש",
    "Japanese": "古い橋が九つの冬を経て再び開通、渡し船は売りに出される" * 3,
    "Thai": "สะพานเก่าเปิดอีกครั้งหลังผ่านไปเก้าฤดูหนาว",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 30,
    "an octet word": "x" * 998,
    "a longer word": "y" * 5_000,
    "a long text": "the ferry is for sale and nobody asks " * 60,
    "blanks": "a" + " " * 300 + "b",
    "combining": "e\u0301" * 200,
    "an encoded word": "=?utf-8?q?=0d=0aBcc:_x@y.example?= (not one)",
    "nothing": "",
    "only blanks": "   ",
    "only controls": "\r\n\x00\x1b",
}
SUBJECTS = SAID | OTHERS


@lru_cache
def rendered(language: str) -> Rendering:
    """Render the sample in a language, with words of that language."""
    return RENDERER.render(content_in(language))


def content_in(language: str) -> Content:
    title = SAID[language]
    lead = replace(LEAD, title=title, summary=title * 2, language=language)
    return replace(CONTENT, language=language, title=title, subject=title, preheader=title, lead=lead)


def message(
    language: str = "en", *, own: ReaderHeaders = OWN, name: str | None = None, **headers: object
) -> bytes:
    """Compose a message, with other values where some are given."""
    if name is not None:
        own = replace(own, to_name=name)
    changed = replace(HEADERS, **headers) if headers else replace(HEADERS, subject=SAID[language])  # type: ignore[arg-type]
    values = VALUES | {"name": own.to_name, "address": own.to_address}
    if own.unsubscribe_url:
        values["unsubscribe_url"] = own.unsubscribe_url
    return compose(rendered(language), changed, own, values)


def value_of(raw: bytes, name: str) -> str:
    (value,) = [unfolded(value) for field, value in fields(raw) if field == name]
    return value


def test_every_language_has_its_sample() -> None:
    assert sorted(SAID) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_digest_keeps_the_standards_in_every_language(language: str) -> None:
    raw = message(language)
    text, html = check_digest(raw, POSTAL)
    check_date(raw, NOW)
    assert f'lang="{language}"' in html
    assert SAID[language] in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["", "Ann", *list(OTHERS.values())[:4]], ids=lambda name: name[:12] or "nobody"
)
def test_a_digest_keeps_the_standards_whatever_its_reader_is_called(language: str, name: str) -> None:
    check_digest(message(language, name=name), POSTAL)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_subject_keeps_the_standards_and_is_read_as_it_was_written(kind: str) -> None:
    raw = message(subject=SUBJECTS[kind])
    check_digest(raw, POSTAL)
    read = parse(raw)["Subject"]
    assert "".join(read.split()) == "".join(
        c for c in SUBJECTS[kind] if c.isprintable() or c == "\u200d"
    ).replace(" ", "")


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_list_and_a_sender_may_have_any_name(kind: str) -> None:
    raw = message(list_name=SUBJECTS[kind], from_name=SUBJECTS[kind])
    check_digest(raw, POSTAL)
    assert value_of(raw, "list-id").endswith("<world.courier.example>")


@settings(max_examples=examples(150), deadline=None)
@given(name=hostile_text)
@example("Büro der Redaktion")
@example("Editors, all of them")
def test_a_reply_address_with_a_name_cannot_break_a_header(name: str) -> None:
    said = re.sub(r"[\x00-\x1f\x7f]", "", name)  # the settings take no other
    quoted = said.replace("\\", "\\\\").replace('"', '\\"')
    raw = message(reply_to=f'"{quoted}" <editors@courier.example>')
    check_wire(raw)
    check_fields(raw)
    ((_, address),) = getaddresses([value_of(raw, "reply-to")])
    assert address == "editors@courier.example"


def test_domains_are_a_labels_in_every_field() -> None:
    own = replace(OWN, to_address="clara@bücher.example")
    raw = message(
        own=own,
        from_address="news@bücher.example",
        reply_to="Redaktion <post@bücher.example>",
        owner="post@bücher.example",
        list_id="world.bücher.example",
    )
    check_digest(raw, POSTAL)
    assert "bücher" not in raw.split(b"\r\n\r\n")[0].decode()
    assert raw.count(b"xn--bcher-kva.example") >= 5


def test_a_local_part_beyond_ascii_stands_in_utf8_where_smtputf8_carries_it() -> None:
    raw = message(own=replace(OWN, to_address="jörg@readers.example"))
    check_digest(raw, POSTAL, smtputf8=True)
    assert "jörg@readers.example" in value_of(raw, "to")


@pytest.mark.parametrize("local", ["a" * 64, "o'brien", "a+b=c", "x_{|}~", "'--'"])
def test_an_address_of_any_length_and_sign_is_written_as_it_is(local: str) -> None:
    domain = ".".join(["d" * 61] * 3) + ".example"
    raw = message(own=replace(OWN, to_address=f"{local}@{domain}"))
    check_digest(raw, POSTAL)
    assert parse(raw)["To"].addresses[0].addr_spec == f"{local}@{domain}"


@pytest.mark.parametrize("length", [60, 76, 77, 200, 400, 900])
@pytest.mark.parametrize("mailto", [None, "leave+" + "t" * 50 + "@courier.example", "leave@courier.example"])
def test_a_link_to_leave_is_whole_however_long_and_a_mail_address_may_stand_beside_it(
    length: int, mailto: str | None
) -> None:
    url = "https://courier.example/unsubscribe/" + "t" * (length - 36)
    raw = message(own=replace(OWN, unsubscribe_url=url, unsubscribe_mailto=mailto))
    assert check_list(raw) == url
    check_digest(raw, POSTAL)
    assert value_of(raw, "list-unsubscribe") == f"<{url}>" + (f", <mailto:{mailto}>" if mailto else "")
    assert f"<{url}>".encode() in raw


@pytest.mark.parametrize("name", ["", "x" * 300, "Ж" * 200, "World Briefing"])
def test_a_list_id_is_constant_and_short(name: str) -> None:
    digest, domain = "d" * 40, ".".join(["x" * 60] * 3) + ".example"
    raws = [message(language, list_name=name, list_id=f"{digest}.{domain}") for language in ("en", "ar")]
    (value,) = {value_of(raw, "list-id") for raw in raws}
    assert len(value) <= 255
    assert value.endswith(f"<{digest}.{domain}>")


@pytest.mark.parametrize(
    "other", [NOW.replace(year=2027, month=1, day=1), datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)]
)
def test_a_date_is_written_with_a_numeric_zone(other: datetime) -> None:
    for hours in (-11, 0, 14):
        at = other + timedelta(hours=hours)
        check_date(message(own=replace(OWN, date=at)), at)


@settings(max_examples=examples(150), deadline=None)
@given(text=hostile_text, name=hostile_text)
def test_parts_keep_the_standards_whatever_articles_and_readers_bring(text: str, name: str) -> None:
    lead = replace(LEAD, title=text, summary=text, author=text, place=text, source=text)
    content = replace(ARABIC, lead=lead, subject=text, preheader=text, introduction=text)
    raw = compose(
        RENDERER.render(content), replace(HEADERS, subject=text), replace(OWN, to_name=name), VALUES
    )
    check_digest(raw, POSTAL)


@pytest.mark.parametrize("word", ["x" * 998, "x" * 5_000, "é" * 998, "." * 998, "=" * 998, "👩‍👩‍👧" * 100])
def test_words_without_end_break_no_line(word: str) -> None:
    stories = replace(CONTENT.sections[0], cards=(replace(STORIES[0], summary=word), *STORIES[1:]))
    content = replace(
        CONTENT, lead=replace(LEAD, title=word, summary=word), sections=(stories,), subject=word
    )
    text, html = check_digest(
        compose(RENDERER.render(content), replace(HEADERS, subject=word), OWN, VALUES), POSTAL
    )
    assert word in "".join(text.split())
    assert word in html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["", "Siobhán", OTHERS["emoji"]], ids=["nobody", "a name", "emoji"])
def test_what_lists_and_receivers_rely_on_is_signed(language: str, name: str) -> None:
    raw = message(language, name=name)
    head, _, body = raw.partition(b"\r\n\r\n")
    signed = Signer((RSA,)).sign(head + b"\r\n", BodyHash(body).digest(), NOW) + raw
    found = tags(signed)
    names = found["h"].replace(" ", "").lower().split(":")
    here = {name for name, _ in fields(raw)}
    assert verifies(signed)
    check_wire(signed)
    assert (found["c"], found["a"], "l" in found) == ("relaxed/relaxed", "rsa-sha256", False)
    assert {"from", "subject", "to", "date", "message-id", "mime-version"} <= set(names)
    assert {name for name in here if name.startswith("list-")} <= set(names)
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)
    assert names.count("from") == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_asking_keeps_the_standards_in_every_language(language: str) -> None:
    raw = asking(language, ip="192.0.2.7")
    text, html = check_asking(raw)
    for part in (text, html):
        assert "192.0.2.7" in part
        assert "2026-11-23 07:05 Europe/Paris" in part
        assert "https://courier.example/confirm/token" in part


def asking(language: str, ip: str) -> bytes:
    from digest.mail.message import compose_notice

    say = RENDERER.say(language, "ask_subject", title=SAID[language])
    notice = RENDERER.render_notice(
        "confirm",
        language,
        {
            "publication": "The Harbour Courier", "title": SAID[language], "subject": say, "address": OWN.to_address,
            "confirm_url": "https://courier.example/confirm/token", "expires": "2026-11-30 07:05 Europe/Paris",
            "asked": "2026-11-23 07:05 Europe/Paris", "ip": ip, "postal_address": POSTAL,
        },
    )  # fmt: skip
    headers = replace(
        HEADERS,
        subject=say,
        list_id="",
        list_name="",
        help_url=None,
        owner=None,
        bulk=False,
        auto_submitted="auto-generated",
    )
    own = replace(OWN, unsubscribe_url=None)
    return bytes(compose_notice(notice, headers, own))


def test_no_reader_gets_anothers_values() -> None:
    one = message(own=replace(OWN, to_name="Ann", to_address="ann@readers.example"), name="Ann")
    text, html = check_parts(one)
    assert "siobhan" not in (text + html).lower()
