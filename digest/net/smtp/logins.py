"""The ways to log in to a relay, as dialogues: PLAIN, LOGIN, CRAM-MD5 and XOAUTH2 (RFC 4954)."""

import base64
import binascii
import hmac
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.replies import Ask

Exchanged = Generator[Ask, Reply, Reply]


@dataclass(frozen=True, slots=True)
class Login:
    """What to authenticate with; never printed. A `token` (OAuth 2.0) is used where there is one."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def log_in(
    login: Login, mechanisms: list[str], *, may_show_password: bool
) -> Generator[Ask, Reply, Outcome | None]:
    """Log in by the first way that both sides know; return what went wrong, or None."""
    if not may_show_password:
        return Outcome(Stage.AUTH, None, fault="the password would go in the clear; use TLS")
    known = _BY_TOKEN if login.token else _BY_PASSWORD
    for name in known:
        if name in mechanisms:
            reply = yield from known[name](login)
            return None if reply.code == 235 else Outcome(Stage.AUTH, reply)
    offered, ours = " ".join(mechanisms) or "none", " ".join(known)
    fault = f"the relay offers no login that we know ({offered}; we know {ours})"
    return Outcome(Stage.AUTH, None, fault=fault)


def _plain(login: Login) -> Exchanged:
    """Log in by PLAIN (RFC 4616)."""
    return (yield _ask(b"AUTH PLAIN " + _encoded(f"\0{login.username}\0{login.password}")))


def _login(login: Login) -> Exchanged:
    """Log in by LOGIN, which has no standard but many servers."""
    reply = yield _ask(b"AUTH LOGIN")
    for secret in (login.username, login.password):
        if reply.code != 334:
            return reply
        reply = yield _ask(_encoded(secret))
    return reply


def _cram_md5(login: Login) -> Exchanged:
    """Log in by CRAM-MD5 (RFC 2195)."""
    reply = yield _ask(b"AUTH CRAM-MD5")
    if reply.code != 334:
        return reply
    try:
        challenge = base64.b64decode(reply.text, validate=True)
    except (binascii.Error, ValueError):
        return (yield _ask(b"*"))
    proof = hmac.new(login.password.encode(), challenge, "md5").hexdigest()
    return (yield _ask(_encoded(f"{login.username} {proof}")))


def _xoauth2(login: Login) -> Exchanged:
    """Log in by XOAUTH2: a refused token is told in a 334, which an empty line ends."""
    said = _encoded(f"user={login.username}\x01auth=Bearer {login.token}\x01\x01")
    reply = yield _ask(b"AUTH XOAUTH2 " + said)
    return (yield _ask(b"")) if reply.code == 334 else reply


_BY_PASSWORD: dict[str, Callable[[Login], Exchanged]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
}
_BY_TOKEN: dict[str, Callable[[Login], Exchanged]] = {"XOAUTH2": _xoauth2}


def _ask(line: bytes) -> Ask:
    return Ask(Stage.AUTH, line + b"\r\n")


def _encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())
