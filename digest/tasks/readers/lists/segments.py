"""Segments: searches for readers, saved by name; who changes or removes one has seen what stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from digest.errors import InputError
from digest.models import ReaderSegment, Subscriber
from digest.models.row import row_id
from digest.models.subscriber import ReaderFilter
from digest.store.readers import batches, segments
from digest.tasks.readers.readers import Readers

LONGEST_NAME = 60
MOST = 200
MOST_READ = 200_000
"""How many readers a look for those of a segment reads at most."""
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Mailable:
    """Readers of a segment who may get mail; `next_id` is where the search goes on, None at the end."""

    readers: Sequence[Subscriber]
    next_id: int | None


class SegmentChanged(InputError):  # noqa: N818 - named for what happened
    """Nothing was done: somebody else has changed the segment, or has saved one of that name."""


def list_segments(readers: Readers) -> Sequence[ReaderSegment]:
    """List all segments by name."""
    with readers.database.read() as session:
        return segments.list_segments(session)


def find_segment(readers: Readers, number: int) -> ReaderSegment | None:
    """Find a segment."""
    with readers.database.read() as session:
        return segments.find_segment(session, number)


def save_segment(readers: Readers, name: str, wanted: ReaderFilter, who: str, now: datetime) -> int:
    """Save a search under a name that no segment has yet; return its number."""
    values = _values(name, wanted)
    with readers.database.write() as session:
        if len(segments.list_segments(session)) >= MOST:
            raise InputError(f"there are {MOST} segments: remove one first")
        if segments.find_named(session, values["name_key"]) is not None:
            raise SegmentChanged(
                f"there is a segment “{values['name']}” already: change that, or take another name"
            )
        segment = ReaderSegment(**values, changed_by=who, changed_at=now)
        segments.insert(session, segment)
        return row_id(segment)


def change_segment(
    readers: Readers, number: int, seen: int, name: str, wanted: ReaderFilter, who: str, now: datetime
) -> None:
    """Change a segment's name and search, having seen a version of it."""
    values = _values(name, wanted)
    with readers.database.write() as session:
        other = segments.find_named(session, values["name_key"])
        if other is not None and other.id != number:
            raise SegmentChanged(f"there is a segment “{values['name']}” already: take another name")
        if not segments.change(session, number, seen, who, now, values):
            raise SegmentChanged("somebody else has changed this segment since you saw it")


def remove_segment(readers: Readers, number: int, seen: int) -> None:
    """Remove a segment, having seen a version of it; its readers stay as they are."""
    with readers.database.write() as session:
        if not segments.remove(session, number, seen):
            raise SegmentChanged("somebody else has changed this segment since you saw it")


def find_mailable(
    readers: Readers, wanted: ReaderFilter, digest: str, most: int, start: int = 1, found: Sequence[str] = ()
) -> Mailable:
    """Find the readers of a segment who may get mail of a digest: confirmed, and not suppressed.

    At most MOST_READ ids are looked through, from `start` on; `found` are the public ids of those whom the
    search had found before that, of whom the ones stay who still match. At most `most` and one more are
    returned, which says that there are more.
    """
    mailable: list[Subscriber] = []
    with readers.database.read() as session:
        if found:
            kept = segments.list_confirmed_among(session, wanted, digest, found[: most + 1])
            mailable += _without_suppressed(readers, session, kept)
        top = segments.last_id(session) + 1
        end = min(top, start + MOST_READ)
        while len(mailable) <= most:
            page = segments.list_confirmed(session, wanted, digest, (start, end), _PAGE)
            mailable += _without_suppressed(readers, session, page)
            if len(page) < _PAGE:
                break
            start = row_id(page[-1]) + 1
    return Mailable(mailable[: most + 1], end if end < top and len(mailable) <= most else None)


def _without_suppressed(
    readers: Readers, session: Session, found: Sequence[Subscriber]
) -> Iterator[Subscriber]:
    hashes = {readers.hash_address(one.address_key): one for one in found}
    banned = batches.find_suppressions(session, list(hashes))
    return (one for hashed, one in hashes.items() if hashed not in banned)


def _values(name: str, wanted: ReaderFilter) -> Mapping[str, Any]:
    name = " ".join(name.split())
    if not name:
        raise InputError("give the segment a name")
    if len(name) > LONGEST_NAME:
        raise InputError(f"the name has {len(name)} characters; {LONGEST_NAME} fit")
    set_fields = {key: value for key, value in asdict(wanted).items() if value}
    return {"name": name, "name_key": name.casefold(), "wanted": set_fields}
