"""Each way to log in says what its standard says."""

import base64

import pytest

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.logins import Login, log_in

BY_PASSWORD = Login("tim", "tanstaaftanstaaf")
BY_TOKEN = Login("news@courier.example", token="ya29.vF9")


def talk(login: Login, mechanisms: str, *replies: str) -> tuple[list[str], Outcome | None]:
    """Return the lines of a dialogue and how it ended."""
    dialogue = log_in(login, mechanisms.split(), may_show_password=True)
    said = []
    answers = iter(replies)
    try:
        ask = next(dialogue)
        while True:
            said.append(ask.write.decode().removesuffix("\r\n"))
            code, _, text = next(answers).partition(" ")
            ask = dialogue.send(Reply(int(code), "", text))
    except StopIteration as ended:
        return said, ended.value


def test_cram_md5_proves_the_password_without_saying_it() -> None:
    challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"  # RFC 2195 2
    said, outcome = talk(BY_PASSWORD, "CRAM-MD5", f"334 {challenge}", "235 welcome")
    assert said == ["AUTH CRAM-MD5", base64.b64encode(b"tim b913a602c7eda7a495b4e6e7334d3890").decode()]
    assert outcome is None


def test_a_challenge_that_is_none_is_given_up() -> None:
    said, outcome = talk(BY_PASSWORD, "CRAM-MD5", "334 what?", "501 cancelled")
    assert said[-1] == "*"
    assert outcome is not None
    assert outcome.stage is Stage.AUTH


def test_a_token_goes_by_xoauth2() -> None:
    said, outcome = talk(BY_TOKEN, "PLAIN LOGIN XOAUTH2", "235 welcome")
    assert said == [
        "AUTH XOAUTH2 "
        + base64.b64encode(b"user=news@courier.example\x01auth=Bearer ya29.vF9\x01\x01").decode()
    ]
    assert outcome is None


def test_a_refused_tokens_reason_is_ended_by_an_empty_line_and_refused_then() -> None:
    said, outcome = talk(BY_TOKEN, "XOAUTH2", "334 eyJzdGF0dXMiOiI0MDEifQ==", "535 5.7.8 no")
    assert said[-1] == ""
    assert outcome is not None
    assert outcome.reply is not None
    assert outcome.reply.code == 535


@pytest.mark.parametrize(
    ("login", "mechanisms", "missing"),
    [
        (BY_PASSWORD, "XOAUTH2", "(XOAUTH2; we know PLAIN LOGIN CRAM-MD5)"),
        (BY_TOKEN, "PLAIN LOGIN", "(PLAIN LOGIN; we know XOAUTH2)"),
        (BY_TOKEN, "", "(none; we know XOAUTH2)"),
    ],
)
def test_a_relay_without_a_way_of_ours_says_what_it_offers(
    login: Login, mechanisms: str, missing: str
) -> None:
    _, outcome = talk(login, mechanisms)
    assert outcome is not None
    assert outcome.fault.endswith(missing)


def test_no_secret_is_printed() -> None:
    assert "tanstaaf" not in repr(BY_PASSWORD)
    assert "ya29" not in repr(BY_TOKEN)
