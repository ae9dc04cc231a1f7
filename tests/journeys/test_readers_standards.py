"""STANDARDS D (subscribe) and E (unsubscribe), a test a line, against the running server."""

import csv
import io
import logging
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from digest.bootstrap import Application
from digest.models import (
    Confirmation,
    ConsentEvent,
    ConsentWording,
    NoticeKind,
    ReaderNotice,
    Subscriber,
    Subscription,
    Suppression,
)
from digest.models.subscriber import SuppressionReason
from digest.rules.tokens import tokens
from digest.settings import Settings, load_settings
from digest.store.readers import notices, subscribers
from digest.tasks.readers import privacy
from digest.tasks.readers.expiry import keep_house
from digest.tasks.readers.private_feed import sign_feed
from digest.tasks.readers.reader_page import request_link, request_move
from digest.tasks.readers.readers import Readers
from digest.tasks.readers.sign_up import Choices, ask
from tests.support.inbox import Inboxed
from tests.support.newsroom import Caught, Publication
from tests.support.readers import Clock, hidden_fields, link, snapshot, take_token
from tests.support.wire import Answered, Wire, serving

ANNA = "anna@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def wire(readers: Readers, clock: Clock) -> Iterator[Wire]:
    with serving(readers, now=clock) as wire:
        yield wire


def sign_up(wire: Wire, address: str = ANNA, **fields: str) -> Answered:
    stamp = hidden_fields(wire.get("/").text)["form"]
    given = {"address": address, "digest": "world", "consent": "yes", "form": stamp}
    return wire.post("/subscribe", {**given, **fields})


def press(wire: Wire, path: str, **fields: str) -> Answered:
    return wire.post(path, {**hidden_fields(wire.get(path).text), **fields})


def confirmed(wire: Wire, readers: Readers, clock: Clock) -> None:
    sign_up(wire)
    assert press(wire, f"/confirm/{take_token(readers, clock())}").status == 200


def take(readers: Readers, clock: Clock, kind: NoticeKind) -> str:
    with readers.database.write() as session:
        row = notices.claim_notice(session, 1, clock())
        assert row is not None
        assert row.kind == kind
        ends = clock() + timedelta(hours=1)
        notices.set_token(session, row.id or 0, tokens.hash_token(f"a-token-of-{kind}"), ends)
    return f"a-token-of-{kind}"


def link_of(readers: Readers, public_id: str, action: str) -> str:
    return f"/{action}/{tokens.sign(readers.signing_keys, action, public_id, 'world')}"


def states(readers: Readers) -> list[str]:
    with readers.database.read() as session:
        return [row.state for row in session.exec(select(Subscription))]


def count(readers: Readers, model: type) -> int:
    with readers.database.read() as session:
        return len(session.exec(select(model)).all())


def test_d1_nothing_but_one_confirmation_is_planned_before_it_is_confirmed(
    wire: Wire, readers: Readers
) -> None:
    for _ in range(5):
        sign_up(wire)
    assert (count(readers, Confirmation), count(readers, ReaderNotice), states(readers)) == (
        1,
        0,
        ["pending"],
    )


def test_d2_looking_at_a_confirmation_changes_nothing_and_a_post_confirms(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    sign_up(wire)
    path = f"/confirm/{take_token(readers, clock())}"
    before = snapshot(readers)
    for method in ("GET", "HEAD", "OPTIONS"):
        wire.ask(method, path)
    assert snapshot(readers) == before
    press(wire, path)
    assert states(readers) == ["confirmed"]


def test_d3_a_second_post_succeeds_and_changes_nothing(wire: Wire, readers: Readers, clock: Clock) -> None:
    sign_up(wire)
    path = f"/confirm/{take_token(readers, clock())}"
    fields = hidden_fields(wire.get(path).text)
    first, before = wire.post(path, fields), snapshot(readers)
    second = wire.post(path, fields)
    assert (first.status, second.status) == (200, 200)
    assert snapshot(readers) == before


def test_d4_a_confirmations_token_is_random_hashed_bound_and_expires(
    wire: Wire, readers: Readers, clock: Clock, settings: Settings
) -> None:
    app = Application(settings)
    made = app.readers.new_token
    app.database.close()
    assert len({made() for _ in range(100)}) == 100
    assert len(made()) * 6 >= 128
    sign_up(wire)
    token = take_token(readers, clock())
    assert token not in "".join(snapshot(readers))
    assert tokens.hash_token(token) in "".join(snapshot(readers))
    for path in ("me", "address", "preferences", "feed"):
        assert wire.get(f"/{path}/{token}").status in (404, 410)
    clock.now += timedelta(days=7)
    assert press(wire, f"/confirm/{token}").status == 410
    assert states(readers) == ["pending"]


def test_d5_every_state_of_an_address_gets_the_same_answer(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    confirmed(wire, readers, clock)
    sign_up(wire, "asked@example.org")
    with readers.database.write() as session:
        banned = readers.hash_address("banned@example.org")
        subscribers.add_suppression(session, banned, SuppressionReason.OPERATOR, clock())
    names = (ANNA, "asked@example.org", "banned@example.org", "new@example.org")
    assert len({(one.status, one.text) for one in (sign_up(wire, name) for name in names)}) == 1


def test_d6_confirmations_are_limited_by_address_in_the_store(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    for _ in range(6):
        sign_up(wire)
        clock.now += timedelta(hours=25)
    assert count(readers, Confirmation) == 3
    clock.now += timedelta(days=90)
    sign_up(wire)
    sign_up(wire)
    assert count(readers, Confirmation) == 4


def test_d6_networks_and_domains_are_limited_over_all_processes(
    readers: Readers, clock: Clock, wire: Wire
) -> None:
    web = readers.settings.web.model_copy(update={"sign_ups_per_network": 4, "sign_ups_per_domain": 4})
    strict = replace(readers, settings=readers.settings.model_copy(update={"web": web}))
    answers = []
    for number in range(4):  # each sign-up in a process of its own
        with serving(strict, now=clock) as one:
            forged = {"X-Forwarded-For": f"203.0.113.{number}"}
            stamp = hidden_fields(one.get("/").text)["form"]
            fields = {
                "address": f"r{number}@x{number}.example",
                "digest": "world",
                "consent": "yes",
                "form": stamp,
            }
            answers += [one.post("/subscribe", fields, headers=forged).status for _ in range(2)]
    assert answers == [200] * 4 + [429] * 4


def test_d7_the_record_says_what_was_agreed_to_when_and_whence(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    box = re.search(r'<input type="checkbox" name="consent"[^>]*>', wire.get("/").text)
    assert box is not None
    assert "checked" not in box[0]
    confirmed(wire, readers, clock)
    with readers.database.read() as session:
        asked, done = session.exec(select(ConsentEvent)).all()
        (agreed,) = session.exec(select(ConsentWording)).all()
    assert asked.wording_id == done.wording_id == agreed.id
    assert agreed.text == (
        "Yes, The Harbour Courier may email me World Briefing. I can unsubscribe at any time."
    )
    assert agreed.language == "en"
    assert asked.origin == {"form": "https://courier.example/", "ip": "127.0.0.1"}
    assert (asked.at, done.at) == (clock(), clock())


def test_d7_who_never_confirms_is_forgotten(wire: Wire, readers: Readers, clock: Clock) -> None:
    sign_up(wire)
    keep_house(readers.database, clock() + timedelta(days=91))
    assert count(readers, Subscriber) == 0


def test_d8_addresses_are_the_same_whatever_the_case_or_spelling_of_the_domain(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    sign_up(wire, "Anna@BÜCHER.example")
    sign_up(wire, "anna@xn--bcher-kva.example")
    with readers.database.read() as session:
        assert session.exec(select(Subscriber)).one().address == "Anna@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "a\r\nBcc: b@x.example@y.example",
        "a,b@x.example",
        "@r.example:a@x.example",
        '"a\r\nb"@x.example',
        "a\0@x.example",
    ],
)
def test_d9_what_is_no_bare_address_is_refused(wire: Wire, readers: Readers, address: str) -> None:
    assert sign_up(wire, address).status == 400
    assert count(readers, Subscriber) == 0


@pytest.mark.parametrize(
    "reason", [SuppressionReason.COMPLAINT, SuppressionReason.BOUNCE, SuppressionReason.ERASED]
)
def test_d10_a_suppressed_address_comes_back_by_a_fresh_confirmation_alone(
    publication: Publication, reason: SuppressionReason, tmp_path: Path
) -> None:
    app, listed = Application(load_settings(publication.config)), tmp_path / "list.csv"
    readers, now = app.readers, app.clock()
    with readers.database.write() as session:
        subscribers.add_suppression(session, readers.hash_address(ANNA), reason, now)
    listed.write_text(f"email\n{ANNA}\n")
    publication.run("subscribers", "import", str(listed), "--confirmed", "on paper")
    assert "confirmed" not in states(readers)
    ask(readers, ANNA, "world", Choices(), {}, now)
    with serving(readers) as wire:
        press(wire, f"/confirm/{take_token(readers, app.clock())}")
    assert states(readers) == ["confirmed"]
    app.database.close()


def test_e1_looking_at_the_page_to_leave_changes_nothing(wire: Wire, readers: Readers, clock: Clock) -> None:
    confirmed(wire, readers, clock)
    before = snapshot(readers)
    for method in ("GET", "HEAD", "OPTIONS"):
        wire.ask(method, link(readers, "unsubscribe"))
    assert snapshot(readers) == before


@pytest.mark.parametrize("multipart", [False, True])
def test_e2_one_click_takes_effect_before_its_answer_without_cookie_or_redirect(
    wire: Wire, readers: Readers, clock: Clock, multipart: bool
) -> None:
    confirmed(wire, readers, clock)
    answer = wire.post(link(readers, "unsubscribe"), ONE_CLICK, multipart=multipart)
    assert states(readers) == ["ended"]
    assert answer.status == 200
    assert not {"location", "set-cookie"} & answer.headers.keys()


@pytest.mark.parametrize("multipart", [False, True])
def test_e3_one_click_holds_back_a_message_of_a_running_edition(
    tmp_path: Path, database_url: str, multipart: bool
) -> None:
    with Caught(0.05) as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=60)
        app = Application(load_settings(publication.config))
        with serving(app.readers) as wire, app.database.read() as session:
            last = session.exec(select(Subscriber).where(Subscriber.address == "r59@readers.example")).one()
            token = tokens.sign(app.readers.signing_keys, tokens.UNSUBSCRIBE, last.public_id, "world")
            session.rollback()
            running = publication.start("send", "--now")
            relay.wait_for(3)
            assert wire.post(f"/unsubscribe/{token}", ONE_CLICK, multipart=multipart).status == 200
            running.communicate(timeout=120)
            assert running.returncode == 0
        app.database.close()
        assert sorted(relay.recipients) == sorted(f"r{number}@readers.example" for number in range(59))
        assert publication.facts("audit")["ok"] is True


def test_e4_a_link_of_any_age_works_and_outlives_its_key(wire: Wire, readers: Readers, clock: Clock) -> None:
    confirmed(wire, readers, clock)
    old = link(readers, "unsubscribe")
    clock.now += timedelta(days=3650)
    rotated = replace(readers, signing_keys=(b"a newer secret, long enough", *readers.signing_keys))
    with serving(rotated, now=clock) as later:
        assert later.post(old, ONE_CLICK).status == 200
    assert states(readers) == ["ended"]


def test_e5_leaving_twice_is_the_same_and_an_unknown_link_looks_alike(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    confirmed(wire, readers, clock)
    path = link(readers, "unsubscribe")
    wire.post(path, ONE_CLICK)
    before = snapshot(readers)
    again, unknown = wire.post(path, ONE_CLICK), wire.post(path[:-3] + "xyz", ONE_CLICK)
    assert snapshot(readers) == before
    assert (again.status, again.headers.keys()) == (unknown.status, unknown.headers.keys())


def test_e5_a_body_that_does_not_arrive_whole_changes_nothing(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    confirmed(wire, readers, clock)
    with socket.create_connection(("127.0.0.1", wire.port), 10) as half:
        head = f"POST {link(readers, 'unsubscribe')} HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\n"
        half.sendall(f"{head}List-Unsub".encode())
        half.shutdown(socket.SHUT_WR)
        half.recv(1000)
    assert states(readers) == ["confirmed"]


def test_e6_an_empty_message_to_the_announced_address_is_enough_whoever_it_is_from(
    publication: Publication,
) -> None:
    with Caught() as relay:
        publication.use_relay(relay.port)
        inboxed = Inboxed(publication)
        publication.begin(readers=1)
        publication.run("send", "--now")
        announced = re.search(r"<mailto:([^?>]+)", str(relay.parsed()[0]["List-Unsubscribe"]))
    assert announced is not None
    inboxed.take(inboxed.letter("somebody.else@x.example", to=announced[1]))
    assert inboxed.state("r0@readers.example") == "ended"


def test_e7_leaving_is_honoured_at_once(wire: Wire, readers: Readers, clock: Clock) -> None:
    confirmed(wire, readers, clock)
    wire.post(link(readers, "unsubscribe"), {})
    with readers.database.read() as session:
        assert session.exec(select(Subscription)).one().ended_at == clock()


def test_e8_leaving_takes_one_page_one_button_and_no_reason(
    wire: Wire, readers: Readers, clock: Clock
) -> None:
    confirmed(wire, readers, clock)
    page = wire.get(link(readers, "unsubscribe")).text
    forms = re.findall(r"<form.*?</form>", page, re.S)
    leaving = [form for form in forms if "Unsubscribe</button>" in form]
    assert len(leaving) == 1
    assert not re.search(r"required|<textarea|type=\"(text|password|email)\"", leaving[0])
    assert press(wire, link(readers, "unsubscribe")).status == 200
    assert states(readers) == ["ended"]


def test_e9_pages_of_a_token_are_referred_kept_indexed_and_logged_by_nobody(
    wire: Wire, readers: Readers, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    confirmed(wire, readers, clock)
    request_link(readers, ANNA, {}, clock())
    own = take(readers, clock, NoticeKind.LINK)
    request_move(readers, own, "anna@new.example", {}, clock())
    with readers.database.read() as session:
        public_id = session.exec(select(Subscriber.public_id)).one()
    ask(readers, "ben@example.org", "world", Choices(), {}, clock())
    fresh = {
        "me": own,
        "address": take(readers, clock, NoticeKind.MOVE),
        "confirm": take_token(readers, clock()),
        "feed": sign_feed(readers, public_id, "world"),
    }
    paths = [link_of(readers, public_id, action) for action in ("preferences", "unsubscribe")]
    paths += [f"/{action}/{token}" for action, token in fresh.items()]
    for path in [*paths, f"/me/{own}/erase", f"/me/{own}/data.json", "/me/expired-or-unknown"]:
        answer = wire.get(path)
        assert answer.status == (410 if "unknown" in path else 200), path
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        pages = re.sub(r'href="https://courier.example/', "", answer.text)
        assert path.startswith("/feed/") or not re.search(r'(src|href)="(https?:)?//', pages), path
        assert path.split("/")[2] not in caplog.text


def test_e10_e11_the_archive_has_no_token_and_links_lead_to_articles_themselves(
    tmp_path: Path, database_url: str
) -> None:
    with Caught() as relay:
        publication = Publication(tmp_path, database_url, port=relay.port)
        publication.begin(readers=1)
        publication.run("send", "--now")
        (message,) = relay.parsed()
    app = Application(load_settings(publication.config))
    with serving(app.readers) as wire:
        edition = re.search(r'href="(/archive/world/[^"]+)"', wire.get("/archive").text)
        assert edition is not None
        pages = [wire.get(path).text for path in ("/archive", edition[1], "/archive/feed.xml")]
        assert not re.search(r"/(unsubscribe|preferences|feed|me)/[\w-]{20,}", "".join(pages))
        for path in ("/?url=https://evil.example", "/archive?url=https://evil.example"):
            assert wire.get(path).status == 200
    app.database.close()
    body = message.get_body(("html",))
    assert body is not None
    links = set(re.findall(r'href="([^"#]+)', body.get_content()))
    assert {one for one in links if "url=" in one} == set()
    assert "https://courier.example/bridge-reopens" in links


def test_e12_no_cell_of_an_export_is_a_formula(publication: Publication) -> None:
    for number, name in enumerate(("=1+1", "+1", "-1", "@x", "\tx", "\uff1d1")):
        publication.run(
            "subscribers", "add", f"r{number}@readers.example", f"--name={name}", "--confirmed", "x"
        )
    rows = list(csv.reader(io.StringIO(publication.run("subscribers", "export"))))
    assert [row[0] for row in rows[2:]] == [f"r{number}@readers.example" for number in range(6)]
    assert not [cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r\uff1d\uff0b\uff0d\uff20")]


def test_e13_erasure_leaves_a_keyed_hash_and_no_address(wire: Wire, readers: Readers, clock: Clock) -> None:
    confirmed(wire, readers, clock)
    privacy.erase(readers, ANNA, clock())
    kept = "".join(snapshot(readers))
    assert "anna" not in kept
    with readers.database.read() as session:
        (banned,) = session.exec(select(Suppression)).all()
    assert (banned.address_hash, banned.reason) == (readers.hash_address(ANNA), "erased")
