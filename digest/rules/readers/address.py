"""What makes a mail address valid, and two addresses the same."""

import unicodedata
from dataclasses import dataclass

import email_validator
from email_validator import EmailNotValidError

from digest.errors import InputError

# The library's documented switch. `localhost` and `.local` are the domains of intranets and `.test` that
# of trials: whether a domain takes mail is the relay's word, not ours.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Address:
    """An address to write to, and the key that is equal for equal addresses."""

    address: str
    key: str


def normalise(text: str) -> Address:
    """Read one bare address; raise InputError saying why it is none.

    The domain becomes a lower-case A-label (RFC 5890), the local part NFC and otherwise as typed (RFC 5321
    2.4: only its host may interpret it). The key also folds the local part's case, as hosts in fact do.
    Quoted local parts, routes (RFC 5321 4.1.2), commas and control characters are refused.
    """
    typed = text.strip(" ")
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
        raise InputError(f'"{_show(typed)}" is no mail address: {_lower_first(str(error))}') from None
    local, domain = unicodedata.normalize("NFC", found.local_part), found.ascii_domain.lower()
    folded = unicodedata.normalize("NFC", local.casefold())
    return Address(f"{local}@{domain}", f"{folded}@{domain}")


def _show(text: str) -> str:
    """Make hostile text fit to stand in a message: short, one line, nothing invisible."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:_SHOWN])
    return shown + ("…" if len(text) > _SHOWN else "")


def _lower_first(reason: str) -> str:
    return reason[:1].lower() + reason[1:].rstrip(".")
