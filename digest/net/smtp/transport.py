"""The sockets around the dialogue; every failure of a server becomes an Outcome."""

import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.logins import Login, redactor
from digest.net.smtp.replies import Ask, BadReplyError, ReplyReader
from digest.net.smtp.session import Capabilities, Greeting, greet
from digest.net.smtp.tls import tls_context
from digest.net.smtp.transactions import Envelope, HandOver, hand_over

_CHUNK = 65_536
_QUIT_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each step (RFC 5321 4.5.3.2)."""

    connect: float = 30
    banner: float = 300
    command: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600

    def of(self, stage: Stage) -> float:
        """Return how long to wait for the reply of a step."""
        known = {Stage.BANNER: self.banner, Stage.DATA: self.data, Stage.DOT: self.dot}
        return known.get(stage, self.command)


@dataclass(frozen=True, slots=True)
class Relay:
    """The server that accepts our messages."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    token_file: str | None = None
    ehlo_name: str = "localhost"
    ca_file: str | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def login(self) -> Login:
        """Return the login; a token is read from its file each time, because another program renews it."""
        if self.token_file is None:
            return Login(self.username, self.password)
        return Login(self.username, token=Path(self.token_file).read_text(encoding="utf-8").strip())

    def encrypt(self, plain: socket.socket) -> ssl.SSLSocket:
        """Begin TLS on a connected socket: trust the system's authorities, or `ca_file`, and verify the
        host's name."""
        return tls_context(self.ca_file).begin(plain, self.host)


class _LostError(Exception):
    """The connection is lost; the text says how."""


class Connection:
    """One SMTP connection, ready for mail; `usable` until it is lost or the server ends it."""

    def __init__(self, relay: Relay, wire: socket.socket) -> None:
        self._relay = relay
        self._wire = wire
        self._reader = ReplyReader()
        self._replies: list[Reply] = []
        self._offer = Capabilities({})
        self._dot_left = False
        self._needs_reset = False
        self.usable = True

    def begin(self) -> Outcome | None:
        """Open the session; return what went wrong, or None if the server accepts mail."""
        relay = self._relay
        try:
            login = relay.login
        except (OSError, UnicodeError) as error:
            return Outcome(Stage.AUTH, None, fault=f"the token file cannot be read ({fault_name(error)})")
        self._reader.redact = redactor(login)
        dialogue = greet(
            relay.ehlo_name,
            starttls=relay.security == "starttls",
            login=login,
            may_show_password=relay.security != "none" or _is_loopback(self._wire),
        )
        ended = self._drive(dialogue, Stage.BANNER)
        if isinstance(ended, Capabilities) and (self._replies or self._reader.pending):
            ended = Outcome(Stage.EHLO, None, fault="the server spoke out of turn")
        if isinstance(ended, Capabilities):
            self._offer = ended
            if isinstance(self._wire, ssl.SSLSocket):
                tls_context(relay.ca_file).keep(self._wire)
            return None
        self.usable = False
        return ended

    def submit(self, envelope: Envelope, message: bytes) -> Outcome:
        """Send one message; whatever the server does, an Outcome says how far it came."""
        self._dot_left = False
        if self._needs_reset and not self._reset():
            return Outcome(Stage.MAIL, None, fault="the connection was lost between two messages")
        outcome = self._drive(hand_over(envelope, message, self._offer), Stage.MAIL)
        assert isinstance(outcome, Outcome)  # noqa: S101 - hand_over gives nothing else
        if outcome.reply is not None and outcome.reply.code == 421:
            self.usable = False
        self._needs_reset = not outcome.accepted
        return outcome

    @property
    def offer(self) -> Capabilities:
        """Return the server's capabilities."""
        return self._offer

    @property
    def redact(self) -> Callable[[str], str] | None:
        """Return the function that removes the login from replies; None without a login."""
        return self._reader.redact

    def detach(self) -> socket.socket:
        """Hand over the socket after the greeting, with nothing unread."""
        self.usable = False
        return self._wire

    def close(self) -> None:
        """Send QUIT and close; what was accepted stays accepted, whatever the server replies."""
        try:
            if self.usable:
                self._wire.settimeout(_QUIT_PATIENCE)
                self._wire.sendall(b"QUIT\r\n")
                self._wire.recv(_CHUNK)
        except OSError:
            pass  # nothing depends on the answer to QUIT (RFC 5321 4.1.1.10)
        finally:
            self._wire.close()

    def _reset(self) -> bool:
        try:
            reply = self._ask(Ask(Stage.MAIL, b"RSET\r\n"))
        except _LostError:
            self.usable = False
            return False
        self.usable = reply.code == 250
        self._needs_reset = False
        return self.usable

    def _drive(self, dialogue: Greeting | HandOver, stage: Stage) -> Capabilities | Outcome:
        try:
            ask = next(dialogue)
            while True:
                stage = ask.stage
                ask = dialogue.send(self._upgrade() if ask.upgrade else self._ask(ask))
        except StopIteration as ended:
            result: Capabilities | Outcome = ended.value
            return result
        except _LostError as lost:
            self.usable = False
            return Outcome(stage, None, dot_left=self._dot_left, fault=str(lost))

    def _ask(self, ask: Ask) -> Reply:
        if ask.write and (self._replies or self._reader.pending):
            raise _LostError("the server spoke out of turn")
        if ask.write:
            early = self._write(ask)
            if early is not None:
                return early
        return self._read(self._relay.timeouts.of(ask.stage))

    def _write(self, ask: Ask) -> Reply | None:
        """Write everything; return the reply that arrives before the message is complete, if any."""
        left = memoryview(ask.write)
        end = time.monotonic() + self._relay.timeouts.block
        while left:
            if ask.ends and len(left) <= _CHUNK:
                self._dot_left = True
            if ask.ends and len(left) > _CHUNK and select.select([self._wire], [], [], 0)[0]:
                return self._refused_early()
            self._wire.settimeout(max(0.01, end - time.monotonic()))
            try:
                written = self._wire.send(left[:_CHUNK])
            except OSError as error:
                raise _LostError(f"lost while writing ({fault_name(error)})") from None
            if time.monotonic() > end:
                raise _LostError("too slow in taking what is written")
            left = left[written:]
        return None

    def _refused_early(self) -> Reply:
        reply = self._read(self._relay.timeouts.dot)
        self.usable = False  # half a message has been sent: nothing else can follow
        return reply

    def _read(self, seconds: float) -> Reply:
        end = time.monotonic() + seconds
        while not self._replies:
            self._wire.settimeout(max(0.01, end - time.monotonic()))
            try:
                received = self._wire.recv(_CHUNK)
            except OSError as error:
                raise _LostError(f"no reply ({fault_name(error)})") from None
            if not received:
                raise _LostError("the server closed the connection")
            try:
                self._replies = self._reader.feed(received)
            except BadReplyError as bad:
                raise _LostError(str(bad)) from None
            if not self._replies and time.monotonic() > end:
                raise _LostError("no reply in time")
        return self._replies.pop(0)

    def _upgrade(self) -> Reply:
        if self._replies or self._reader.pending:
            raise _LostError("the server slipped plaintext in before TLS")
        self._wire.settimeout(self._relay.timeouts.command)
        try:
            self._wire = self._relay.encrypt(self._wire)
        except (OSError, ValueError) as error:
            raise _LostError(f"TLS failed ({fault_name(error)})") from None
        return Reply(220, "", "")


def open_connection(relay: Relay) -> Connection | Outcome:
    """Connect and greet; an Outcome describes a failure. Every address of the host is tried."""
    try:
        wire = socket.create_connection((relay.host, relay.port), relay.timeouts.connect)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, UnicodeError) as error:
        return Outcome(Stage.CONNECT, None, fault=fault_name(error))
    if relay.security == "tls":
        try:
            wire = relay.encrypt(wire)
        except (OSError, ValueError) as error:
            wire.close()
            return Outcome(Stage.STARTTLS, None, fault=f"TLS failed ({fault_name(error)})")
    connection = Connection(relay, wire)
    failed = connection.begin()
    if failed is not None:
        connection.close()
        return failed
    return connection


def ehlo_name(host: str) -> str:
    """Return the host's name if it is fully qualified, else an address literal (RFC 5321 4.1.3)."""
    return host if "." in host.strip(".") and host.isascii() else "[127.0.0.1]"


def _is_loopback(wire: socket.socket) -> bool:
    return ipaddress.ip_address(wire.getpeername()[0].partition("%")[0]).is_loopback


def fault_name(error: BaseException) -> str:
    """Describe in a few words what went wrong on a connection."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return (getattr(error, "strerror", None) or type(error).__name__).lower()
