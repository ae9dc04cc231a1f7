"""A server may do anything: each message ends in one of few known outcomes, and none is an exception."""

import socket
import ssl
import time
from datetime import datetime

import pytest
import trustme

from digest.models import Outcome, Stage
from digest.net.smtp import Connection, Envelope, Relay, Timeouts, open_connection
from tests.support.scripted import Script, Scripted, Wire, answers, greets, hears, sends, steps, takes, waits

QUICK = Timeouts(connect=2, banner=1, command=1, data=1, block=2, dot=1)
PAST = datetime(2020, 1, 1)  # noqa: DTZ001 - trustme wants a naive time
LETTER = Envelope("news@courier.example", "ann@readers.example")
MESSAGE = b"Subject: x\r\n\r\n.Hello.\r\n"


def relay(server: Scripted, **options: object) -> Relay:
    return Relay("127.0.0.1", server.port, timeouts=QUICK, ehlo_name="mail.courier.example", **options)  # type: ignore[arg-type]


def greets_with(*extensions: str) -> Script:
    return lambda wire: wire.greet(*extensions)


def submit(script: Script, message: bytes = MESSAGE) -> Outcome:
    """Send one message to a server that follows a script."""
    with Scripted(script) as server:
        connection = open_connection(relay(server))
        if isinstance(connection, Outcome):
            return connection
        outcome = connection.submit(LETTER, message)
        connection.close()
        return outcome


BEFORE_MAIL = {
    "no banner": (waits(1.5), Stage.BANNER),
    "421 banner": (sends("421 4.3.2 busy"), Stage.BANNER),
    "554 banner": (sends("554 5.7.1 not you"), Stage.BANNER),
    "another protocol": (sends("SSH-2.0-OpenSSH_9.2"), Stage.BANNER),
    "closed at once": (steps(), Stage.BANNER),
    "half a banner": (sends(b"22"), Stage.BANNER),
    "dropped at EHLO": (steps(sends("220 hi"), hears), Stage.EHLO),
    "EHLO and HELO refused": (steps(sends("220 hi"), answers("502 no", "502 no")), Stage.EHLO),
    "a line of 1 MB": (steps(sends("220 hi"), answers(b"250-" + b"x" * 1_000_000)), Stage.EHLO),
    "10,000 lines": (
        steps(sends("220 hi"), answers(b"250-WHATEVER\r\n" * 10_000 + b"250 END\r\n")),
        Stage.EHLO,
    ),
    "codes that differ": (steps(sends("220 hi"), answers(b"250-a\r\n550 b\r\n")), Stage.EHLO),
}


@pytest.mark.parametrize("name", BEFORE_MAIL)
def test_a_server_that_fails_before_mail_is_an_outcome_of_its_step(name: str) -> None:
    script, stage = BEFORE_MAIL[name]
    outcome = submit(script)
    assert (outcome.stage, outcome.dot_left, outcome.accepted) == (stage, False, False)


BEFORE_DOT = {
    "dropped at MAIL": (hears, Stage.MAIL),
    "dropped at RCPT": (steps(answers("250 ok"), hears), Stage.RCPT),
    "dropped at DATA": (steps(answers("250 ok", "250 ok"), hears), Stage.DATA),
    "silent at MAIL": (steps(hears, waits(1.5)), Stage.MAIL),
    "421 at RCPT": (answers("250 ok", "421 bye"), Stage.RCPT),
    "421 at DATA": (answers("250 ok", "250 ok", "421 bye"), Stage.DATA),
    "450 greylisted": (answers("250 ok", "450 4.7.1 come again"), Stage.RCPT),
    "452 too many": (answers("452 4.5.3 slow down"), Stage.MAIL),
    "550 unknown": (answers("250 ok", "550 5.1.1 unknown"), Stage.RCPT),
    "551": (answers("250 ok", "551 try elsewhere"), Stage.RCPT),
    "550 at MAIL": (answers("550 5.7.1 not you"), Stage.MAIL),
    "530 at MAIL": (answers("530 5.7.0 log in"), Stage.MAIL),
    "two replies at once": (answers("250 ok\r\n250 too many"), Stage.RCPT),
    "replies byte by byte then a drop": (
        steps(hears, *(sends(bytes([byte])) for byte in b"250 ok\r\n"), hears),
        Stage.RCPT,
    ),
    "no number": (answers("what?"), Stage.MAIL),
    "carriage returns only": (answers(b"250 ok\r250 ok\r"), Stage.MAIL),
}


@pytest.mark.parametrize("name", BEFORE_DOT)
def test_a_message_whose_dot_never_left_is_never_uncertain(name: str) -> None:
    script, stage = BEFORE_DOT[name]
    outcome = submit(steps(greets, script))
    assert (outcome.stage, outcome.dot_left, outcome.accepted) == (stage, False, False)


@pytest.mark.parametrize(
    ("reply", "code"),
    [(b"552 5.3.4 too big\r\n", 552), (b"554 5.7.1 spam\r\n", 554), (b"451 4.3.0 later\r\n", 451)],
)
def test_a_refusal_after_the_dot_is_a_refusal(reply: bytes, code: int) -> None:
    outcome = submit(steps(greets, takes(reply)))
    assert outcome.reply is not None
    assert (outcome.stage, outcome.reply.code, outcome.accepted) == (Stage.DOT, code, False)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"25",
        b"250-never ended\r\n",
        b"250 carriage return\r",
        b"999 what\r\n",
        b"\x80\xff\r\n",
        b"-1 no\r\n",
    ],
    ids=repr,
)
def test_no_whole_reply_after_the_dot_is_uncertain(reply: bytes) -> None:
    outcome = submit(steps(greets, takes(reply)))
    assert (outcome.stage, outcome.reply, outcome.dot_left) == (Stage.DOT, None, True)


def test_a_reply_after_our_patience_is_uncertain() -> None:
    def late(wire: Wire) -> None:
        greets(wire)
        wire.answer("250 ok", "250 ok", "354 go")
        wire.content()
        time.sleep(1.3)
        wire.send("250 kept")

    outcome = submit(late)
    assert (outcome.reply, outcome.dot_left, outcome.fault) == (None, True, "no reply (timed out)")


def test_a_reply_within_our_patience_is_accepted_however_slow_its_bytes() -> None:
    def slow(wire: Wire) -> None:
        greets(wire)
        wire.answer("250 ok", "250 ok", "354 go")
        assert wire.content() == b"Subject: x\r\n\r\n..Hello.\r\n"
        for byte in b"250 2.0.0 kept\r\n":
            time.sleep(0.04)
            wire.send(bytes([byte]))

    assert submit(slow).accepted


def test_a_refusal_while_we_still_write_is_heard_and_ends_the_writing() -> None:
    def early(wire: Wire) -> None:
        greets(wire)
        wire.answer("250 ok", "250 ok", "354 go")
        wire.send("552 5.3.4 too big")
        time.sleep(0.5)

    outcome = submit(early, b"x" * 60 + b"\r\n" + b"y" * 60_000_000 + b"\r\n")
    assert outcome.reply is not None
    assert (outcome.reply.code, outcome.accepted) == (552, False)


def test_a_server_that_stops_reading_is_given_up() -> None:
    def deaf(wire: Wire) -> None:
        greets(wire)
        wire.answer("250 ok", "250 ok", "354 go")
        time.sleep(3)

    outcome = submit(deaf, b"y" * 60_000_000 + b"\r\n")
    assert (outcome.stage, outcome.reply, outcome.accepted) == (Stage.DOT, None, False)


def test_354_then_close_is_not_accepted() -> None:
    outcome = submit(steps(greets, answers("250 ok", "250 ok", "354 go")))
    assert not outcome.accepted
    assert outcome.reply is None


def test_ehlo_that_lists_nothing_or_garbage_still_takes_mail() -> None:
    assert submit(steps(greets_with(), takes())).accepted
    assert submit(steps(greets_with("=", "\x01\x02", "SIZE many", " "), takes())).accepted


def connect(server: Scripted) -> Connection:
    connection = open_connection(relay(server))
    assert isinstance(connection, Connection)
    return connection


def test_after_a_refusal_the_session_is_reset_and_goes_on() -> None:
    commands = []

    def script(wire: Wire) -> None:
        greets(wire)
        wire.answer("250 ok", "550 5.1.1 unknown")
        commands.append(wire.line())
        wire.send("250 reset")
        wire.take()
        commands.append(wire.line())

    with Scripted(script) as server:
        connection = connect(server)
        assert not connection.submit(LETTER, MESSAGE).accepted
        assert connection.submit(LETTER, MESSAGE).accepted
        connection.close()
    assert commands == [b"RSET\r\n", b"QUIT\r\n"]


def test_a_reset_that_is_refused_ends_the_connection_and_nothing_left() -> None:
    with Scripted(steps(greets, answers("250 ok", "550 no", "500 what"))) as server:
        connection = connect(server)
        connection.submit(LETTER, MESSAGE)
        outcome = connection.submit(LETTER, MESSAGE)
        assert (outcome.dot_left, connection.usable) == (False, False)
        connection.close()


@pytest.mark.parametrize("at_quit", ["never answers", "closes"])
def test_what_was_accepted_stays_so_whatever_quit_gives(at_quit: str) -> None:
    def script(wire: Wire) -> None:
        greets(wire)
        wire.take()
        wire.line()
        time.sleep(0.2 if at_quit == "never answers" else 0)

    with Scripted(script) as server:
        connection = connect(server)
        assert connection.submit(LETTER, MESSAGE).accepted
        connection.close()


def test_an_extra_reply_after_a_message_never_counts_for_the_next_one() -> None:
    def script(wire: Wire) -> None:
        greets(wire)
        wire.take(b"250 kept\r\n250 kept too\r\n")
        wire.take()

    with Scripted(script) as server:
        connection = connect(server)
        assert connection.submit(LETTER, MESSAGE).accepted
        outcome = connection.submit(LETTER, MESSAGE)
        assert (outcome.accepted, outcome.dot_left, connection.usable) == (False, False, False)
        connection.close()


def test_nothing_listens_is_an_outcome() -> None:
    with Scripted(steps()) as server:
        port = server.port
    outcome = open_connection(Relay("127.0.0.1", port, timeouts=QUICK))
    assert isinstance(outcome, Outcome)
    assert (outcome.stage, outcome.fault) == (Stage.CONNECT, "connection refused")


def test_a_name_that_does_not_exist_is_an_outcome() -> None:
    outcome = open_connection(Relay("relay.invalid", 25, timeouts=QUICK))
    assert isinstance(outcome, Outcome)
    assert outcome.stage is Stage.CONNECT


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def tls(wire: Wire, certificate: trustme.LeafCert, version: ssl.TLSVersion | None = None) -> Wire:
    """Begin TLS as the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if version:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL gives up before the client has spoken
        context.minimum_version = context.maximum_version = version
    wire._file.close()
    return Wire(context.wrap_socket(wire.socket, server_side=True))


def starttls(script: Script, ca_file: str) -> Outcome | None:
    with Scripted(script) as server:
        opened = open_connection(relay(server, security="starttls", ca_file=ca_file))
        if isinstance(opened, Outcome):
            return opened
        outcome = opened.submit(LETTER, MESSAGE)
        opened.close()
        return outcome


def begins_tls(certificate: trustme.LeafCert, version: ssl.TLSVersion | None = None) -> Script:
    def script(wire: Wire) -> None:
        wire.greet("STARTTLS")
        wire.answer("220 go")
        inside = tls(wire, certificate, version)
        with inside.socket:
            inside.answer("250 relay.example")
            inside.take()
            inside.answer("221 bye")

    return script


def test_starttls_with_a_good_certificate_takes_mail(authority: trustme.CA, ca_file: str) -> None:
    outcome = starttls(begins_tls(authority.issue_cert("127.0.0.1")), ca_file)
    assert outcome is not None
    assert outcome.accepted


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("fault", ["wrong host", "another authority", "expired", "TLS 1.1"])
def test_a_certificate_or_version_that_is_wrong_sends_nothing(
    fault: str, authority: trustme.CA, ca_file: str
) -> None:
    certificate = {
        "wrong host": lambda: authority.issue_cert("relay.example"),
        "another authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
        "expired": lambda: authority.issue_cert("127.0.0.1", not_after=PAST),
        "TLS 1.1": lambda: authority.issue_cert("127.0.0.1"),
    }[fault]()
    outcome = starttls(
        begins_tls(certificate, ssl.TLSVersion.TLSv1_1 if fault == "TLS 1.1" else None), ca_file
    )
    assert outcome is not None
    assert (outcome.stage, outcome.dot_left) == (Stage.STARTTLS, False)
    assert "TLS failed" in outcome.fault


@pytest.mark.parametrize(
    "script",
    [
        greets_with(),
        steps(greets_with("STARTTLS"), answers("454 4.7.0 not now")),
        steps(greets_with("STARTTLS"), answers("220 go"), sends(b"\x00\x01garbage")),
        steps(greets_with("STARTTLS"), answers("220 go")),
        steps(greets_with("STARTTLS"), answers(b"220 go\r\n250 injected\r\n"), waits(0.3)),
    ],
    ids=["not offered", "refused", "garbage", "dropped", "plaintext injected"],
)
def test_starttls_that_fails_never_goes_on_in_the_clear(script: Script, ca_file: str) -> None:
    outcome = starttls(script, ca_file)
    assert outcome is not None
    assert (outcome.stage, outcome.dot_left) == (Stage.STARTTLS, False)


def test_an_address_that_is_dead_stops_nobody_while_another_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(_host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        six = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0))
        return [six, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    outcome = submit(steps(greets, takes()))
    assert outcome.accepted
