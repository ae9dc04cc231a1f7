"""Who wrote a message, and whether that is proved."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from digest.mail.headers import message_id
from digest.mail.reports.classification import find_sender
from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.parts import HeaderFields, Mail
from digest.models import Confirmation, Edition, Subscriber
from digest.models.row import row_id
from digest.rules.tokens import mail_tokens
from digest.store.delivery import bounces
from digest.store.readers import answers, confirmations, subscribers
from digest.tasks.inbound.inbox import DELIVERED, Inbox, find_reader

_MOST_EDITIONS = 400
_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*(\w+)", re.I)
_PROPERTY = re.compile(r"\b(header\.from|header\.d|header\.i|smtp\.mailfrom)\s*=\s*@?([^\s;,]+)", re.I)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote: `subscriber` if the address is a reader's; `trusted` if it is proved to be theirs."""

    address: str
    subscriber: Subscriber | None
    trusted: bool
    edition: Edition | None = None


@dataclass(frozen=True, slots=True)
class Addressed:
    """The meaning of a token in the address to which a message was sent."""

    purpose: str
    subscriber: Subscriber
    names: tuple[str, ...]


def find_writer(session: Session, inbox: Inbox, mail: Mail) -> Writer:
    """Find who wrote a message.

    The Message-ID of a digest is an HMAC that only its reader has seen: a reply that names it proves its
    writer. So does our own server's statement about the domain of From (RFC 8601, 7489).
    """
    address = find_sender(mail)
    subscriber = find_reader(session, address)
    edition = _replied_to(session, inbox, mail, subscriber) if subscriber else None
    authserv = inbox.settings.inbound.authserv_id
    trusted = edition is not None or is_authenticated(mail.headers, address, authserv)
    return Writer(address, subscriber, trusted, edition)


def find_addressed(session: Session, inbox: Inbox, mail: Mail) -> Addressed | None:
    """Find the reader and the purpose that the address of a message names and proves."""
    for token in _address_tokens(inbox, mail):
        read = mail_tokens.read_address(token)
        if read is None:
            continue
        for subscriber in bounces.find_by_prefix(session, read[1]):
            names = list(_names_of(session, inbox, read[0], subscriber))
            found = mail_tokens.find_addressed(inbox.readers.signing_keys, token, subscriber.public_id, names)
            if found is not None:
                return Addressed(read[0], subscriber, found)
    return None


def find_number(inbox: Inbox, mail: Mail, purpose: str) -> int | None:
    """Return the letter or article that the address of a message names and proves."""
    keys = inbox.readers.signing_keys
    found = (mail_tokens.find_number(keys, purpose, token) for token in _address_tokens(inbox, mail))
    return next((number for number in found if number is not None), None)


def find_extension(inbox: Inbox, mail: Mail) -> str:
    """Return what follows our address's delimiter, such as "subscribe"; "" if nothing does."""
    return next((one for one in _locals(inbox, mail) if len(one) < mail_tokens.LENGTH), "")


def is_authenticated(headers: HeaderFields, address: str, authserv_id: str) -> bool:
    """Return whether our own server says that From's domain answers for the message (RFC 8601 2.2).

    Only the topmost field with our server's name counts: a forged one is below it, and our server removes
    those with its own name (RFC 8601 5). Without a configured name nothing is trusted.
    """
    domain = address.rpartition("@")[2].lower()
    if not authserv_id or not domain or len(headers.all("from")) != 1:
        return False
    for value in headers.all("authentication-results"):
        name, _, results = re.sub(r"\([^()]*\)", " ", value).partition(";")
        if name.split()[:1] == [authserv_id]:
            return any(_vouches(result, domain) for result in results.split(";"))
    return False


def _vouches(result: str, domain: str) -> bool:
    stated = _RESULT.search(result)
    if stated is None or stated[2].lower() != "pass":
        return False
    known = {
        name.lower(): value.rpartition("@")[2].strip('"<>').lower()
        for name, value in _PROPERTY.findall(result)
    }
    method = stated[1].lower()
    if method == "dmarc":
        return known.get("header.from") == domain
    if method == "dkim":
        return (known.get("header.d") or known.get("header.i")) == domain
    return known.get("smtp.mailfrom") == domain


def _replied_to(session: Session, inbox: Inbox, mail: Mail, subscriber: Subscriber) -> Edition | None:
    named = set(
        re.findall(
            r"<[^<>\s]{3,200}>", mail.headers.get("in-reply-to") + mail.headers.get("references")[-4_000:]
        )
    )
    if not named:
        return None
    domain = inbox.settings.site.from_domain
    for _, edition in bounces.list_mailed(session, row_id(subscriber), _MOST_EDITIONS):
        if message_id(inbox.identity_key, *edition.name, subscriber.public_id, domain) in named:
            return edition
    return None


def _names_of(
    session: Session, inbox: Inbox, purpose: str, subscriber: Subscriber
) -> Iterator[tuple[str, ...]]:
    """List what a token of a purpose may have been made for."""
    if purpose == mail_tokens.LEAVE:
        for digest in inbox.settings.digests:
            yield (digest.name,)
    elif purpose == mail_tokens.CONFIRM:
        for asking in _askings(session, subscriber):
            yield (str(asking.id),)
    else:
        for answer in answers.list_asked(session, row_id(subscriber)):
            yield (str(answer.id),)


def _askings(session: Session, subscriber: Subscriber) -> Iterator[Confirmation]:
    for row in subscribers.list_subscriptions(session, row_id(subscriber)):
        yield from confirmations.list_of(session, row_id(row))


def _address_tokens(inbox: Inbox, mail: Mail) -> Iterator[str]:
    for local in _locals(inbox, mail):
        if mail_tokens.read_address(local):
            yield local


def _locals(inbox: Inbox, mail: Mail) -> Iterator[str]:
    """List what is between our base and the @ in the addresses to which a message was sent."""
    inbound = inbox.settings.inbound
    for name in DELIVERED:
        for value in mail.headers.all(name)[:20]:
            for address in find_addresses(value[:4_000].lower())[:20]:
                local, _, domain = address.rpartition("@")
                before = inbound.before.lower()
                if domain == inbound.domain.lower() and local.startswith(before) and local != before:
                    yield local[len(before) :]
