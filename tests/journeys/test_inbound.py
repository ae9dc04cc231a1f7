"""Mail comes back: bounces, complaints, commands, letters, each acted on once and only where it is proved."""

import re
import smtplib
import socket
import subprocess
import sys
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote

import pytest
from sqlmodel import Session, select

from digest.bootstrap import Application
from digest.models import Answer, Bounce, Complaint, Edition, EditionState, InboundMessage, Letter
from digest.models.programs.webhooks import WebhookEndpoint, WebhookEvent, WebhookMessage
from digest.net.inbound.lmtp import LmtpServer
from digest.net.inbound.spool import Spool
from digest.scheduler import Ticker
from digest.tasks.composing.composer import return_paths
from digest.tasks.inbound import intake, letters
from digest.tasks.inbound.intake import take_in
from tests.support.inbox import Inboxed, headers_of
from tests.support.newsroom import Caught, Publication
from tests.support.statements import recorded

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
R0, R1, R2 = (f"r{n}@readers.example" for n in range(3))


@pytest.fixture
def inboxed(publication: Publication, caught: Caught) -> Inboxed:
    """A publication that has mailed one edition to three readers."""
    publication.use_relay(caught.port)
    inboxed = Inboxed(publication)
    publication.begin(3)
    publication.run("send", "world", "--now")
    assert sorted(caught.recipients) == [R0, R1, R2]
    return inboxed


def message_to(caught: Caught, address: str) -> str:
    """Return the header of the message that a reader got."""
    return headers_of(next(one for one in caught.parsed() if one["To"] == address))


def test_a_hard_bounce_to_the_return_path_suppresses_and_ends_the_subscription(inboxed: Inboxed) -> None:
    inboxed.take(inboxed.bounce(R0))

    assert inboxed.suppressed(R0) == "bounce"
    assert inboxed.state(R0) == "ended"
    assert inboxed.suppressed(R1) is None
    (bounce,) = inboxed.rows(Bounce)
    assert (bounce.receiver, bounce.reason, bounce.weight) == ("readers.example", "unknown user", "hard")
    assert R0 not in bounce.diagnostic


def test_a_bounce_without_a_token_is_proved_by_the_message_id_it_returns(
    inboxed: Inboxed, caught: Caught
) -> None:
    inboxed.take(inboxed.bounce(R0, to="news@courier.example", returned=message_to(caught, R0)))

    assert inboxed.suppressed(R0) == "bounce"


def test_another_readers_message_id_proves_nothing(inboxed: Inboxed, caught: Caught) -> None:
    theirs = message_to(caught, R1).replace(R1, R0)
    inboxed.take(inboxed.bounce(R0, to="news@courier.example", returned=theirs))

    assert inboxed.suppressed(R0) is None
    assert [one.kind for one in inboxed.rows(InboundMessage)] == ["unproved"]


def test_a_full_mailbox_and_our_own_blocks_suppress_nobody(inboxed: Inboxed) -> None:
    inboxed.take(
        inboxed.bounce(R0, status="5.2.2", words="552 5.2.2 mailbox full"),
        inboxed.bounce(R1, status="5.7.1", words="554 5.7.1 blocked using zen.blocklist.example"),
        inboxed.bounce(R2, status="5.7.26", words="550 5.7.26 unauthenticated"),
    )

    assert [inboxed.suppressed(one) for one in (R0, R1, R2)] == [None, None, None]
    assert sorted(one.weight for one in inboxed.rows(Bounce)) == ["ours", "ours", "soft"]
    facts = inboxed.publication.facts("bounces")
    assert sorted(row["reason"] for row in facts["held_against_us"]) == ["authentication", "reputation"]


def test_a_receiver_that_blocks_us_is_told_to_the_operator_and_suppresses_nobody(inboxed: Inboxed) -> None:
    words = "554 5.7.1 your network is on our block list"
    inboxed.take(*(inboxed.bounce(R0, status="5.7.1", words=f"{words} ({n})") for n in range(4)))
    assert inboxed.publication.facts("status")["alerts"] == []

    inboxed.take(inboxed.bounce(R1, status="5.7.1", words=words))

    (alert,) = inboxed.publication.facts("status")["alerts"]
    assert (alert["kind"], alert["title"]) == ("blocked", "readers.example blocks our mail")
    assert "5 messages within a day: reputation (5)" in alert["detail"]
    assert [inboxed.suppressed(one) for one in (R0, R1)] == [None, None]


def test_a_probe_is_mailed_after_many_soft_bounces_and_its_bounce_suppresses(
    inboxed: Inboxed, caught: Caught
) -> None:
    app = Application(inboxed.settings)
    try:
        with app.database.write() as session:
            for days in (40, 30, 20, 10):
                session.add(Bounce(
                    at=app.clock() - timedelta(days=days), subscriber_id=inboxed.reader(R0).id or 0,
                    receiver="readers.example", reason="mailbox full", weight="soft",
                ))  # fmt: skip
    finally:
        app.close()
    inboxed.take(inboxed.bounce(R0, status="4.2.2", words="452 4.2.2 mailbox full"))
    assert inboxed.suppressed(R0) is None

    inboxed.publication.run("send", "world")
    to, probe = caught.messages[-1][0], caught.parsed()[-1]
    assert (to, probe["Auto-Submitted"]) == (R0, "auto-generated")
    path = return_paths(inboxed.settings).write(inboxed.reader(R0).public_id, ("world", "probe"))
    inboxed.take(inboxed.bounce(R0, to=path, status="4.2.2", words="452 4.2.2 mailbox full still"))

    assert inboxed.suppressed(R0) == "bounce"


def test_five_complaints_pause_an_edition_that_is_still_being_sent(inboxed: Inboxed, caught: Caught) -> None:
    app = Application(inboxed.settings)
    try:
        with app.database.write() as session:
            edition = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
            edition.state = EditionState.FROZEN
            session.add(edition)
            reader = inboxed.reader(R0).id or 0
            for number in range(4):  # four readers who have been erased since
                session.add(Complaint(
                    at=app.clock(), subscriber_id=reader, edition_id=edition.id, receiver=f"{number}.example",
                    feedback_type="abuse",
                ))  # fmt: skip
    finally:
        app.close()

    inboxed.take(inboxed.complaint(message_to(caught, R1)))

    status = inboxed.publication.edition("daily")
    assert (status["state"], "5 readers" in status["reason"]) == ("paused", True)


def test_a_complaint_suppresses_and_is_counted(inboxed: Inboxed, caught: Caught) -> None:
    complaint = inboxed.complaint(message_to(caught, R2))
    inboxed.take(complaint, complaint)

    assert inboxed.suppressed(R2) == "complaint"
    assert len(inboxed.rows(Complaint)) == 1
    assert inboxed.publication.facts("bounces")["complaints_by_edition"][0]["complaints"] == 1


def test_an_empty_message_to_the_unsubscribe_address_leaves(inboxed: Inboxed, caught: Caught) -> None:
    header = next(one for one in caught.parsed() if one["To"] == R0)["List-Unsubscribe"]
    to = inboxed.leave_address(R0)
    assert f"<mailto:{to}>" in header

    inboxed.take(inboxed.letter("someone@else.example", to=to))

    assert inboxed.state(R0) == "ended"
    assert inboxed.state(R1) == "confirmed"


def test_a_reply_to_the_digest_carries_out_a_command_and_is_answered(
    inboxed: Inboxed, caught: Caught
) -> None:
    replied = next(one for one in caught.parsed() if one["To"] == R0)["Message-ID"]
    inboxed.take(
        inboxed.letter(
            R0, "Re: World Briefing", "wöchentlich\n\n> Bridge reopens", headers=[f"In-Reply-To: {replied}"]
        )
    )

    assert inboxed.publication.facts("subscribers", "show", R0)["subscriptions"][0]["cadence"] == "weekly"
    inboxed.publication.run("send", "world")
    answer = caught.parsed()[-1]
    assert answer["To"] == R0
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["In-Reply-To"] == "<l1@readers.example>"


def test_a_command_that_nothing_proves_is_asked_about_and_carried_out_by_a_reply(
    inboxed: Inboxed, caught: Caught
) -> None:
    inboxed.take(inboxed.letter(R0, "unsubscribe"))
    assert inboxed.state(R0) == "confirmed"

    inboxed.publication.run("send", "world")
    asked = caught.parsed()[-1]
    assert "unsubscribe" in asked.as_string() or "leave" in asked.as_string()
    inboxed.take(inboxed.letter(R0, f"Re: {asked['Subject']}", "yes", to=asked["Reply-To"]))

    assert inboxed.state(R0) == "ended"


def test_our_own_servers_word_proves_a_command_and_a_forged_one_does_not(inboxed: Inboxed) -> None:
    def result(server: str, outcome: str) -> list[str]:
        return [f"Authentication-Results: {server}; dmarc={outcome} header.from=readers.example"]

    inboxed.take(
        inboxed.letter(R0, "leave", headers=result("mx.courier.example", "pass")),
        inboxed.letter(R1, "leave", headers=result("mx.forged.example", "pass")),
        inboxed.letter(
            R2,
            "leave",
            headers=[*result("mx.courier.example", "fail"), *result("mx.courier.example", "pass")],
        ),
    )

    assert [inboxed.state(one) for one in (R0, R1, R2)] == ["ended", "confirmed", "confirmed"]


def test_subscribing_by_mail_is_confirmed_by_a_reply(inboxed: Inboxed, caught: Caught) -> None:
    new = "anna@readers.example"
    inboxed.take(inboxed.letter(new, "", "", to="news+subscribe@courier.example"))
    assert inboxed.state(new) == "pending"

    inboxed.publication.run("send", "world")
    asking = next(one for one in caught.parsed() if one["To"] == new)
    inboxed.take(inboxed.letter(new, f"Re: {asking['Subject']}", "ok", to=asking["Reply-To"]))

    assert inboxed.state(new) == "confirmed"


def test_a_letter_is_kept_with_its_quote_folded_and_forwarded(inboxed: Inboxed, caught: Caught) -> None:
    replied = next(one for one in caught.parsed() if one["To"] == R0)["Message-ID"]
    text = "The bridge was never closed.\n\nOn Mon, 23 Nov 2026 at 07:05, News <news@courier.example> wrote:\n> Bridge reopens"
    inboxed.take(inboxed.letter(R0, "Re: World Briefing", text, headers=[f"In-Reply-To: {replied}"]))

    (letter,) = inboxed.rows(Letter)
    assert (letter.text, letter.state) == ("The bridge was never closed.", "new")
    assert "Bridge reopens" in letter.quoted
    assert letter.edition_id is not None
    inboxed.publication.run("send", "world")
    forwarded = caught.parsed()[-1]
    assert (forwarded["To"], forwarded["Reply-To"]) == ("editors@courier.example", R0)
    assert R0 in inboxed.publication.run("letters", "list")
    inboxed.publication.run("letters", "done", "1")
    assert inboxed.rows(Letter)[0].state == "done"


def test_a_letter_by_an_articles_own_link_is_about_that_article(inboxed: Inboxed, caught: Caught) -> None:
    publication = inboxed.publication
    publication.change_settings("[web]", "[look]\nreply_link = true\n\n[web]")
    publication.write_article("Ferry sinks")
    publication.run("fetch", "newsroom")
    publication.run("send", "world", "--now")
    replied = next(one for one in caught.parsed() if one["To"] == R0)["Message-ID"]
    inboxed.take(inboxed.letter(R0, "Re: World", "send now", headers=[f"In-Reply-To: {replied}"]))
    publication.run("send", "world")
    html = caught.parsed()[-1].get_body(("html",))
    assert html is not None
    (link,) = re.findall(r"mailto:([^?\"]+)\?subject=([^\"]+)", html.get_content())

    inboxed.take(inboxed.letter(R1, unquote(link[1]), "leave\n\nit where it sank", to=unquote(link[0])))

    shown = publication.facts("letters", "show", "1")
    assert (shown["article"], shown["subject"]) == ("Ferry sinks", "Re: Ferry sinks")
    assert "Ferry sinks" in publication.run("letters", "show", "1")
    assert inboxed.state(R1) == "confirmed"


def test_automatic_answers_lists_and_receipts_meet_silence(inboxed: Inboxed) -> None:
    marks = [
        ["Auto-Submitted: auto-replied"], ["Precedence: bulk"], ["Precedence: auto_reply"], ["List-Id: <x.example>"],
        ["X-Autoreply: yes"], ["X-Auto-Response-Suppress: All"], ["Auto-Submitted: auto-generated"], ["X-Loop: x"],
        ["List-Unsubscribe: <mailto:x@x.example>"], ["X-Autorespond: x"],
    ]  # fmt: skip
    subjects = ["subscribe", "leave", "help", "weekly", "Out of office: World", "Automatic reply: hi", "hello",
                "pause 2 weeks", "my data", "Re: World Briefing"]  # fmt: skip
    senders = [R0, R1, "new@readers.example", "mailer-daemon@x.example", "no-reply@x.example"]
    mails = [inboxed.letter(s, t, "x", headers=m) for m in marks for t in subjects for s in senders]
    assert len(mails) == 500
    inboxed.take(*mails)

    assert inboxed.rows(Answer) == []
    assert inboxed.rows(Letter) == []
    assert [inboxed.state(one) for one in (R0, R1)] == ["confirmed", "confirmed"]


def test_an_address_is_answered_at_most_once_a_day(inboxed: Inboxed) -> None:
    inboxed.take(*(inboxed.letter(R0, "help") for _ in range(5)))

    assert len(inboxed.rows(Answer)) == 1


def test_a_pipe_that_brings_nothing_is_told_that_it_is_no_message(inboxed: Inboxed) -> None:
    command = [sys.executable, "-m", "digest", "receive", "--config", str(inboxed.publication.config)]
    done = subprocess.run(command, input=b"", capture_output=True)
    assert (done.returncode, done.stderr) == (
        65, b"digest receive: standard input is empty: it has to be one message\n"
    )  # fmt: skip
    assert Spool(inboxed.publication.folder / "inbox").names(9) == []


def test_the_pipe_stores_before_it_says_so_and_asks_the_server_to_try_again_where_it_cannot(
    inboxed: Inboxed,
) -> None:
    config = str(inboxed.publication.config)
    command = [
        sys.executable,
        "-m",
        "digest",
        "receive",
        "--config",
        config,
        "--return-path",
        "",
        "--recipient",
    ]
    message = (
        inboxed.bounce(R0)
        .replace("Delivered-To", "X-Was")
        .replace("Return-Path", "X-Path")
        .replace("To: news", "To: x")
    )
    done = subprocess.run([*command, inboxed.return_path(R0)], input=message.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")

    inboxed.publication.run("receive", "--now")
    assert inboxed.suppressed(R0) == "bounce"
    failed = subprocess.run([*command[:4], "--config", config + "x"], input=b"x", capture_output=True)
    assert failed.returncode == 75
    assert b"not stored" in failed.stderr


def test_lmtp_answers_for_each_recipient_once_a_message_is_stored(inboxed: Inboxed) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = LmtpServer(inboxed.spool, inboxed.settings.inbound.is_ours, "127.0.0.1", port)
    server.start()
    message = inboxed.bounce(R0).replace("\n", "\r\n")
    try:
        with smtplib.LMTP("127.0.0.1", port) as client:
            refused = client.sendmail("", [inboxed.return_path(R0), "nobody@courier.example"], message)
    finally:
        server.stop()

    assert list(refused) == ["nobody@courier.example"]
    assert len(inboxed.spool.names(9)) == 1
    inboxed.publication.run("receive", "--now")
    assert inboxed.suppressed(R0) == "bounce"


def test_a_maildir_is_taken_from_and_a_message_that_comes_twice_counts_once(inboxed: Inboxed) -> None:
    inboxed.publication.change_settings("authserv_id", 'maildir = "maildir"\nauthserv_id')
    new = inboxed.publication.folder / "maildir" / "new"
    new.mkdir(parents=True)
    message = inboxed.bounce(R0)
    for name in ("1", "2"):
        (new / name).write_text(message)

    inboxed.publication.run("receive", "--now")

    assert list(new.iterdir()) == []
    assert inboxed.suppressed(R0) == "bounce"
    assert len(inboxed.rows(Bounce)) == 1


def test_a_thousand_forged_reports_and_commands_change_nothing(inboxed: Inboxed, caught: Caught) -> None:
    """None has a token or a Message-ID of ours, or another reader's, or one that was tampered with."""
    path, leave = inboxed.return_path(R1), inboxed.leave_address(R1)
    returned = message_to(caught, R1)
    before = inboxed.publication.facts("subscribers", "show", R0)
    forged: list[str] = []
    for number in range(125):
        place = 5 + number % 31
        forged += [
            inboxed.bounce(R0, to="news@courier.example", words=f"550 5.1.1 no {number}"),
            inboxed.bounce(R0, to=tampered(path, place), words=f"550 5.1.1 no {number}"),
            inboxed.bounce(R0, to="news@courier.example", returned=returned.replace(R1, R0)),
            inboxed.complaint(returned.replace(R1, R0)),
            inboxed.complaint(
                f"From: news@courier.example\nTo: {R0}\nMessage-ID: <{number:040x}@courier.example>\n"
            ),
            inboxed.letter("x@x.example", to=tampered(leave, place)),
            inboxed.letter(R0, "leave", headers=["Authentication-Results: mx.forged.example; dmarc=pass"]),
            inboxed.letter(R0, "weekly", headers=[f"In-Reply-To: <{number:040x}@courier.example>"]),
        ]
    assert len(forged) == 1_000
    inboxed.take(*forged)

    # Of what is kept of the reader, only that they were asked whether they wrote this.
    after = inboxed.publication.facts("subscribers", "show", R0)
    assert [one["kind"] for one in after.pop("answers")] == ["ask"]
    assert after | {"answers": []} == before
    assert [inboxed.state(one) for one in (R0, R1, R2)] == ["confirmed"] * 3
    assert inboxed.rows(Bounce) == []
    assert inboxed.rows(Complaint) == []
    # What is mailed to readers is the one question a day; what is no command goes to the editors as a letter.
    assert [one.kind for one in inboxed.rows(Answer) if one.address == R0] == ["ask"]
    assert {one.address for one in inboxed.rows(Answer)} == {R0, "editors@courier.example"}


@pytest.mark.parametrize("step", ["read", "commit", "remove"])
def test_a_crash_at_any_step_of_taking_a_message_in_acts_once(
    inboxed: Inboxed, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    def die(*_: object) -> None:
        raise Killed

    places = {"read": (Spool, "read"), "commit": (Session, "commit"), "remove": (Spool, "remove")}
    for message in (inboxed.bounce(R0), inboxed.letter(R1, "help")):
        inboxed.spool.deliver([message.encode()])
    with monkeypatch.context() as patched:
        patched.setattr(*places[step], die)
        with pytest.raises(Killed):
            take_in_again(inboxed)
    assert len(inboxed.spool.names(9)) == 2
    take_in_again(inboxed)
    take_in_again(inboxed)

    assert inboxed.spool.names(9) == []
    assert (len(inboxed.rows(Bounce)), len(inboxed.rows(Answer)), len(inboxed.rows(InboundMessage))) == (
        1,
        1,
        2,
    )
    assert inboxed.suppressed(R0) == "bounce"


def tampered(text: str, place: int) -> str:
    """Return a text with another letter at a place."""
    return text[:place] + ("a" if text[place] != "a" else "b") + text[place + 1 :]


def take_in_again(inboxed: Inboxed) -> None:
    """Process the spool as a separate process would."""
    app = Application(inboxed.settings)
    try:
        take_in(app.inbox, app.clock())
    finally:
        app.database.engine.dispose()


def test_a_message_that_our_own_code_fails_at_is_put_aside_and_stops_no_other(
    inboxed: Inboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = letters.keep_letter

    def fail_at_one(*given: Any, **named: Any) -> Letter:
        kept = real(*given, **named)
        if kept.subject == "poison":
            raise RuntimeError("our own fault")
        return kept

    monkeypatch.setattr("digest.tasks.inbound.intake.keep_letter", fail_at_one)
    inboxed.take(
        inboxed.letter(R0, "one", "A letter."), inboxed.letter(R1, "poison", "x"), inboxed.bounce(R2),
        inboxed.letter(R1, "two", "Another."),
    )  # fmt: skip

    assert [one.subject for one in inboxed.rows(Letter)] == ["one", "two"]
    assert inboxed.suppressed(R2) == "bounce"
    assert len(inboxed.rows(InboundMessage)) == 3
    assert len(list((inboxed.spool.folder / "kept").iterdir())) == 1


def test_one_run_takes_the_oldest_of_a_flood_and_the_next_the_rest(inboxed: Inboxed) -> None:
    for message in [inboxed.letter(R0, "one", "1"), inboxed.letter(R1, "two", "2")]:
        inboxed.spool.deliver([message.encode()])
    app = Application(inboxed.settings)
    try:
        assert intake.take_in(app.inbox, app.clock(), 1).total() == 1
        assert [one.subject for one in inboxed.rows(Letter)] == ["one"]
        assert intake.take_in(app.inbox, app.clock(), 1).total() == 1
    finally:
        app.close()
    assert inboxed.spool.names(9) == []


def test_more_mail_than_one_run_processes_is_not_left_for_the_next_tick(
    inboxed: Inboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.sending.take_in", partial(take_in, most=2))
    monkeypatch.setattr("digest.scheduler.MOST_AT_ONCE", 2)
    app = Application(inboxed.settings)
    try:
        for number in range(5):
            letter = inboxed.letter(R0, "The bridge", f"It was never closed ({number}).")
            app.inbox.spool.deliver([letter.encode()], recipient="news@courier.example")
        Ticker(app).tick()
        assert app.inbox.spool.names(9) == []
    finally:
        app.close()


def test_a_batch_asks_once_who_is_told_of_readers_and_each_batch_anew(inboxed: Inboxed) -> None:
    app = Application(inboxed.settings)
    asked = []
    try:
        for batch in ((R0, R1), (R2,)):
            for address in batch:
                app.inbox.spool.deliver([inboxed.bounce(address).encode()])
            with recorded(app.database.engine) as statements:
                take_in(app.inbox, app.clock())
            asked.append(sum("FROM webhook_endpoint" in one.text for one in statements))
            with app.database.write() as session:
                events = [str(WebhookEvent.BOUNCED)]
                now = app.clock()
                session.add(
                    WebhookEndpoint(
                        url=f"https://hook.example/{len(asked)}",
                        events=events,
                        secret="s",
                        made_by="olga",
                        made_at=now,
                    )
                )
    finally:
        app.close()

    assert asked == [1, 1]
    assert [row.reader for row in inboxed.rows(WebhookMessage)] == [inboxed.reader(R2).public_id]


def test_a_message_that_cannot_be_a_round_trip_is_not_looked_up_as_one(inboxed: Inboxed) -> None:
    app = Application(inboxed.settings)
    try:
        app.inbox.spool.deliver([inboxed.letter(R0, "The bridge", "It was never closed.").encode()])
        with recorded(app.database.engine) as statements:
            assert take_in(app.inbox, app.clock()).total() == 1
    finally:
        app.close()

    assert not [one for one in statements if "FROM mark" in one.text and "round trip" in str(one.values)]
