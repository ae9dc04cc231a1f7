"""Open an SMTP session, as a generator: it yields bytes to write, and is sent the replies (RFC 5321 3.1).

It contains no socket and no clock. What follows in the session are mail transactions (transactions.py).
"""

from collections.abc import Generator
from dataclasses import dataclass

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.logins import Login, log_in
from digest.net.smtp.replies import Ask


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the server offers in this session, after TLS (RFC 5321 4.1.1.1)."""

    extensions: dict[str, str]

    def __contains__(self, name: str) -> bool:
        return name in self.extensions


Greeting = Generator[Ask, Reply, Capabilities | Outcome]


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
