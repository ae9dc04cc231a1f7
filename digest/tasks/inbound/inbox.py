"""What all processing of received mail shares, and which delivery a message is proved to be about."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlmodel import Session

from digest.errors import InputError
from digest.mail.headers import message_id
from digest.mail.reports.dsn import find_addresses
from digest.mail.reports.parts import Mail
from digest.mail.reports.report import Report
from digest.models import Delivery, Edition, Subscriber
from digest.models.row import row_id
from digest.net.inbound.spool import Spool
from digest.rules.delivery.return_paths import ReturnPaths
from digest.rules.readers.address import normalise
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.delivery import bounces
from digest.store.readers import subscribers
from digest.tasks.composing.composer import return_paths
from digest.tasks.editions.reader_edition import ReaderEditions
from digest.tasks.readers.readers import Readers

_MOST_EDITIONS = 400
DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc")
_RETURNED = ("return-path", "x-original-return-path", "errors-to")


class JoinedDatabase(Database):
    """A database whose every transaction is an already open one: its changes are committed or rolled back
    with it."""

    def __init__(self, session: Session) -> None:
        self._joined = session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Join the open transaction."""
        yield self._joined
        self._joined.flush()

    read = write


@dataclass(frozen=True, slots=True)
class Inbox:
    """The dependencies of processing received mail.

    `reader_editions` is called only for a reader who wants their digest now: it loads the templates.
    """

    readers: Readers
    identity_key: bytes
    spool: Spool
    reader_editions: Callable[[], ReaderEditions]

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self.readers.settings

    @property
    def database(self) -> Database:
        """Return the database."""
        return self.readers.database

    def joined(self, session: Session) -> Readers:
        """Return the readers' use cases, inside an open transaction."""
        return replace(self.readers, database=JoinedDatabase(session))

    @property
    def paths(self) -> ReturnPaths:
        """Return the reader of return paths."""
        return return_paths(self.settings)

    @property
    def own_addresses(self) -> frozenset[str]:
        """Return the addresses that no report can name as failed: our own."""
        site = self.settings.site
        stated = [site.from_, site.reply_to or "", self.settings.inbound.address]
        return frozenset(address.lower() for text in stated for address in find_addresses(text))


@dataclass(frozen=True, slots=True)
class ProvedReader:
    """The reader that a message is about, proved by a token or a Message-ID that only we can make.

    `delivery` and `edition` are None for a message that was no delivery, such as a confirmation.
    """

    subscriber: Subscriber
    delivery: Delivery | None
    edition: Edition | None
    named: tuple[str, ...]


def prove(session: Session, inbox: Inbox, mail: Mail, report: Report) -> ProvedReader | None:
    """Find which delivery a report is about; None if nothing in it proves any."""
    for token in _tokens(inbox, mail, report):
        found = prove_token(session, inbox, token)
        if found is not None:
            return found
    return _prove_message_id(session, inbox, report)


def prove_token(session: Session, inbox: Inbox, token: str) -> ProvedReader | None:
    """Find the message that a return path's token was made for, by any key of the ring."""
    prefix = tokens.read_return(token)
    if prefix is None:
        return None
    for subscriber in bounces.find_by_prefix(session, prefix):
        mailed = bounces.list_mailed(session, row_id(subscriber), _MOST_EDITIONS)
        known: dict[tuple[str, ...], tuple[Delivery, Edition]] = {
            tuple(edition.name): (delivery, edition) for delivery, edition in mailed
        }
        names = [*known, *_other_names(inbox)]
        named = tokens.find_returned(inbox.readers.signing_keys, token, subscriber.public_id, names)
        if named is not None:
            delivery, edition = known.get(named, (None, None))
            return ProvedReader(subscriber, delivery, edition, named)
    return None


def _other_names(inbox: Inbox) -> Iterator[tuple[str, ...]]:
    """Return the names of messages to a reader that are no deliveries."""
    for digest in inbox.settings.digests:
        yield digest.name, "asking"
        yield digest.name, "probe"
        yield digest.name, "reply"


def _tokens(inbox: Inbox, mail: Mail, report: Report) -> Iterator[str]:
    """Find the tokens in the addresses to which a message was sent, and those in what it returns."""
    yield from find_tokens(inbox, mail)
    for name in _RETURNED:
        for value in report.original.all(name):
            yield from _tokens_in(inbox, value)


def find_tokens(inbox: Inbox, mail: Mail) -> Iterator[str]:
    """Find the tokens in the addresses to which a message was sent."""
    for name in DELIVERED:
        for value in mail.headers.all(name)[:20]:
            yield from _tokens_in(inbox, value)


def _tokens_in(inbox: Inbox, value: str) -> Iterator[str]:
    paths = inbox.paths
    for address in find_addresses(value[:4_000])[:20]:
        token = paths.find_token(address)
        if token is not None:
            yield token


def _prove_message_id(session: Session, inbox: Inbox, report: Report) -> ProvedReader | None:
    """Prove by the Message-ID in the returned headers, which is an HMAC of edition and reader."""
    returned = report.original.get("message-id").strip()
    if not returned:
        return None
    domain = inbox.settings.site.from_domain
    for key in _named_addresses(report):
        subscriber = subscribers.find_subscriber(session, key)
        if subscriber is None:
            continue
        for delivery, edition in bounces.list_mailed(session, row_id(subscriber), _MOST_EDITIONS):
            if message_id(inbox.identity_key, *edition.name, subscriber.public_id, domain) == returned:
                return ProvedReader(subscriber, delivery, edition, tuple(edition.name))
    return None


def _named_addresses(report: Report) -> Iterable[str]:
    stated = [failure.address for failure in report.failures]
    if report.complaint is not None:
        stated.append(report.complaint.recipient)
    for name in ("to", "x-hmxmroriginalrecipient", "delivered-to"):
        stated += [a for value in report.original.all(name) for a in find_addresses(value[:4_000])]
    keys = []
    for address in stated[:20]:
        try:
            keys.append(normalise(address).key)
        except InputError:
            continue
    return dict.fromkeys(keys)


def find_reader(session: Session, address: str) -> Subscriber | None:
    """Find the reader of an address; None for an invalid address."""
    try:
        return subscribers.find_subscriber(session, normalise(address).key)
    except InputError:
        return None
