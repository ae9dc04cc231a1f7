"""The calendar of editions, made and to come: for the desk and for editors' calendar programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from digest.models import Approval, CalendarLink, Edition, EditionName, EditionState, Editor
from digest.models.row import row_id
from digest.rules.editions import cadence as calendar
from digest.rules.tokens.tokens import hash_token
from digest.settings import DigestSettings, Settings
from digest.store import editors
from digest.store.editions import cadence_readers, editions
from digest.tasks.desk.desk import Desk
from digest.tasks.editions.coming import next_occurrence
from digest.tasks.editions.schedule import Arrival, find_span

FEED_BEFORE, FEED_AHEAD = timedelta(days=30), timedelta(days=62)
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One edition in the calendar: made, or due at `deadline_at`.

    `path` is its page at the desk; only the next edition of a cadence has one before it is made. `arrivals`
    are the first and the last time zone's hours of delivery.
    """

    name: EditionName
    title: str
    deadline_at: datetime
    state: str
    needs_approval: bool = False
    path: str = ""
    arrivals: tuple[Arrival, Arrival] | None = None


def list_calendar(
    session: Session, settings: Settings, now: datetime, since: datetime, until: datetime
) -> list[CalendarEntry]:
    """List the editions with a deadline in a span, `since` included, by deadline.

    Of the cadence "at once" only editions already made are listed.
    """
    found = [
        entry
        for digest in settings.digests
        for cadence in digest.cadences
        for entry in _list_of(session, settings, digest, cadence, now, since, until)
    ]
    return sorted(found, key=lambda entry: (entry.deadline_at, entry.name))[:_MOST]


def make_link(desk: Desk, editor: Editor, now: datetime) -> str:
    """Return the token of a new calendar feed for an editor; their former token stops working."""
    token = desk.new_token()
    with desk.database.write() as session:
        editors.drop_calendar(session, row_id(editor))
        session.add(CalendarLink(editor_id=row_id(editor), token_hash=hash_token(token), made_at=now))
    return token


def revoke_link(desk: Desk, editor: Editor) -> None:
    """End an editor's calendar feed."""
    with desk.database.write() as session:
        editors.drop_calendar(session, row_id(editor))


def find_link_of(desk: Desk, editor: Editor) -> CalendarLink | None:
    """Return an editor's calendar feed."""
    with desk.database.read() as session:
        return editors.find_calendar_of(session, row_id(editor))


def find_feed(desk: Desk, token: str, now: datetime) -> list[CalendarEntry] | None:
    """Return the content of a feed: one month back and two ahead; None for an unknown token."""
    with desk.database.read() as session:
        if not editors.has_calendar(session, hash_token(token)):
            return None
        return list_calendar(session, desk.settings, now, now - FEED_BEFORE, now + FEED_AHEAD)


def _list_of(
    session: Session,
    settings: Settings,
    digest: DigestSettings,
    cadence: str,
    now: datetime,
    since: datetime,
    until: datetime,
) -> Iterator[CalendarEntry]:
    made = editions.list_between(session, digest.name, cadence, since, until)
    for edition in made:
        yield _made(digest, edition)
    if digest.cadence(cadence).is_at_once:
        return
    periods = {edition.period for edition in made}
    coming = next_occurrence(session, settings, digest, cadence, now)
    path = EditionName(digest.name, cadence, coming.period).path
    hours = cadence_readers.list_hours(session, digest.name, cadence) if coming.deadline_at < until else []
    while coming.deadline_at < until:
        if coming.deadline_at >= since and coming.period not in periods:
            name = EditionName(digest.name, cadence, coming.period)
            yield CalendarEntry(
                name, f"{digest.title}, {cadence}", coming.deadline_at, EditionState.DRAFT.value,
                digest.approval == Approval.REQUIRE, path,
                find_span(settings, digest, cadence, coming.deadline_at, hours),
            )  # fmt: skip
        path = ""
        coming = calendar.following(digest.cadence(cadence), max(now, coming.deadline_at), settings.zone)


def _made(digest: DigestSettings, edition: Edition) -> CalendarEntry:
    path = edition.name.path
    return CalendarEntry(
        edition.name, f"{digest.title}, {edition.cadence}", edition.deadline_at, edition.state, path=path
    )
