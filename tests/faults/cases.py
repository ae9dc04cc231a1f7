"""The thirty faults that an SMTP server may show, each as what a server does at which step, and what may follow.

Numbers are those of the list in docs/faults.md. Waits are a hundredth of what they are unless `SCALE` is 1. After
its fault a server is good, so that each edition comes to its end; where it never comes to that, the case says so.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.recording import FULL, Fault, Moment

SCALE = 0.01
MINUTE = 60 * SCALE


@dataclass(frozen=True)
class Case:
    """One way to misbehave: `fault` makes a fresh one for each edition.

    `repeats`: a reply to a final dot is lost, so a message may come twice. `refuses`: how many readers it
    refuses for good. `settings` are changed while it lasts.
    """

    number: int
    name: str
    fault: Callable[[], Fault]
    repeats: bool = False
    refuses: int = 0
    readers: int = 4
    extensions: tuple[str, ...] = FULL
    settings: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


def drop(_moment: Moment) -> bytes | None:
    """Close the connection."""
    raise ConnectionError


def reset(moment: Moment) -> bytes | None:
    """Close the connection with an RST."""
    moment.wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    raise ConnectionError


def says(*lines: str | bytes) -> Fault:
    """Answer with these lines."""
    said = b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n" for line in lines)
    return lambda _moment: said


def waits(minutes: float, then: Fault | None = None) -> Fault:
    """Wait, then go on, or do something else."""

    def fault(moment: Moment) -> bytes | None:
        time.sleep(minutes * MINUTE)
        return then(moment) if then else None

    return fault


def part(said: bytes) -> Fault:
    """Send half of a reply and close."""

    def fault(moment: Moment) -> bytes | None:
        moment.wire.send(said)
        raise ConnectionError

    return fault


def slowly(said: bytes) -> Fault:
    """Send a reply one byte at a time."""

    def fault(moment: Moment) -> bytes | None:
        for byte in said:
            moment.wire.send(bytes([byte]))
            time.sleep(0.002)
        return b""

    return fault


def hangs(moment: Moment) -> bytes | None:
    """Send and read nothing more until the client has gone."""
    moment.wire.socket.settimeout(20 * MINUTE)
    try:
        while moment.wire.socket.recv(1):
            time.sleep(0.01)
    except OSError:
        pass
    raise ConnectionError


def at(
    step: str, action: Fault, *, first: int = 0, times: int | None = 1, of: str = ""
) -> Callable[[], Fault]:
    """Make a fault that acts at one step, from its n-th on, so many times, for one recipient or any."""

    def make() -> Fault:
        seen = 0

        def fault(moment: Moment) -> bytes | None:
            nonlocal seen
            if moment.step != step or (of and not any(of in line for line in moment.transaction.rcpts)):
                return None
            seen += 1
            acts = seen > first and (times is None or seen <= first + times)
            return action(moment) if acts else None

        return fault

    return make


def each_connection(step: str, most: int, action: Fault) -> Callable[[], Fault]:
    """Make a fault that acts on each connection after so many steps."""

    def make() -> Fault:
        seen: dict[int, int] = {}

        def fault(moment: Moment) -> bytes | None:
            if moment.step != step:
                return None
            key = id(moment.wire)
            seen[key] = seen.get(key, 0) + 1
            return action(moment) if seen[key] > most else None

        return fault

    return make


def both(*makers: Callable[[], Fault]) -> Callable[[], Fault]:
    """Make several faults at once; the first that answers does."""

    def make() -> Fault:
        faults = [maker() for maker in makers]
        return lambda moment: next((said for fault in faults if (said := fault(moment)) is not None), None)

    return make


def half_a_message(moment: Moment) -> bytes | None:
    """Ask for a message, take a little of it and close."""
    moment.wire.send("354 go")
    moment.wire.socket.recv(10)
    raise ConnectionError


def takes_no_more(moment: Moment) -> bytes | None:
    """Ask for a message and read hardly any of it."""
    moment.wire.send("354 go")
    return hangs(moment)


def never_enough(moment: Moment) -> bytes | None:
    """Ask for more of a login again and again."""
    for _ in range(100):
        moment.wire.send("334 YWdhaW4=")
        if not moment.wire.line():
            break
    raise ConnectionError


def partway(moment: Moment) -> bytes | None:
    """Refuse a message of which something has come."""
    moment.wire.send("354 go")
    moment.wire.line()
    moment.wire.send("552 5.3.4 too big")
    moment.wire.whole_content()
    return b""


def early(moment: Moment) -> bytes | None:
    """Refuse a message as soon as it is asked for."""
    moment.wire.send("354 go", "552 5.3.4 too big")
    moment.wire.whole_content()
    return b""


def out_of_step(moment: Moment) -> bytes | None:
    """Send two replies to one command, once."""
    return b"250 kept\r\n250 kept too\r\n"


DATA = ("PIPELINING", "SIZE 10000000")
LOCKSTEP = ("SIZE 10000000",)
LOGIN = {"DIGEST_SMTP__USERNAME": "courier", "DIGEST_SMTP__PASSWORD": "hush hush"}
STARTTLS = {"DIGEST_SMTP__SECURITY": "starttls"}
BUSY = says("421 4.3.2 too busy, come again")
GREY = says("450 4.7.1 greylisted, come again in 5 minutes")
HOSTILE = says(b"550 5.1.1 \x1b[2J\x1b]0;owned\x07 \x00\r\x0b \xff\xfe \xe2\x80\xae gone\r\n")

CASES = [
    Case(1, "no banner", at("banner", hangs)),
    Case(1, "banner after 4 minutes", at("banner", waits(4))),
    Case(1, "421 banner", at("banner", BUSY)),
    Case(1, "554 banner", at("banner", says("554 5.7.1 not you"))),
    Case(2, "EHLO refused", at("EHLO", says("502 5.5.1 no"), times=None)),
    Case(2, "EHLO and HELO refused", both(at("EHLO", says("502 no")), at("HELO", says("502 no")))),
    Case(3, "EHLO lists nothing", at("EHLO", says("250 relay.example"), times=None)),
    Case(3, "EHLO lists garbage", at("EHLO", says("250-relay", "250-=", b"250-\x01\xff\r\n", "250 SIZE many"), times=None)),
    Case(3, "EHLO lists 10,000 lines", at("EHLO", says(b"250-WHATEVER\r\n" * 10_000 + b"250 END\r\n"))),
    Case(3, "a line of 1 MB", at("EHLO", says(b"250-" + b"x" * 1_000_000 + b"\r\n250 END\r\n"))),
    *(Case(4, f"dropped at {step}", at(step, drop), extensions=DATA) for step in ("EHLO", "MAIL", "RCPT", "DATA")),
    Case(4, "dropped in the middle of a message", at("DATA", half_a_message), extensions=DATA),
    Case(4, "reset at RCPT", at("RCPT", reset)),
    Case(5, "dropped after the dot, the message kept", at("dot", drop), repeats=True),
    Case(5, "dropped after the dot, kept, in lock-step", at("dot", drop), repeats=True, extensions=LOCKSTEP),
    Case(6, "dropped after the dot, the message lost", at("content", drop), repeats=True),
    Case(7, "250 after 9 minutes", at("dot", waits(9))),
    Case(8, "250 after 11 minutes", at("dot", waits(11)), repeats=True),
    Case(9, "half a reply", at("dot", part(b"25")), repeats=True),
    Case(9, "a reply that never ends", at("dot", part(b"250-kept\r\n")), repeats=True),
    Case(9, "carriage returns only", at("dot", part(b"250 kept\r")), repeats=True),
    Case(9, "line feeds only", at("dot", says(b"250 kept\n"), times=None)),
    Case(10, "421 at RCPT", at("RCPT", BUSY)),
    Case(10, "421 at DATA", at("DATA", BUSY), extensions=DATA),
    Case(10, "421 at the dot", at("content", BUSY)),
    Case(11, "greylisted, then accepted", at("RCPT", GREY, times=2)),
    Case(11, "greylisted after the dot", at("content", GREY, times=2)),
    Case(12, "452 after two messages a connection", each_connection("MAIL", 2, says("452 4.5.3 too many on this connection"))),
    Case(12, "451 after two messages a connection", each_connection("MAIL", 2, says("451 4.7.0 rate limited"))),
    Case(13, "an unknown reader", at("RCPT", says("550 5.1.1 no such mailbox"), times=None, of="r1@"), refuses=1),
    Case(14, "552 after the dot", at("content", says("552 5.3.4 too big")), refuses=1),
    Case(14, "554 after the dot", at("content", says("554 5.7.1 spam")), refuses=1),
    Case(14, "the policy of all", at("content", says("550 5.7.515 access denied, not authenticated"), times=20), readers=40),
    Case(15, "550 at MAIL", at("MAIL", says("550 5.7.1 sender not allowed"))),
    Case(15, "530 at MAIL", at("MAIL", says("530 5.7.0 log in first"))),
    Case(15, "535 at AUTH", both(at("EHLO", says("250-relay", "250 AUTH PLAIN"), times=None), at("AUTH", says("535 5.7.8 no"))), settings=LOGIN),
    Case(16, "551", at("RCPT", says("551 5.1.6 user not local; try <else@where.example>")), refuses=1),
    Case(16, "251 and 252", both(at("RCPT", says("251 will forward")), at("RCPT", says("252 cannot verify"), first=1))),
    Case(17, "codes that differ in one reply", at("RCPT", says("250-ok", "550 no"))),
    Case(17, "999", at("RCPT", says("999 what"))),
    Case(17, "a negative number", at("RCPT", says("-50 no"))),
    Case(17, "eight bits and controls", at("RCPT", HOSTILE), refuses=1),
    Case(17, "a line of 64 kB", at("RCPT", says(b"550 " + b"x" * 60_000 + b"\r\n")), refuses=1),
    Case(17, "codes that differ after the dot", at("dot", says("250-kept", "451 not kept")), repeats=True),
    Case(18, "550 4.2.1", at("RCPT", says("550 4.2.1 over quota")), refuses=1),
    Case(18, "450 5.1.1", at("RCPT", says("450 5.1.1 no such mailbox"))),
    Case(19, "STARTTLS refused after it was offered", both(at("EHLO", says("250-relay", "250 STARTTLS"), times=None), at("STARTTLS", says("454 4.7.0 not now"))), settings=STARTTLS),
    Case(19, "STARTTLS not offered", at("EHLO", says("250 relay")), settings=STARTTLS),
    Case(19, "garbage after 220", both(at("EHLO", says("250-relay", "250 STARTTLS"), times=None), at("STARTTLS", part(b"220 go\r\n\0\1garbage"))), settings=STARTTLS),
    Case(19, "dropped in the handshake", both(at("EHLO", says("250-relay", "250 STARTTLS"), times=None), at("STARTTLS", part(b"220 go\r\n"))), settings=STARTTLS),
    Case(19, "plaintext slipped in", both(at("EHLO", says("250-relay", "250 STARTTLS"), times=None), at("STARTTLS", part(b"220 go\r\n250 AUTH PLAIN\r\n"))), settings=STARTTLS),
    Case(20, "endless 334", both(at("EHLO", says("250-relay", "250 AUTH LOGIN"), times=None), at("AUTH", never_enough)), settings=LOGIN),
    Case(20, "454 at AUTH", both(at("EHLO", says("250-relay", "250 AUTH PLAIN"), times=None), at("AUTH", says("454 4.7.0 later"))), settings=LOGIN),
    Case(20, "no login that we know", at("EHLO", says("250-relay", "250 AUTH GSSAPI")), settings=LOGIN),
    Case(21, "replies split per byte", both(at("RCPT", slowly(b"250 ok\r\n"), times=None), at("dot", slowly(b"250 kept\r\n"), times=None))),
    Case(21, "an extra reply after a message", at("dot", out_of_step)),
    Case(21, "an extra reply at RCPT", at("RCPT", says("250 ok", "250 ok too"))),
    Case(22, "refused before it is written", at("DATA", early), extensions=DATA),
    Case(22, "refused while still written", at("DATA", partway), refuses=1, extensions=DATA),
    Case(23, "354, then closed", at("DATA", part(b"354 go\r\n")), extensions=DATA),
    Case(24, "reads nothing more", at("DATA", hangs), extensions=DATA),
    Case(24, "reads a byte at a time after 354", at("DATA", takes_no_more), extensions=DATA, repeats=True),
    Case(25, "QUIT never answered", at("QUIT", hangs, times=None)),
    Case(25, "reset at QUIT", at("QUIT", reset, times=None)),
    Case(26, "RSET refused", both(at("RCPT", says("550 5.1.1 no such mailbox")), at("RSET", says("502 5.5.1 what"), times=None)), refuses=1),
    Case(27, "421 after two messages a connection", each_connection("MAIL", 2, says("421 4.7.0 enough on this connection"))),
    Case(30, "the greeting of SSH", at("banner", says("SSH-2.0-OpenSSH_9.2"))),
    Case(30, "the greeting of HTTP", at("banner", says("HTTP/1.1 400 Bad Request", "Server: x", "", "<html>"))),
    Case(30, "the greeting of IMAP", at("banner", says("* OK IMAP4rev1 ready"))),
]  # fmt: skip

ELSEWHERE = {
    28: "tests/journeys/test_return_paths.py: a server that bounces later sends to a return path that tells whose it is",
    29: "tests/faults/test_smtp_faults.py: an address that is dead stops nobody while another is alive",
}
"""Faults that are no server's doing at one of its steps, and where they are tested."""
