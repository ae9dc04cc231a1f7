"""Segments: saved searches for readers, for exports and for proofs to a few of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import EditionName, ReaderSegment, SubscriptionState
from digest.models.row import row_id
from digest.models.subscriber import ReaderFilter
from digest.settings import Settings
from digest.tasks.desk.agenda import AgendaEntry, list_agenda
from digest.tasks.desk.proofs import send_proofs
from digest.tasks.readers.lists import segments
from digest.tasks.readers.lists.segments import Mailable, SegmentChanged
from digest.tasks.readers.readers import Readers
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, sentence

SEGMENTS = f"{HOME}/readers/segments"
FILTER_FIELDS = ("text", "digest", "state", "cadence", "topic", "language")
MOST_PROOFS = 50
"""How many readers a proof goes to at most."""
_LONGEST = 254
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class _Search:
    """How far the search for a proof's readers has come: it goes on at `start`; `found` are those so far."""

    edition: str
    start: int
    found: tuple[str, ...]

    @classmethod
    def read(cls, get: Callable[[str, str], str]) -> "_Search":
        """Return the search that the fields of an address or a form name."""
        start = get("start", "")
        is_number = start.isascii() and start.isdigit() and 0 < len(start) <= _DIGITS
        found = get("found", "")[: _LONGEST * MOST_PROOFS].split(",")
        return cls(get("edition", ""), int(start) if is_number else 1, tuple(filter(None, found)))

    def onward(self, mailable: Mailable) -> str:
        """Return the query of the search's next part; "" if there is none."""
        if mailable.next_id is None:
            return ""
        found = ",".join(one.public_id for one in mailable.readers)
        return urlencode({"edition": self.edition, "start": mailable.next_id, "found": found})


class SegmentPages:
    """Segments, for operators."""

    def __init__(self, front: DeskPages, readers: Readers, languages: Sequence[str]) -> None:
        self._front, self._readers, self._languages = front, readers, languages

    def list(self, request: Request) -> Response:
        """Show all segments, and the form for a new one."""
        asked = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in FILTER_FIELDS}
        return self._list(request, wanted=ReaderFilter(**asked))

    def save(self, request: Request) -> Response:
        """Save a search under a name."""
        name, wanted = self._front.get(request, "name"), self._wanted(request)
        try:
            number = segments.save_segment(
                self._readers, name, wanted, self._front.who(request), self._front.now()
            )
        except InputError as error:
            status = 409 if isinstance(error, SegmentChanged) else 400
            return self._list(request, status, wanted=wanted, called=name, error=sentence(error))
        return self._front.go(f"{SEGMENTS}/{number}", "segment-saved")

    def show(self, request: Request, segment: str) -> Response:
        """Show a segment: its search and its uses."""
        return self._show(request, self._find(segment))

    def change(self, request: Request, segment: str) -> Response:
        """Change a segment's name and search."""
        found, name, wanted = self._find(segment), self._front.get(request, "name"), self._wanted(request)
        return self._act(
            request,
            found,
            lambda: segments.change_segment(
                self._readers, row_id(found), self._seen(request, "version"), name, wanted,
                self._front.who(request), self._front.now(),
            ),
            f"{SEGMENTS}/{found.id}",
            "segment-saved",
            called=name,
            wanted=wanted,
        )  # fmt: skip

    def remove(self, request: Request, segment: str) -> Response:
        """Remove a segment."""
        found = self._find(segment)
        return self._act(
            request,
            found,
            lambda: segments.remove_segment(self._readers, row_id(found), self._seen(request, "version")),
            SEGMENTS,
            "segment-removed",
        )

    def show_proof(self, request: Request, segment: str) -> Response:
        """Show who would get a proof of an edition, and ask for confirmation."""
        return self._ask(request, self._find(segment), _Search.read(request.query_params.get))

    def send_proof(self, request: Request, segment: str) -> Response:
        """Mail a proof to the readers of a segment, as many as the page showed."""
        found, search = self._find(segment), _Search.read(lambda name, _: self._front.get(request, name))
        entry, readers = self._entry(search.edition), self._mailable(found, search).readers
        seen = tuple(self._seen(request, name) for name in ("version", "draft", "count"))
        stand = (found.version, entry.draft.version, len(readers))
        if seen != stand:
            error = "The segment, its readers or the edition have changed since you saw this page."
            return self._ask(request, found, search, 409, error=error)
        if not 0 < len(readers) <= MOST_PROOFS:
            return self._ask(request, found, search, 400)
        done = send_proofs(
            self._front.desk, entry, readers, found.name, self._front.who(request), self._front.now()
        )
        return self._ask(request, found, search, 502 if done.trouble else 200, done=done)

    def _ask(
        self, request: Request, found: ReaderSegment, search: "_Search", status: int = 200, **values: object
    ) -> Response:
        entry, mailable = self._entry(search.edition), self._mailable(found, search)
        return self._front.show(
            request,
            "segment_proof",
            status,
            title="Send a proof?",
            segment=found,
            entry=entry,
            search=search,
            onward=search.onward(mailable),
            readers=mailable.readers[:MOST_PROOFS],
            count=len(mailable.readers),
            most=MOST_PROOFS,
            **{"error": "", "done": None, **values},
        )

    def _entry(self, named: str) -> AgendaEntry:
        """Return an edition that is to be made or is on hold."""
        parts = named.split("/")
        if len(parts) != len(EditionName._fields):
            raise HTTPException(404)
        entry = self._front.entry(EditionName(*parts))
        if not entry.is_open:
            raise HTTPException(404)
        return entry

    def _mailable(self, found: ReaderSegment, search: "_Search") -> Mailable:
        digest = search.edition.partition("/")[0]
        return segments.find_mailable(
            self._readers, found.filter, digest, MOST_PROOFS, search.start, search.found
        )

    def _act(
        self,
        request: Request,
        found: ReaderSegment,
        act: Callable[[], None],
        onward: str,
        said: str,
        **typed: Any,
    ) -> Response:
        try:
            act()
        except InputError as error:
            status = 409 if isinstance(error, SegmentChanged) else 400
            return self._show(request, self._find(str(found.id)), status, error=sentence(error), **typed)
        return self._front.go(onward, said)

    def _find(self, segment: str) -> ReaderSegment:
        number = int(segment) if segment.isascii() and segment.isdigit() and len(segment) < 10 else 0
        found = segments.find_segment(self._readers, number)
        if found is None:
            raise HTTPException(404)
        return found

    def _show(self, request: Request, found: ReaderSegment, status: int = 200, **values: Any) -> Response:
        with self._front.desk.database.read() as session:
            agenda = list_agenda(session, self._front.desk.settings, self._front.now())
        return self._front.show(
            request,
            "segment",
            status,
            title=found.name,
            segment=found,
            query=urlencode(found.wanted),
            editions=[entry for one in agenda for entry in (one.coming, one.held) if entry is not None],
            **self._form({"called": found.name, "wanted": found.filter, **values}),
        )

    def _list(self, request: Request, status: int = 200, **values: Any) -> Response:
        return self._front.show(
            request,
            "segments",
            status,
            title="Segments",
            segments=segments.list_segments(self._readers),
            **self._form(values),
        )

    def _form(self, values: Mapping[str, Any]) -> dict[str, Any]:
        offered = filter_values(self._front.desk.settings, self._languages)
        return {**offered, "error": "", "called": "", **values}

    def _wanted(self, request: Request) -> ReaderFilter:
        get = self._front.get
        return ReaderFilter(**{name: get(request, name).strip()[:_LONGEST] for name in FILTER_FIELDS})

    def _seen(self, request: Request, name: str) -> int:
        written = self._front.get(request, name)
        return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else -1


def filter_values(settings: Settings, languages: Sequence[str]) -> dict[str, Any]:
    """Return the options of the fields of a search for readers."""
    return {
        "digests": settings.digests,
        "states": list(SubscriptionState),
        "cadences": sorted({name for digest in settings.digests for name in digest.cadences}),
        "topics": sorted({topic for digest in settings.digests for topic in digest.topics}),
        "languages": languages,
    }
