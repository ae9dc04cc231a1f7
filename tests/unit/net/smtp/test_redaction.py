"""A login that a relay echoes is in nothing that we keep of its replies."""

import base64
import socket
import threading
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.models import Outcome
from digest.net.smtp import Login, Relay, open_connection
from digest.net.smtp.logins import redactor
from digest.net.smtp.replies import ReplyReader
from digest.rules.delivery.reply_verdicts import describe

PASSWORD = "hunter2+/Zeitung"


def blob(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "echo",
    [
        PASSWORD,
        f"user editor password {PASSWORD} is wrong",
        quote(PASSWORD, safe=""),
        blob(PASSWORD),
        blob(f"\0editor\0{PASSWORD}"),
        blob(f"\0e\0{PASSWORD}"),
        f"AUTH PLAIN {blob(chr(0) + 'ed' + chr(0) + PASSWORD)} refused",
        base64.urlsafe_b64encode(f"e:{PASSWORD}".encode()).decode(),
        blob(blob(PASSWORD)),
        blob(blob(f"\0editor\0{PASSWORD}")),
        blob("x" + blob(f"\0e\0{PASSWORD}")),
        blob(f"AUTH PLAIN {blob(PASSWORD)}"),
        PASSWORD.encode().hex(),
        f"00{PASSWORD.encode().hex().upper()}00",
    ],
)
def test_no_form_of_the_password_is_left_in_a_reply(echo: str) -> None:
    (reply,) = ReplyReader(redactor(Login("editor", PASSWORD))).feed(f"535 5.7.8 {echo}\r\n".encode())

    assert "[secret]" in reply.text
    assert PASSWORD not in reply.text
    assert not any(PASSWORD in found for found in decoded(reply.text))
    assert (reply.code, reply.enhanced) == (535, "5.7.8")


@given(
    password=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=4),
    user=st.text(max_size=5),
)
def test_the_blob_of_auth_plain_never_tells_the_password(password: str, user: str) -> None:
    redact = redactor(Login(user, password))
    assert redact is not None
    text = redact(f"refused {blob(chr(0) + user + chr(0) + password)} and {password}")

    assert (
        password not in text.replace("[secret]", "").replace("refused", "").replace("and", "")
        or not password.strip()
    )
    assert not any(password in found for found in decoded(text))


@pytest.mark.parametrize(
    "echo", ["a+c%26d%2Fe", "a%20c%26d%2fe", "a+c%26d%2fe", "a c&amp;d/e", "a%20c%26d%2Fe", "a c&d/e"]
)
def test_no_form_of_a_password_in_a_url_or_in_html_is_left(echo: str) -> None:
    redact = redactor(Login("editor", "a c&d/e"))
    assert redact is not None
    assert redact(f"535 user=editor&pass={echo} refused") == "535 user=editor&pass=[secret] refused"


def test_a_token_is_cut_out_and_what_holds_no_secret_stays() -> None:
    redact = redactor(Login("editor", token="ya29.long-token"))
    assert redact is not None

    assert redact("334 " + blob("user=editor\x01auth=Bearer ya29.long-token\x01\x01")) == "334 [secret]"
    assert redact("250 2.0.0 queued as 4abCdEf12=") == "250 2.0.0 queued as 4abCdEf12="
    assert redactor(Login("editor")) is None


def test_a_relay_that_echoes_the_login_is_described_without_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=echo_login, args=(server,))
        thread.start()
        relay = Relay("127.0.0.1", server.getsockname()[1], username="editor", password=PASSWORD)
        outcome = open_connection(relay)
        thread.join()

    assert isinstance(outcome, Outcome)
    assert describe(outcome) == "auth: 535 5.7.8 AUTH PLAIN [secret] is refused"


def echo_login(server: socket.socket) -> None:
    wire, _ = server.accept()
    with wire, wire.makefile("rb") as lines:
        wire.sendall(b"220 mail.example ESMTP\r\n")
        lines.readline()
        wire.sendall(b"250-mail.example\r\n250 AUTH PLAIN\r\n")
        said = lines.readline().strip()
        wire.sendall(b"535 5.7.8 " + said + b" is refused\r\n")
        lines.readline()


def decoded(text: str) -> list[str]:
    """Decode each word as base64 at each offset, as whoever looks for a password would."""
    found = []
    for word in text.split():
        for start in range(4):
            piece = word[start:].rstrip("=").replace("-", "+").replace("_", "/")
            try:
                raw = base64.b64decode(piece + "=" * (-len(piece) % 4))
            except ValueError:
                continue
            found.append(raw.decode("latin-1"))
    return found
