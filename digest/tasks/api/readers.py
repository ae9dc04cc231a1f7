"""Readers as programs see them: asked to confirm, looked up, changed at their request, taken leave of.

A program is known to the record of consent by its token's name. Nobody who left, or was suppressed or erased,
is brought back by one: only the address's holder does that, by confirming.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import SUBSCRIBED, Subscriber, Subscription
from digest.models.row import ListPage, row_id
from digest.models.subscriber import ReaderFilter
from digest.rules.readers import consent
from digest.rules.readers.address import normalise
from digest.store.readers import listing, subscribers
from digest.tasks.api.tokens import Caller
from digest.tasks.readers import on_request
from digest.tasks.readers.enrolment import Enrolled, subscribe_confirmed
from digest.tasks.readers.mail_domains import MailDomains
from digest.tasks.readers.on_request import Change
from digest.tasks.readers.readers import Origin, Readers
from digest.tasks.readers.sign_up import Choices, ask_for, word_consent


class ReaderUnknown(InputError):  # noqa: N818 - named for what it is
    """Refuse: there is no such reader, or none any more."""


class NotSubscribed(InputError):  # noqa: N818 - named for what it is
    """Refuse the change: the reader does not get that digest now."""


class DepartedReader(InputError):  # noqa: N818 - named for what they did
    """Refuse to subscribe somebody who left or is suppressed: they may do so themselves."""


@dataclass(frozen=True, slots=True)
class KnownReader:
    """A reader with what they read or read before; `suppression` is why nothing is mailed to them, or ""."""

    reader: Subscriber
    subscriptions: Sequence[Subscription]
    suppression: str = ""


def ask_reader(
    readers: Readers,
    domains: MailDomains,
    address: str,
    wanted: Mapping[str, Choices],
    origin: Origin,
    now: datetime,
    *,
    wording: str = "",
    language: str | None = None,
) -> bool:
    """Plan one message that asks the address's holder to confirm, exactly as the sign-up page does.

    Return False where too many signed up within the hour. Nothing tells whether the address is known.
    """
    if not domains.allows(normalise(address).key.rpartition("@")[2]):
        raise InputError("addresses of this domain are not accepted: check the address")
    digests = [readers.settings.digest(name) for name in wanted if readers.find_digest(name) is not None]
    agreed = wording or "\n".join(word_consent(readers.settings, digest) for digest in digests)
    _check_digests(readers, wanted)
    return ask_for(readers, address, wanted, origin, now, wording=agreed, language=language)


def take_confirmed(
    readers: Readers,
    address: str,
    wanted: Mapping[str, Choices],
    wording: str,
    origin: Origin,
    now: datetime,
) -> dict[str, Enrolled]:
    """Subscribe somebody who agreed elsewhere, in the words that they agreed to; return what became of each.

    Nobody who left or is suppressed is brought back; raise DepartedReader if nothing else was wanted.
    """
    _check_digests(readers, wanted)
    done: dict[str, Enrolled] = {}
    for name, choices in wanted.items():
        done[name] = subscribe_confirmed(readers, address, name, choices, wording, origin, now)
    if all(one in (Enrolled.LEFT, Enrolled.SUPPRESSED) for one in done.values()):
        raise DepartedReader(
            f"this address left {', '.join(done)} or is suppressed, and only its holder may undo that:"
            " leave out `confirmed`, and they are asked"
        )
    return done


def origin_of(caller: Caller, *, confirmed: bool = False) -> dict[str, str]:
    """Return what the record of consent keeps of an act: the token's name.

    Who agreed elsewhere is told apart from who confirmed here, as with an import.
    """
    return {"import" if confirmed else "api": f"API: {caller.name}" if confirmed else caller.name}


def find_reader(readers: Readers, public_id: str) -> KnownReader:
    """Return a reader by their id; raise ReaderUnknown for nobody, or somebody erased."""
    with readers.database.read() as session:
        return _known(session, readers, _get(session, public_id))


def find_by_address(readers: Readers, address: str) -> KnownReader:
    """Return the reader of an address; raise ReaderUnknown if there is none."""
    key = normalise(address).key
    with readers.database.read() as session:
        found = subscribers.find_subscriber(session, key)
        if found is None:
            raise ReaderUnknown("no reader has this address")
        return _known(session, readers, found)


def list_page(readers: Readers, wanted: ReaderFilter, below: int | None, limit: int) -> ListPage[KnownReader]:
    """List a page of readers, the latest first; with a filter it may be short while others follow."""
    with readers.database.read() as session:
        found = listing.find_readers(session, wanted, below, limit)
        subscribed = listing.list_subscriptions_of(session, [row_id(one) for one in found.rows])
        rows = [
            KnownReader(one, subscribed[row_id(one)], _suppression(session, readers, one))
            for one in found.rows
        ]
    return ListPage(rows, found.below, found.is_whole)


def change_reader(
    readers: Readers, public_id: str, digest: str | None, change: Change, origin: Origin, now: datetime
) -> bool:
    """Change a reader's details, or their choices for one digest; return whether that changed anything."""
    address = _address(readers, public_id, digest, must_be_active=digest is not None)
    with _without(address):
        return on_request.set_choices(readers, address, digest, change, now, origin)


def resume_reader(readers: Readers, public_id: str, digest: str, origin: Origin, now: datetime) -> None:
    """End a reader's pause of a digest."""
    address = _address(readers, public_id, digest, must_be_active=True)
    with _without(address):
        on_request.resume(readers, address, digest, now, origin)


def end_subscription(readers: Readers, public_id: str, digest: str, origin: Origin, now: datetime) -> None:
    """End a reader's subscription; done again, it changes nothing."""
    address = _address(readers, public_id, digest, must_be_active=False)
    with _without(address):
        on_request.leave(readers, address, digest, now, origin)


def _address(readers: Readers, public_id: str, digest: str | None, *, must_be_active: bool) -> str:
    with readers.database.read() as session:
        found = _get(session, public_id)
        row = subscribers.find_subscription(session, row_id(found), digest) if digest else None
    if digest and row is None:
        raise ReaderUnknown(f"this reader never had {digest}")
    if must_be_active and row is not None and row.state not in SUBSCRIBED:
        raise NotSubscribed(
            f"the subscription to {row.digest} is {row.state}: only confirming makes it active"
        )
    return found.address


def _get(session: Session, public_id: str) -> Subscriber:
    found = subscribers.find_by_public_id(session, public_id)
    if found is None or found.erased_at is not None:
        raise ReaderUnknown(f"there is no reader {public_id}")
    return found


def _known(session: Session, readers: Readers, reader: Subscriber) -> KnownReader:
    rows = subscribers.list_subscriptions(session, row_id(reader))
    return KnownReader(reader, rows, _suppression(session, readers, reader))


def _suppression(session: Session, readers: Readers, reader: Subscriber) -> str:
    banned = subscribers.find_suppression(session, readers.hash_address(reader.address_key))
    return consent.explain_suppression(banned.reason, banned.created_at) if banned else ""


def _check_digests(readers: Readers, wanted: Mapping[str, Choices]) -> None:
    known = [digest.name for digest in readers.settings.digests]
    for name in wanted:
        if name not in known:
            raise InputError(f'"{name}" is not a digest: pick from {", ".join(known)}')


@contextmanager
def _without(address: str) -> Iterator[None]:
    """Leave a reader's address out of what is said: the program may not be one that reads addresses."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(address, "this reader")) from None
