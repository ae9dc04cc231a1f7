"""A login by XOAUTH2, and a wait by IDLE, at servers that say what a test needs."""

import socketserver
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digest.errors import Unreachable
from digest.net.inbound.imap import ImapAccount, open_folder

USER = "news@courier.example"
PASSWORD = "hunter2zeitung"


class _TokenServer(socketserver.StreamRequestHandler):
    """Speaks as much IMAP as a login by XOAUTH2 takes, and keeps what it was told."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] ready\r\n")
        while line := self.rfile.readline():
            tag, _, command = line.strip().partition(b" ")
            if command.upper().startswith(b"AUTHENTICATE"):
                self.wfile.write(b"+ \r\n")
                self.server.told.append(b64decode(self.rfile.readline()))  # type: ignore[attr-defined]
            elif command.upper() == b"CAPABILITY":
                self.wfile.write(b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n")
            elif command.upper().startswith((b"SELECT", b"EXAMINE")):
                self.wfile.write(b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] fine\r\n")
            self.wfile.write(tag + b" OK done\r\n")


class _RefusingServer(socketserver.StreamRequestHandler):
    """Refuses a token as Google and Microsoft do: by a challenge that has to be answered with an empty line."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] ready\r\n")
        while line := self.rfile.readline():
            tag, _, command = line.strip().partition(b" ")
            if command.upper() == b"CAPABILITY":
                self.wfile.write(b"* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n")
            elif command.upper().startswith(b"AUTHENTICATE"):
                self.wfile.write(b"+ \r\n")
                token = b64decode(self.rfile.readline()).partition(b"Bearer ")[2].strip(b"\1")
                self.wfile.write(
                    b"+ " + b64encode(b'{"status":"400","schemes":"bearer","scope":"mail"}') + b"\r\n"
                )
                self.server.told.append(self.rfile.readline().strip())  # type: ignore[attr-defined]
                self.wfile.write(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials " + token + b"\r\n")
                continue
            self.wfile.write(tag + b" OK done\r\n")


class _EchoingServer(socketserver.StreamRequestHandler):
    """Refuses a login by a password, and repeats it: as it is, in base64, and where a long line is cut."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while line := self.rfile.readline():
            tag, _, command = line.strip().partition(b" ")
            if command.upper() == b"CAPABILITY":
                self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n")
            elif command.upper().startswith(b"LOGIN"):
                self.server.told.append(b"login")  # type: ignore[attr-defined]
                filled = b"x" * self.server.filled  # type: ignore[attr-defined]
                plain = b64encode(b"\0news\0" + PASSWORD.encode())
                said = b"is wrong, " + plain + b" as well"
                self.wfile.write(tag + b" NO " + filled + PASSWORD.encode() + b" " + said + b"\r\n")
                continue
            self.wfile.write(tag + b" OK done\r\n")


class _HastyServer(socketserver.StreamRequestHandler):
    """Announces a message in the same breath with its answer to IDLE, and never again."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
        announced = False
        while line := self.rfile.readline():
            tag, _, command = line.strip().partition(b" ")
            if command.upper() == b"CAPABILITY":
                self.wfile.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
            elif command.upper() == b"IDLE":
                self.wfile.write(b"+ idling\r\n" + (b"" if announced else b"* 1 EXISTS\r\n"))
                announced = True
                self.rfile.readline()
            self.wfile.write(tag + b" OK done\r\n")


@contextmanager
def _served(
    speaking: type[socketserver.StreamRequestHandler], token: Path | None = None, filled: int = 0
) -> Iterator[tuple[ImapAccount, list[bytes]]]:
    """Serve an account, opened by a password or a token in a file; return it, and what the server is told."""
    told: list[bytes] = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), speaking) as server:
        server.told, server.filled = told, filled  # type: ignore[attr-defined]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port, secret = server.server_address[1], "" if token else PASSWORD
        try:
            yield ImapAccount("127.0.0.1", port, "none", USER, secret, token, None, "INBOX", ""), told
        finally:
            server.shutdown()


def test_mail_that_is_announced_together_with_the_answer_to_idle_is_not_waited_for() -> None:
    stopping = threading.Event()
    with _served(_HastyServer) as (account, _), open_folder(account) as folder:
        waiting = threading.Thread(target=folder.wait, args=(stopping,), daemon=True)
        waiting.start()
        waiting.join(20)
        still_waits = waiting.is_alive()
        stopping.set()
        waiting.join(20)
    assert not still_waits


def test_a_token_is_read_anew_at_each_login(tmp_path: Path) -> None:
    token = tmp_path / "token"
    with _served(_TokenServer, token) as (account, told):
        for value in ("first-token", "second-token"):
            token.write_text(value + "\n")
            with open_folder(account):
                pass

    assert told == [f"user={USER}\1auth=Bearer {value}-token\1\1".encode() for value in ("first", "second")]
    with pytest.raises(Unreachable, match="cannot be read"), open_folder(account):
        pass


def test_a_refused_token_is_told_with_its_status_and_never_shown(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("an-expired-token\n")
    with (
        _served(_RefusingServer, token) as (account, told),
        pytest.raises(Unreachable, match="token is refused, status 400") as refused,
        open_folder(account),
    ):
        pass

    assert told == [b""]
    assert "an-expired-token" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"two words", "tök€n".encode(), b"\xff\xfe", b"one\nline more"])
def test_a_file_without_a_token_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    token = tmp_path / "token"
    token.write_bytes(content)
    with _served(_TokenServer, token) as (account, told):
        with pytest.raises(Unreachable, match="holds no token"), open_folder(account):
            pass
        assert told == []


@pytest.mark.parametrize("filled", [0, *range(215, 300, 3)])
def test_a_server_that_repeats_the_password_is_told_without_it(filled: int) -> None:
    with (
        _served(_EchoingServer, filled=filled) as (account, told),
        pytest.raises(Unreachable, match="cannot be read") as refused,
        open_folder(account),
    ):
        pass

    assert told == [b"login"]
    assert "hunter" not in str(refused.value)
    assert b64encode(PASSWORD.encode()).decode()[:6] not in str(refused.value)
    assert b64encode(b"\0news\0" + PASSWORD.encode()).decode()[8:14] not in str(refused.value)
