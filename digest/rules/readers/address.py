"""What makes a mail address valid, and two addresses equal."""

import re
import unicodedata
from dataclasses import dataclass

import email_validator
from email_validator import EmailNotValidError

from digest.errors import InputError
from digest.safe_text import printable

# The library's documented switch. Intranets use `localhost` and `.local`, tests `.test`: whether a domain
# accepts mail is for the relay to say.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_SHOWN = 80
LONGEST_NAME = 200

# Invisible characters that pages and spreadsheets leave in addresses: soft hyphens, zero-width spaces,
# directional and byte order marks. None is ever part of one. Joiners beside letters of Persian or Hindi are
# (RFC 5892, appendix A): without them the domain is another one, so they stay, and the library refuses them.
# A directional override inside an address (U+202E) is a trick, and refused.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])"
)
_AS_ASCII = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3002: ord(".")}
"""The wide forms of ASCII that a Japanese or Chinese keyboard types."""

_AROUND = frozenset({"Zs", "Cf"})

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# ASCII that RFC 5321 4.1.2 allows without quotes; anything like an A-label ("--") is left to the library.
_PLAIN = re.compile(
    rf"(?!.*--)(?=[^@]{{1,64}}@.{{1,253}}$){_ATEXT}(?:\.{_ATEXT})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}"
)
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Address:
    """An address to write to, and the key that is the same for equal addresses."""

    address: str
    key: str


def normalise(text: str) -> Address:
    """Parse one bare address; raise InputError saying why it is not valid.

    The domain becomes a lower-case A-label (RFC 5890); the local part becomes NFC and is otherwise kept as
    typed (RFC 5321 2.4: only its host may interpret it). The key also folds the local part's case, as hosts
    do in practice. Surrounding spaces and invisible characters anywhere are dropped. Quoted local parts,
    routes (RFC 5321 4.1.2), commas and control characters are refused.
    """
    typed = text.strip(" ")
    if not typed.isascii():
        typed = _strip_blanks(_INVISIBLE.sub("", narrowed(typed)))
    elif len(typed) <= _LONGEST and _PLAIN.fullmatch(typed):
        # The library accepts these as well, and takes much longer; a test compares the two.
        local, _, host = typed.partition("@")
        host = host.lower()
        return Address(f"{local}@{host}", f"{local.lower()}@{host}")
    return _validate(typed)


def narrowed(text: str) -> str:
    """Return a text whose wide letters and signs are ASCII if it has a wide @ or dot: `ann＠a．example`."""
    return text.translate(_AS_ASCII) if any(sign in text for sign in "\uff20\uff0e\u3002") else text


def _strip_blanks(text: str) -> str:
    """Strip invisible characters and spaces of any width, such as the no-break space around a copied
    address."""
    while text and unicodedata.category(text[0]) in _AROUND:
        text = text[1:]
    while text and unicodedata.category(text[-1]) in _AROUND:
        text = text[:-1]
    return text


def _validate(typed: str) -> Address:
    try:
        found = email_validator.validate_email(
            typed,
            check_deliverability=False,
            allow_smtputf8=True,
            test_environment=True,
            globally_deliverable=False,
            strict=True,
        )
    except EmailNotValidError as error:
        raise InputError(f'"{_show(typed)}" is not a mail address: {_lower_first(str(error))}') from None
    local, domain = unicodedata.normalize("NFC", found.local_part), found.ascii_domain.lower()
    folded = unicodedata.normalize("NFC", local.casefold())
    return Address(f"{local}@{domain}", f"{folded}@{domain}")


def _show(text: str) -> str:
    """Make hostile text safe for a message: short, one line, nothing invisible."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_SHOWN])
    return shown + ("…" if len(text) > _SHOWN else "")


def _lower_first(reason: str) -> str:
    return reason[:1].lower() + reason[1:].rstrip(".")


def tidy_name(name: str) -> str:
    """Return a reader's name as it is kept: one line without control characters, 200 characters at most."""
    return printable(" ".join(name.split()))[:LONGEST_NAME].strip()
