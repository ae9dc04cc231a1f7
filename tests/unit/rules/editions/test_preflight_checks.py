"""Before it goes: each check finds what it is there for, says which, and is silent about what is well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from digest.mail.inspection import inspect, words_of
from digest.models.status import Status
from digest.rules.editions.preflight_checks import ASKING, is_clear, run_checks
from digest.rules.editions.preflight_facts import (
    ArticleFacts,
    EditionFacts,
    LinkCheck,
    MessageFacts,
    ProofImage,
    PublicationFacts,
)
from digest.rules.editions.preflight_links import is_local
from digest.rules.editions.shortening import CLIPPED_AT

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LEAVE = "https://courier.example/unsubscribe/abc"
BRIDGE = "https://courier.example/bridge"
PHOTO = "https://media.courier.example/bridge.jpg"
POSTAL = "The Harbour Courier, 1 Quay Street"
PARTS = MessageFacts(
    subject="World Briefing: Bridge reopens",
    preheader="Sponges are old",
    html="<p>...</p>",
    html_text=f"Bridge reopens. {POSTAL}",
    text=f"Bridge reopens\n{BRIDGE}\n{LEAVE}\n{POSTAL}",
    links=(BRIDGE, LEAVE),
    pictures=(ProofImage(PHOTO, "The bridge"),),
    active=(),
    size=30_000,
    encoded_size=32_000,
    leave_url=LEAVE,
    one_click=True,
)
PIECE = ArticleFacts(1, "Bridge reopens", BRIDGE, "It turns again.", "en", NOW, PHOTO, "The bridge")
AROUND = PublicationFacts(
    at=NOW,
    base_url="https://courier.example",
    language="en",
    postal_address=POSTAL,
    from_domain="courier.example",
    signing_domain="courier.example",
    relay_is_local=False,
    carry=timedelta(days=31),
    last_subject="World Briefing: Another",
    readers=10,
    own_hosts=frozenset({"courier.example"}),
)
WELL = EditionFacts(
    PARTS,
    (PIECE,),
    AROUND,
    {
        BRIDGE: LinkCheck(kind="text/html", words="Bridge reopens | Courier"),
        PHOTO: LinkCheck(kind="image/jpeg"),
    },
)


def parts(**changed: Any) -> EditionFacts:
    return replace(WELL, parts=replace(PARTS, **changed))


def around(**changed: Any) -> EditionFacts:
    return replace(WELL, around=replace(AROUND, **changed))


def piece(**changed: Any) -> EditionFacts:
    return replace(WELL, pieces=(replace(PIECE, **changed),))


def answers(url: str, **visit: Any) -> EditionFacts:
    return replace(WELL, visits={**WELL.visits, url: LinkCheck(**visit)})


BAD = {
    "articles": replace(WELL, pieces=()),
    "readers without articles": around(readers_without=3),
    "subject": parts(subject="  "),
    "subject length": parts(subject="x" * 79),
    "subject repeated": around(last_subject=PARTS.subject),
    "subject tone": parts(subject="BRIDGE REOPENS TODAY"),
    "words tone": around(introduction="Good morning.\n\nTHE BRIDGE IS OPEN AGAIN"),
    "placeholders": around(introduction="Dear {name}"),
    "preheader": parts(preheader=""),
    "title length": piece(title="Bridge reopens " * 12),
    "title capitals": piece(title="BRIDGE REOPENS TODAY"),
    "duplicates": replace(WELL, pieces=(PIECE, replace(PIECE, id=2, title="bridge REOPENS!", url=LEAVE))),
    "summaries": piece(summary=" "),
    "age": piece(dated_at=NOW - timedelta(days=32)),
    "languages": piece(language="de-AT"),
    "picture descriptions": piece(alt=""),
    "pictures on https": parts(pictures=(ProofImage("http://courier.example/x.jpg", "x"),)),
    "pictures of others": parts(pictures=(ProofImage("https://tracker.example/x.gif", ""),)),
    "pictures broken": answers(PHOTO, trouble="it answers 404", is_gone=True),
    "picture size": answers(PHOTO, kind="image/png", size=1_000_001),
    "text part": parts(text=" "),
    "text links": parts(text=f"{LEAVE}\n{POSTAL}"),
    "size": parts(encoded_size=CLIPPED_AT),
    "size margin": parts(size=90_000),
    "expressions": parts(text=PARTS.text + "{{ reader.name }}"),
    "active content": parts(active=("<script>",)),
    "unsubscribe": parts(one_click=False),
    "postal address": parts(html_text="Bridge reopens"),
    "signature": around(signing_domain="other.example"),
    "base address": around(base_url="http://localhost:8000"),
    "private links": parts(links=(*PARTS.links, "http://192.168.1.1/admin")),
    "plain http": parts(links=(*PARTS.links, "http://elsewhere.example/")),
    "shortened links": parts(links=(*PARTS.links, "https://bit.ly/x")),
    "dead links": answers(BRIDGE, trouble="it answers 410", is_gone=True),
    "slow links": answers(BRIDGE, trouble="it does not answer"),
    "changed at its source": answers(BRIDGE, kind="text/html", words="The bridge stays shut"),
    "mail programs": replace(WELL, unsupported=("Outlook knows no flex",)),
}

NAMES = {one.check for one in run_checks(WELL)}


def test_an_edition_that_is_well_passes_every_check() -> None:
    checked = run_checks(WELL)

    assert [one for one in checked if one.outcome is not Status.OK] == []
    assert is_clear(checked)


def test_there_is_an_example_of_what_each_check_finds() -> None:
    assert set(BAD) == NAMES


@pytest.mark.parametrize("name", BAD)
def test_each_check_finds_what_it_is_there_for_and_gives_its_reason(name: str) -> None:
    found = {one.check: one for one in run_checks(BAD[name])}

    assert found[name].outcome is not Status.OK
    assert all(reason.strip() for reason in found[name].reasons)


def test_what_asks_other_machines_is_left_out_where_nobody_was_asked() -> None:
    made = {one.check for one in run_checks(replace(WELL, visits={}))}
    assert made == NAMES - ASKING


def test_what_warns_lets_an_edition_pass_and_what_fails_does_not() -> None:
    assert is_clear(run_checks(BAD["subject length"]))
    assert not is_clear(run_checks(BAD["unsubscribe"]))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (around(subject_form="{titel}: news"), "the subject has {titel}"),
        (around(sponsor="By {sponsor}"), "the sponsor's line has {sponsor}"),
        (parts(preheader="Hello {reader}"), "the preheader has {reader}"),
    ],
)
def test_braces_that_stay_are_found_wherever_readers_would_see_them(facts: EditionFacts, said: str) -> None:
    (found,) = [one for one in run_checks(facts) if one.check == "placeholders"]
    assert said in found.reasons[0]


def test_known_placeholders_code_and_braces_of_a_title_are_left_alone() -> None:
    facts = replace(
        around(subject_form="{title}: {lead}", introduction="Write `{name}`."),
        pieces=(replace(PIECE, title="A {new} bridge"),),
        parts=replace(PARTS, preheader="A {new} bridge"),
    )
    (found,) = [one for one in run_checks(facts) if one.check == "placeholders"]
    assert found.outcome is Status.OK


def test_many_reasons_are_cut_and_counted() -> None:
    pieces = tuple(replace(PIECE, id=n, title=f"T{n}", url=f"{BRIDGE}{n}", summary="") for n in range(14))
    (found,) = [one for one in run_checks(replace(WELL, pieces=pieces)) if one.check == "summaries"]
    assert len(found.reasons) == 11
    assert found.reasons[-1] == "and 4 more"


def test_titles_that_hold_few_letters_or_no_capitals_are_not_shouted() -> None:
    for title in ("NATO", "USA GDP", "日本の新しい橋が開通しました", "1 2 3 4 5 6 7 8 9 10 11 12 13"):
        found = {one.check: one.outcome for one in run_checks(piece(title=title))}
        assert found["title capitals"] is Status.OK


MESSAGE = b"""\
Subject: =?utf-8?q?Br=C3=BCcke?=
List-Unsubscribe: <mailto:u@courier.example>,
 <https://courier.example/unsubscribe/abc>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8

Read https://courier.example/bridge (or not).
--x
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><head><style>p { }</style><title>No</title></head><body><div class=3D"a preheader">First <b>words</b></div>
<p>Hello &amp; <a href=3D"https://courier.example/bridge?a=3D1&amp;b=3D2">more</a><img src=3D"a.png"><br>
<img src=3D"b.png" alt=3D""><a href=3D"javascript:alert(1)" onclick=3D"x()">x</a><script>bad()</script></p></body></html>
--x--
"""


def test_a_message_is_read_as_a_mail_program_reads_it() -> None:
    found = inspect(MESSAGE)

    assert (found.subject, found.preheader) == ("Brücke", "First words")
    assert found.links[0] == "https://courier.example/bridge?a=1&b=2"
    assert found.pictures == (ProofImage("a.png", None), ProofImage("b.png", ""))
    assert found.active == ("<script>", "javascript:", "onclick=")
    assert (found.leave_url, found.one_click) == ("https://courier.example/unsubscribe/abc", True)
    assert "Hello & more" in found.html_text
    assert "bad" not in found.html_text
    assert "No" not in found.html_text.split()
    assert found.encoded_size > found.size - 10


def test_the_words_of_a_page_have_its_title() -> None:
    assert words_of("<title>Bridge</title><p>It turns<p>again<style>x</style>") == "Bridge It turns again"


@pytest.mark.parametrize(
    "host",
    ["localhost:8000", "cms.localhost", "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1:81", "100.64.0.1",
     "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "printer.local", "cms.internal", "nas.home.arpa."],
)  # fmt: skip
def test_an_address_of_a_private_network_is_local(host: str) -> None:
    assert is_local(f"http://{host}/story")


@pytest.mark.parametrize(
    "url",
    ["https://localhostel.example/", "https://10.example.org/", "https://127.news.example/", "https://8.8.8.8/",
     "https://internal.example/", "mailto:editors@localhost", "https://[broken/"],
)  # fmt: skip
def test_what_only_looks_like_one_is_not(url: str) -> None:
    assert not is_local(url)
