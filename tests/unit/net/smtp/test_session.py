"""The dialogue says what SMTP asks for, and only what this session's server offers."""

import base64
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.logins import Login
from digest.net.smtp.replies import Ask
from digest.net.smtp.session import Capabilities, greet
from digest.net.smtp.transactions import Envelope, dot_stuffed, hand_over

LETTER = Envelope("news@courier.example", "ann@readers.example")


def talk(
    dialogue: Generator[Ask, Reply, Capabilities | Outcome], *replies: str
) -> tuple[list[str], Capabilities | Outcome]:
    """Drive a dialogue with a server's replies; give what was written and how it ended."""
    said, waiting = [], list(replies)
    try:
        ask = next(dialogue)
        while True:
            said.append("<tls>" if ask.upgrade else ask.write.decode("utf-8", "replace").strip())
            code, _, text = waiting.pop(0).partition(" ")
            ask = dialogue.send(Reply(int(code), "", text.replace("|", "\n")))
    except StopIteration as ended:
        assert not waiting, waiting
        result: Capabilities | Outcome = ended.value
        return said, result


def greeting(
    *replies: str, starttls: bool = False, login: Login | None = None, may_show_password: bool = True
) -> tuple[list[str], Capabilities | Outcome]:
    dialogue = greet(
        "mail.courier.example",
        starttls=starttls,
        login=login or Login(),
        may_show_password=may_show_password,
    )
    return talk(dialogue, *replies)


def test_a_server_that_knows_no_ehlo_is_greeted_with_helo_and_offers_nothing() -> None:
    said, offer = greeting("220 hello", "502 what", "250 hello")
    assert said == ["", "EHLO mail.courier.example", "HELO mail.courier.example"]
    assert offer == Capabilities({})


def test_what_was_offered_before_tls_does_not_count_after_it() -> None:
    said, offer = greeting(
        "220 hello", "250 relay|STARTTLS|SMTPUTF8|SIZE 10", "220 go", "220 done", "250 relay|SIZE 99",
        starttls=True,
    )  # fmt: skip
    assert said[1:] == ["EHLO mail.courier.example", "STARTTLS", "<tls>", "EHLO mail.courier.example"]
    assert offer == Capabilities({"SIZE": "99"})


@pytest.mark.parametrize(
    ("replies", "stage"),
    [
        (["554 no"], Stage.BANNER),
        (["421 busy"], Stage.BANNER),
        (["220 hello", "421 busy"], Stage.EHLO),
        (["220 hello", "500 what", "500 what"], Stage.EHLO),
        (["220 hello", "250 relay|STARTTLS", "454 not now"], Stage.STARTTLS),
        (["220 hello", "250 relay"], Stage.STARTTLS),
    ],
)
def test_a_server_that_does_not_want_us_is_an_outcome_of_its_step(replies: list[str], stage: Stage) -> None:
    _, outcome = greeting(*replies, starttls=True)
    assert isinstance(outcome, Outcome)
    assert outcome.stage is stage
    assert not outcome.dot_left


def test_the_login_takes_plain_first_and_login_where_there_is_no_plain() -> None:
    login = Login("courier", "hush")
    said, _ = greeting("220 hello", "250 relay|AUTH LOGIN PLAIN", "235 welcome", login=login)
    assert said[2] == "AUTH PLAIN " + base64.b64encode(b"\0courier\0hush").decode()

    said, offer = greeting(
        "220 hello", "250 relay|AUTH=LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome",
        login=login,
    )  # fmt: skip
    assert said[2:] == [
        "AUTH LOGIN",
        base64.b64encode(b"courier").decode(),
        base64.b64encode(b"hush").decode(),
    ]
    assert isinstance(offer, Capabilities)


def test_a_password_never_goes_in_the_clear() -> None:
    said, outcome = greeting(
        "220 hello", "250 relay|AUTH PLAIN", login=Login("courier", "hush"), may_show_password=False
    )
    assert said[-1] == "EHLO mail.courier.example"
    assert isinstance(outcome, Outcome)
    assert outcome.fault == "the password would go in the clear; use TLS"


def test_a_server_without_a_login_that_we_know_is_an_outcome_not_an_open_door() -> None:
    _, outcome = greeting("220 hello", "250 relay|AUTH GSSAPI", login=Login("courier", "hush"))
    assert isinstance(outcome, Outcome)
    assert outcome.stage is Stage.AUTH


def test_endless_334_is_no_login() -> None:
    _, outcome = greeting(
        "220 hello", "250 relay|AUTH LOGIN", "334 a", "334 b", "334 c", login=Login("courier", "hush")
    )
    assert isinstance(outcome, Outcome)
    assert outcome.stage is Stage.AUTH


def test_one_message_is_one_mail_one_rcpt_one_data() -> None:
    said, outcome = talk(
        hand_over(LETTER, b"Subject: x\r\n\r\nHello.\r\n", Capabilities({"SIZE": "", "SMTPUTF8": ""})),
        "250 ok", "250 ok", "354 go", "250 kept",
    )  # fmt: skip
    assert said == [
        "MAIL FROM:<news@courier.example> SIZE=22",
        "RCPT TO:<ann@readers.example>",
        "DATA",
        "Subject: x\r\n\r\nHello.\r\n.",
    ]
    assert isinstance(outcome, Outcome)
    assert outcome.accepted


def test_no_extension_is_used_that_this_session_does_not_offer() -> None:
    said, _ = talk(hand_over(LETTER, b"x\r\n", Capabilities({})), "250 ok", "250 ok", "354 go", "250 kept")
    assert said[0] == "MAIL FROM:<news@courier.example>"


def test_an_address_that_needs_smtputf8_fails_alone_where_the_server_has_none() -> None:
    letter = Envelope("news@courier.example", "jörg@readers.example")
    said, outcome = talk(hand_over(letter, b"x\r\n", Capabilities({})))
    assert said == []
    assert isinstance(outcome, Outcome)
    assert outcome.reply is not None
    assert (outcome.stage, outcome.reply.code, outcome.reply.enhanced) == (Stage.RCPT, 553, "5.6.7")

    said, _ = talk(
        hand_over(letter, b"x\r\n", Capabilities({"SMTPUTF8": ""})), "250 ok", "250 ok", "354 go", "250 k"
    )
    assert said[:2] == ["MAIL FROM:<news@courier.example> SMTPUTF8", "RCPT TO:<jörg@readers.example>"]


@pytest.mark.parametrize(
    ("replies", "stage", "dot_left"),
    [
        (["530 auth"], Stage.MAIL, False),
        (["250 ok", "550 unknown"], Stage.RCPT, False),
        (["250 ok", "354 what"], Stage.RCPT, False),
        (["250 ok", "250 ok", "452 full"], Stage.DATA, False),
        (["250 ok", "250 ok", "250 not 354"], Stage.DATA, False),
        (["250 ok", "250 ok", "354 go", "554 spam"], Stage.DOT, True),
    ],
)
def test_a_refusal_ends_the_message_at_its_step(replies: list[str], stage: Stage, dot_left: bool) -> None:
    _, outcome = talk(hand_over(LETTER, b"x\r\n", Capabilities({})), *replies)
    assert isinstance(outcome, Outcome)
    assert not outcome.accepted
    assert (outcome.stage, outcome.dot_left) == (stage, dot_left)


def unstuffed(wire: bytes) -> bytes:
    """Read DATA as a server does (RFC 5321 4.5.2)."""
    assert wire.endswith(b".\r\n")
    lines = wire[: -len(b".\r\n")].split(b"\r\n")
    assert b"." not in lines
    return b"\r\n".join(line.removeprefix(b".") if line.startswith(b".") else line for line in lines)


@given(st.lists(st.sampled_from([b".", b"..", b"", b"a", b".a", b"...", b"a."]), min_size=1))
def test_leading_dots_come_through_and_none_ends_the_message(lines: list[bytes]) -> None:
    message = b"\r\n".join(lines) + b"\r\n"
    assert unstuffed(dot_stuffed(message)) == message
