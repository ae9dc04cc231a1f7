"""Readers as operators see them: a page of the list, and all that is kept of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from digest.errors import InputError
from digest.models import (
    Bounce,
    Complaint,
    ConsentEvent,
    ConsentWording,
    Delivery,
    Edition,
    Letter,
    Subscriber,
    Subscription,
    Suppression,
)
from digest.models.row import ListPage, row_id
from digest.models.subscriber import ReaderFilter
from digest.rules.readers.address import normalise
from digest.store.delivery import bounces
from digest.store.readers import letters, listing, subscribers, wordings
from digest.tasks.readers.on_request import version_of
from digest.tasks.readers.readers import Readers

PAGE = 50
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ListedReader:
    """One line of the list."""

    reader: Subscriber
    subscriptions: list[Subscription]


@dataclass(frozen=True, slots=True)
class ReaderRecord:
    """All that is kept of one reader; what grows without end is cut to the latest.

    `version` tells whether somebody has changed the reader's choices since they were shown.
    """

    reader: Subscriber
    subscriptions: list[Subscription]
    suppression: Suppression | None
    events: list[ConsentEvent]
    mailed: list[tuple[Delivery, Edition]]
    bounces: Sequence[Bounce]
    complaints: Sequence[Complaint]
    letters: Sequence[Letter]
    version: str
    wordings: Mapping[int | None, ConsentWording]


def list_page(readers: Readers, wanted: ReaderFilter, below: int | None) -> ListPage[ListedReader]:
    """List a page of readers who match, the latest first; those whose address begins with the text lead."""
    with readers.database.read() as session:
        found = listing.find_readers(session, wanted, below, PAGE)
        first = _begin_with(session, wanted) if below is None else []
        known = {row_id(one) for one in first}
        people = [*first, *(one for one in found.rows if row_id(one) not in known)]
        subscribed = listing.list_subscriptions_of(session, [row_id(one) for one in people])
    rows = [ListedReader(one, subscribed[row_id(one)]) for one in people]
    return ListPage(rows, found.below, found.is_whole)


def _begin_with(session: Session, wanted: ReaderFilter) -> list[Subscriber]:
    """Find by the address's index, at once however many readers there are, where nothing else is asked."""
    if not wanted.text or wanted != ReaderFilter(text=wanted.text):
        return []
    try:
        start = normalise(wanted.text).key
    except InputError:
        start = wanted.text.lower()
    return listing.begin_with(session, start, PAGE)


def find_record(readers: Readers, public_id: str) -> ReaderRecord | None:
    """Find all that is kept of a reader by their public id; None for nobody, or somebody erased."""
    with readers.database.read() as session:
        reader = subscribers.find_by_public_id(session, public_id)
        if reader is None or reader.erased_at is not None:
            return None
        number = row_id(reader)
        rows = subscribers.list_subscriptions(session, number)
        events = subscribers.list_consent(session, number)[::-1][:_SHOWN]
        return ReaderRecord(
            reader,
            rows,
            subscribers.find_ban(session, readers.hash_address(reader.address_key)),
            events,
            bounces.list_mailed(session, number, _SHOWN),
            bounces.list_of(session, number, _SHOWN),
            bounces.list_complaints_of(session, number, _SHOWN),
            letters.list_of(session, number, _SHOWN),
            version_of(reader, rows),
            wordings.get_wordings(session, [event.wording_id for event in events]),
        )
