"""One reader's page: all that is stored about them, and changes at their request."""

from collections.abc import Callable, Sequence
from datetime import datetime

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import SUBSCRIBED
from digest.rules.readers.consent import EVERY_TOPIC
from digest.tasks.readers import on_request, privacy
from digest.tasks.readers.on_request import Change, ReaderChanged
from digest.tasks.readers.reader_views import ReaderRecord, find_record
from digest.tasks.readers.readers import Readers
from digest.web.desk.pages import DeskPages, sentence
from digest.web.newsroom.readers import READERS, origin_of


class ReaderRecordPages:
    """A reader's record, for operators; each change is recorded with the operator's address."""

    def __init__(self, front: DeskPages, readers: Readers, languages: Sequence[str]) -> None:
        self._front = front
        self._readers = readers
        self._languages = languages

    def show(self, request: Request, reader: str) -> Response:
        """Show what is stored about a reader."""
        return self._show(request, self._find(reader))

    def change(self, request: Request, reader: str) -> Response:
        """Save the choices for one digest, or the reader's name, language and time zone."""
        seen = self._seen(request)

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            on_request.set_choices(
                self._readers, record.reader.address, self._digest(request), self._wanted(request), now,
                origin, seen=seen,
            )  # fmt: skip

        return self._act(request, reader, act, said="saved")

    def pause(self, request: Request, reader: str) -> Response:
        """Pause a digest, until a date or until it is resumed."""

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            until = self._day(self._front.get(request, "until"), now)
            change = Change(paused=True, until=until)
            on_request.set_choices(
                self._readers, record.reader.address, self._digest(request), change, now, origin
            )

        return self._act(request, reader, act, said="reader-paused", seen=self._seen(request))

    def resume(self, request: Request, reader: str) -> Response:
        """End the pause of a digest."""

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            on_request.resume(self._readers, record.reader.address, self._digest(request), now, origin)

        return self._act(
            request, reader, act, said="reader-resumed", seen=self._front.get(request, "version")
        )

    def leave(self, request: Request, reader: str) -> Response:
        """End a subscription."""

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            on_request.leave(self._readers, record.reader.address, self._digest(request), now, origin)

        return self._act(request, reader, act, said="reader-left")

    def send_link(self, request: Request, reader: str) -> Response:
        """Mail the reader the link to their own page."""

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            on_request.send_link(self._readers, record.reader.address, now, origin)

        return self._act(request, reader, act, said="link-sent")

    def move(self, request: Request, reader: str) -> Response:
        """Change the reader's address; the old one is told by mail."""

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            to = self._front.get(request, "address")
            on_request.move(self._readers, record.reader.address, to, now, origin)

        return self._act(request, reader, act, said="reader-moved", seen=self._seen(request))

    def suppress(self, request: Request, reader: str) -> Response:
        """Suppress the address: every subscription ends, and no import brings it back."""

        def act(record: ReaderRecord, now: datetime, origin: dict[str, str]) -> None:
            on_request.suppress(self._readers, record.reader.address, now, origin)

        return self._act(request, reader, act, said="suppressed")

    def erase(self, request: Request, reader: str) -> Response:
        """Erase the reader once their address has been typed again; this cannot be undone."""
        record = self._find(reader)
        if self._front.get(request, "address").strip() != record.reader.address:
            return self._show(
                request, record, 400, error="Nothing was erased: type the reader's address to confirm."
            )
        try:
            _check_seen(record, self._seen(request))
        except ReaderChanged as error:
            return self._show(request, record, 409, error=sentence(error))
        privacy.erase(self._readers, record.reader.address, self._front.now())
        return self._front.go(READERS, "erased")

    def _act(
        self,
        request: Request,
        reader: str,
        act: Callable[[ReaderRecord, datetime, dict[str, str]], None],
        *,
        said: str,
        seen: str | None = None,
    ) -> Response:
        """Do it and show the reader again, or show the error with what was typed.

        Nothing is done if the reader was changed since they were `seen`, except what stops mail.
        """
        record = self._find(reader)
        try:
            _check_seen(record, seen)
            act(record, self._front.now(), origin_of(self._front, request))
        except ReaderChanged as error:
            return self._show(request, self._find(reader), 409, error=sentence(error))
        except InputError as error:
            return self._show(request, record, 400, error=sentence(error))
        return self._front.go(f"{READERS}/{reader}", said)

    def _find(self, reader: str) -> ReaderRecord:
        found = find_record(self._readers, reader)
        if found is None:
            raise HTTPException(404)
        return found

    def _show(
        self, request: Request, record: ReaderRecord, status: int = 200, *, error: str = ""
    ) -> Response:
        settings = self._front.desk.settings
        known = {digest.name: digest for digest in settings.digests}
        return self._front.show(
            request,
            "reader",
            status,
            title="A reader",
            record=record,
            typed=dict(request.state.form) if error else {},
            typed_topics=request.state.form.getlist("topic") if error else [],
            error=error,
            digests=known,
            active=SUBSCRIBED,
            every_topic=EVERY_TOPIC,
            languages=self._languages,
            can_change=any(row.state in SUBSCRIBED for row in record.subscriptions),
        )

    def _seen(self, request: Request) -> str:
        return self._front.get(request, "version")

    def _digest(self, request: Request) -> str | None:
        return self._front.get(request, "digest") or None

    def _wanted(self, request: Request) -> Change:
        """Read the posted choices for a digest, or the reader's details."""
        get = self._front.get
        if not get(request, "digest"):
            return Change(
                name=get(request, "name").strip(),
                language=self._language(get(request, "language")),
                timezone=get(request, "timezone").strip(),
            )
        topics = request.state.form.getlist("topic")
        every = get(request, "topics") == "all" or not topics
        return Change(
            cadence=get(request, "cadence") or None,
            topics=(EVERY_TOPIC,) if every else tuple(str(one) for one in topics),
            hour=_whole(get(request, "hour"), empty=-1, what="an hour"),
            most=_whole(get(request, "most"), empty=0, what="a number of articles"),
        )

    def _language(self, tag: str) -> str:
        if tag and tag not in self._languages:
            raise InputError(
                f'"{tag}" is not a language of this installation: pick {", ".join(self._languages)}'
            )
        return tag

    def _day(self, written: str, now: datetime) -> datetime | None:
        """Return the day on which a pause ends, in the publication's time zone; None for no end."""
        if not written.strip():
            return None
        try:
            until = datetime.strptime(written.strip(), "%Y-%m-%d")  # noqa: DTZ007 - its zone comes next
        except ValueError:
            raise InputError(f'"{written}" is not a date: write it as 2026-12-24') from None
        until = until.replace(tzinfo=self._front.desk.settings.zone)
        if until <= now:
            raise InputError(f'"{written}" is past: a pause ends on a day to come')
        return until


def _check_seen(record: ReaderRecord, seen: str | None) -> None:
    if seen is not None and seen != record.version:
        raise ReaderChanged(
            "somebody else has changed this reader since you opened it: reload the page, then decide"
        )


def _whole(written: str, *, empty: int, what: str) -> int:
    if not written.strip():
        return empty
    if not (written.isascii() and written.strip().isdigit() and len(written.strip()) < 4):
        raise InputError(f'"{written}" is not {what}: write a whole number')
    return int(written)
