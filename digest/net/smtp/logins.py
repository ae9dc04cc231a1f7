"""SMTP logins as dialogues: PLAIN, LOGIN, CRAM-MD5 and XOAUTH2 (RFC 4954)."""

import base64
import binascii
import hmac
import html
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from digest.models import Outcome, Reply, Stage
from digest.net.smtp.replies import Ask

Exchanged = Generator[Ask, Reply, Reply]

_HIDDEN = "[secret]"
_SHORTEST_FRAGMENT = 4
_FEWEST_DIGITS = 8  # shorter ones may be any number
_BASE64 = "[A-Za-z0-9+/=_-]*"


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials; never printed. A `token` (OAuth 2.0) is used if there is one."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def log_in(
    login: Login, mechanisms: list[str], *, may_show_password: bool
) -> Generator[Ask, Reply, Outcome | None]:
    """Log in by the first mechanism that both sides support; return what went wrong, or None."""
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
    """Log in by XOAUTH2: a refused token is reported in a 334, which an empty line must answer."""
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


def redactor(login: Login) -> Callable[[str], str] | None:
    """Return a function that removes a login's password or token from a text; None if it has neither.

    It removes the secret itself, its URL-encoded, HTML and hexadecimal forms, and each run of base64 that
    contains it at any offset, as AUTH PLAIN and XOAUTH2 send it, also if that is encoded once more:
    `535 AHVzZXIAaHVudGVyMg== refused` becomes `535 [secret] refused`. None turns a text round.
    """
    secrets = [secret for secret in (login.password, login.token) if secret]
    if not secrets:
        return None
    plain = {re.escape(form) for secret in secrets for form in _forms(secret)}
    once = {fragment for secret in secrets for fragment in _fragments(secret)}
    twice = {fragment for known in once for fragment in _fragments(known)}
    encoded = {_BASE64 + re.escape(fragment) + _BASE64 for fragment in once | twice}
    pattern = re.compile("|".join([*sorted(encoded), *sorted(plain, key=len, reverse=True)]))
    return lambda text: pattern.sub(_HIDDEN, text)


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, as HTML, in hexadecimal, and URL-encoded: `%2B` or `%2b`, blanks as `%20` or
    `+`."""
    encoded = {quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in encoded}
    digits = secret.encode().hex()
    hexadecimal = {digits, digits.upper()} if len(digits) >= _FEWEST_DIGITS else set()
    return {secret, html.escape(secret), *hexadecimal, *encoded, *lower}


def _fragments(secret: str) -> set[str]:
    """Return the base64 characters that the secret alone determines, for each of its three offsets."""
    raw = secret.encode()
    found = set()
    for offset in range(3):
        blob = base64.b64encode(b"\0" * offset + raw).decode()
        fragment = blob[(offset * 8 + 5) // 6 : (offset + len(raw)) * 8 // 6]
        if len(fragment) >= _SHORTEST_FRAGMENT:
            found |= {fragment, fragment.translate(str.maketrans("+/", "-_"))}
    whole = base64.b64encode(raw).decode().rstrip("=")
    return found | {whole} if len(whole) >= _SHORTEST_FRAGMENT else found
