"""A message keeps the standards whatever its values are, and shows them as they are."""

import quopri
from dataclasses import replace
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.mail.header_encoding import one_line
from digest.mail.headers import message_id
from digest.mail.rendering.placeholders import as_attribute, as_text
from digest.mail.rendering.quoted_printable import quoted_printable, splice, verbatim
from digest.mail.rendering.renderer import Renderer
from digest.mail.rendering.skeleton import EncodedSkeleton, encode, frame_of
from tests.support.editions import compose
from tests.support.samples import CONTENT, HEADERS, LEAD, OWN, POSTAL, VALUES, examples, hostile_text
from tests.support.standards import (
    check_digest,
    check_fields,
    check_list,
    check_wire,
    fields,
    parse,
    unfolded,
)

RENDERER = Renderer(Path(__file__).parents[3] / "templates" / "email")
RENDERING = RENDERER.render(CONTENT)


def header(raw: bytes, name: str) -> str:
    """Decode a field as a mail program does, without the blanks that folding may change."""
    (value,) = [value for field, value in fields(raw) if field == name]
    return str(make_header(decode_header(unfolded(value.replace("\r\n", "")))))


@settings(max_examples=examples(300), deadline=None)
@given(name=hostile_text, subject=hostile_text, list_name=hostile_text, from_name=hostile_text)
def test_no_value_can_break_a_header_and_each_is_shown_as_it_is(
    name: str, subject: str, list_name: str, from_name: str
) -> None:
    headers = replace(HEADERS, subject=subject, list_name=list_name, from_name=from_name)
    raw = compose(RENDERING, headers, replace(OWN, to_name=name), VALUES | {"name": name})

    check_wire(raw)
    check_fields(raw)
    check_list(raw)
    names = [field for field, _ in fields(raw)]
    assert "bcc" not in names
    assert len(names) == len({*names})
    assert header(raw, "subject").split() == one_line(subject).split()
    assert parse(raw)["To"].addresses[0].addr_spec == VALUES["address"]


@settings(max_examples=examples(200), deadline=None)
@given(name=hostile_text)
def test_a_name_is_shown_in_both_parts_and_breaks_neither(name: str) -> None:
    raw = compose(RENDERING, HEADERS, OWN, VALUES | {"name": name})
    text, html = check_digest(raw, POSTAL)

    assert "49" in name or "49" not in text
    assert html.count("<script") == 0
    printable = "".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in name)
    line = f"For {printable[:200]}" if name.strip() else "For you"
    assert line.strip() in text


@settings(max_examples=examples(100), deadline=None)
@given(title=hostile_text, summary=hostile_text, author=hostile_text)
def test_hostile_articles_stay_text(title: str, summary: str, author: str) -> None:
    lead = replace(LEAD, title=title, summary=summary, author=author)
    rendering = RENDERER.render(replace(CONTENT, lead=lead, subject=title, preheader=title))
    raw = compose(rendering, replace(HEADERS, subject=title), OWN, VALUES)

    _, html = check_digest(raw, POSTAL)
    assert html.count("<script") == 0
    assert VALUES["name"] in html


@given(hostile_text)
def test_quoted_printable_gives_back_what_it_was_given(text: str) -> None:
    encoded = quoted_printable(text)
    whole = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert quopri.decodestring(encoded) == whole.encode("utf-8", "surrogatepass")
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))


@settings(max_examples=examples(500))
@given(st.text(alphabet="abcXYZ019 .-_/:?=&<>\"'\u00a0\u00e9F\nrom", max_size=320) | hostile_text)
def test_what_is_taken_verbatim_is_what_encoding_makes_of_it_in_text_and_in_html(text: str) -> None:
    found = verbatim(text)

    assert found in (None, quoted_printable(text))
    assert found in (None, quoted_printable(as_text(text)))
    assert found in (None, quoted_printable(as_attribute(text)))


@pytest.mark.parametrize("length", [1, 74, 75, 76, 149, 150, 151, 225, 226, 300])
@pytest.mark.parametrize("sign", ["a", "."])
def test_a_link_is_taken_verbatim_whatever_its_length(length: int, sign: str) -> None:
    link = ("h" + sign * 80 + "x" * 300)[:length]

    assert verbatim(link) == quoted_printable(link)


@given(st.lists(hostile_text, min_size=1, max_size=4), hostile_text)
def test_a_spliced_text_reads_as_if_the_value_had_been_in_it(parts: list[str], value: str) -> None:
    marker = "qzMARKERzq"
    text = marker.join(parts)
    if text.count(marker) != len(parts) - 1:
        return
    one = value.replace("\r", " ").replace("\n", " ")
    frame = frame_of(text, {"slot": marker}, is_html=False)
    spliced = splice(EncodedSkeleton(frame).fill().pieces, {"slot": quoted_printable(one)})
    filled = splice(EncodedSkeleton(frame, ["slot"]).fill([encode(one)] * (len(parts) - 1)).pieces, {})
    whole = text.replace(marker, one).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    for found in (spliced, filled):
        assert quopri.decodestring(found) == whole.encode("utf-8", "surrogatepass")
        assert max(len(line) for line in found.split(b"\r\n")) <= 76


def test_the_message_id_is_the_same_for_a_repeat_and_another_for_each_reader_and_edition() -> None:
    def make(key: bytes = b"key", /, **changed: str) -> str:
        known = {"digest": "world", "cadence": "daily", "period": "2026-11-23", "public_id": "someone"}
        return message_id(key, **(known | changed), domain="courier.example")

    assert make() == make()
    others = {make(**{name: "other"}) for name in ("digest", "cadence", "period", "public_id")}
    assert len(others | {make(), make(b"other key")}) == 6


def test_domains_are_in_their_ascii_form_outside_the_body() -> None:
    headers = replace(HEADERS, from_address="news@bücher.example")
    raw = compose(RENDERING, headers, replace(OWN, to_address="clara@bücher.example"), VALUES)
    assert b"news@xn--bcher-kva.example" in raw
    assert b"clara@xn--bcher-kva.example" in raw


@pytest.mark.parametrize("length", [10, 70, 77, 200, 900])
def test_a_one_click_link_is_never_encoded_or_cut_however_long(length: int) -> None:
    url = "https://courier.example/unsubscribe/" + "t" * length
    raw = compose(RENDERING, HEADERS, replace(OWN, unsubscribe_url=url), VALUES | {"unsubscribe_url": url})
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw
    assert check_list(raw) == url
