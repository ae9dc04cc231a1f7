"""The SMTP dialogue as generators: each yields bytes to write, and is sent the reply (RFC 5321).

They contain no socket and no clock. Deliveries use them up to the login, and then exchange.py, which writes
the final dot apart from the message.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.logins import Login, log_in
from digest.net.smtp.replies import Ask

ENVELOPE = (Stage.MAIL, Stage.RCPT, Stage.DATA)
"""The commands of an envelope, in order."""

_NOT_ASCII = Reply(553, "5.6.7", "the address is not ASCII and the server offers no SMTPUTF8")


class Envelope(NamedTuple):
    """The sender and recipient of a message as SMTP transmits them (RFC 5321 2.3.1)."""

    mail_from: str
    rcpt_to: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the server offers in this session, after TLS (RFC 5321 4.1.1.1)."""

    extensions: dict[str, str]

    def __contains__(self, name: str) -> bool:
        return name in self.extensions


Greeting = Generator[Ask, Reply, Capabilities | Outcome]
HandOver = Generator[Ask, Reply, Outcome]


def greet(ehlo_name: str, *, starttls: bool, login: Login, may_show_password: bool) -> Greeting:
    """Open a session, from its banner until it accepts mail: EHLO, STARTTLS if wanted, AUTH.

    Nothing offered before TLS counts after it (RFC 3207 4.2). Credentials are never sent unencrypted unless
    the relay is on this machine.
    """
    banner = yield Ask(Stage.BANNER)
    if banner.code != 220:
        return Outcome(Stage.BANNER, banner)
    offer = yield from _ehlo(ehlo_name)
    if isinstance(offer, Outcome):
        return offer
    if starttls:
        offer = yield from _start_tls(ehlo_name, offer)
        if isinstance(offer, Outcome):
            return offer
    if login.username:
        mechanisms = offer.extensions.get("AUTH", "").upper().split()
        refusal = yield from log_in(login, mechanisms, may_show_password=may_show_password)
        if refusal is not None:
            return refusal
    return offer


def hand_over(envelope: Envelope, message: bytes, offer: Capabilities) -> HandOver:
    """Send one message in lock-step: MAIL, RCPT, DATA, the message and its final dot.

    `message` has CRLF line ends. After a refusal the session is reset for the next message.
    """
    refusal = refuse_unsaid(envelope, offer)
    if refusal is not None:
        return refusal
    for stage, line in zip(ENVELOPE, envelope_lines(envelope, len(message), offer), strict=True):
        reply = yield Ask(stage, line)
        good = reply.code == 354 if stage is Stage.DATA else 200 <= reply.code < 300
        if not good:
            return Outcome(stage, reply)
    reply = yield Ask(Stage.DOT, dot_stuffed(message), ends=True)
    return Outcome(Stage.DOT, reply, dot_left=True)


def refuse_unsaid(envelope: Envelope, offer: Capabilities) -> Outcome | None:
    """Refuse an address that this server cannot accept: only that recipient fails (RFC 6531 3.2)."""
    if _is_ascii(envelope) or "SMTPUTF8" in offer:
        return None
    return Outcome(Stage.RCPT, _NOT_ASCII)


def envelope_lines(envelope: Envelope, size: int, offer: Capabilities) -> tuple[bytes, bytes, bytes]:
    """Return the commands before a message's content, those of the steps in `ENVELOPE`."""
    stated = f" SIZE={size}" if "SIZE" in offer else ""
    beyond_ascii = "" if _is_ascii(envelope) else " SMTPUTF8"
    mail = f"MAIL FROM:<{envelope.mail_from}>{stated}{beyond_ascii}\r\n"
    return mail.encode(), f"RCPT TO:<{envelope.rcpt_to}>\r\n".encode(), b"DATA\r\n"


def _is_ascii(envelope: Envelope) -> bool:
    return envelope.rcpt_to.isascii() and envelope.mail_from.isascii()


def dot_stuffed(message: bytes) -> bytes:
    """Return the message as it is transmitted, with its final dot (RFC 5321 4.5.2)."""
    needs_it = message.startswith(b".") or b"\n." in message
    stuffed = re.sub(rb"(?m)^\.", b"..", message) if needs_it else message
    return (stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n") + b".\r\n"


def _ehlo(name: str) -> Greeting:
    reply = yield Ask(Stage.EHLO, f"EHLO {name}\r\n".encode("ascii", "replace"))
    if reply.code == 250:
        return Capabilities(_extensions(reply.text))
    if reply.code < 500 or reply.code == 554:
        return Outcome(Stage.EHLO, reply)
    reply = yield Ask(Stage.EHLO, f"HELO {name}\r\n".encode("ascii", "replace"))
    return Capabilities({}) if reply.code == 250 else Outcome(Stage.EHLO, reply)


def _extensions(text: str) -> dict[str, str]:
    found = {}
    for line in text.split("\n")[1:100]:
        keyword, _, parameter = line.partition(" ")
        # Old servers write "AUTH=PLAIN LOGIN".
        keyword, _, more = keyword.partition("=")
        found[keyword.upper()] = f"{more} {parameter}".strip()
    return found


def _start_tls(ehlo_name: str, offer: Capabilities) -> Greeting:
    if "STARTTLS" not in offer:
        return Outcome(
            Stage.STARTTLS, None, fault="the relay offers no STARTTLS, and the settings ask for it"
        )
    reply = yield Ask(Stage.STARTTLS, b"STARTTLS\r\n")
    if reply.code != 220:
        return Outcome(Stage.STARTTLS, reply)
    yield Ask(Stage.STARTTLS, upgrade=True)
    return (yield from _ehlo(ehlo_name))
