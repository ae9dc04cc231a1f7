"""The list of readers: searched, filtered, paged; adding one; and the suppression of an address."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from digest.errors import InputError
from digest.models.subscriber import ReaderFilter
from digest.rules.readers.address import normalise, tidy_name
from digest.tasks.readers import on_request, reader_views
from digest.tasks.readers.enrolment import Enrolled, NewReader, Terms, enrol_one
from digest.tasks.readers.lists.segments import list_segments
from digest.tasks.readers.readers import Readers
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, read_row_id, sentence
from digest.web.newsroom.segments import FILTER_FIELDS, filter_values

READERS = f"{HOME}/readers"
_LONGEST, _LONGEST_WORDING = 254, 500
_NOTHING = MappingProxyType(dict.fromkeys(("address", "name", "digest", "wording"), ""))
_ADDED = {
    Enrolled.ADDED: "is added",
    Enrolled.ASKED: "is asked: the next run mails the confirmation",
    Enrolled.CHANGED: "is confirmed",
    Enrolled.UNCHANGED: "is a reader already, and nothing changes",
    Enrolled.KEPT: "is not changed",
    Enrolled.LIMITED: "is not asked",
    Enrolled.LEFT: "is not added",
    Enrolled.SUPPRESSED: "is not added",
}


class ReaderListPages:
    """The list of readers, for operators."""

    def __init__(self, front: DeskPages, readers: Readers, languages: Sequence[str]) -> None:
        self._front = front
        self._readers = readers
        self._languages = languages

    def list(self, request: Request) -> Response:
        """Show a page of the readers who match."""
        return self._show(request)

    def add(self, request: Request) -> Response:
        """Add one reader, who agreed to a wording or is asked by mail."""
        front, readers = self._front, self._readers
        typed = {name: front.get(request, name).strip()[:_LONGEST] for name in ("address", "name", "digest")}
        wording = " ".join(front.get(request, "wording").split())[:_LONGEST_WORDING]
        try:
            digest = readers.find_digest(typed["digest"]) or front.desk.settings.digests[0]
            newcomer = NewReader(normalise(typed["address"]), tidy_name(typed["name"]) or None)
            remedy = "change them on the reader's page"
            terms = Terms(digest, wording or None, origin_of(front, request), front.now(), remedy=remedy)
            done = enrol_one(readers, newcomer, terms)
        except InputError as error:
            return self._show(request, 400, error=sentence(error), typed={**typed, "wording": wording})
        said = f"{newcomer.address.address} {_ADDED[done.result]}"
        if done.why:
            return self._show(request, 409, error=f"{said}: {done.why}.", typed={**typed, "wording": wording})
        return self._show(request, done=f"{said}.")

    def suppress(self, request: Request) -> Response:
        """Suppress an address, whether or not a reader has it."""
        front = self._front
        address = front.get(request, "address").strip()[:_LONGEST]
        try:
            on_request.suppress(self._readers, address, front.now(), origin_of(front, request))
        except InputError as error:
            return self._show(request, 400, error=sentence(error), address=address)
        return self._show(request, done=f"{address} is suppressed. Nothing is mailed to it any more.")

    def unsuppress(self, request: Request) -> Response:
        """Lift the suppression of an address, at its holder's request."""
        front = self._front
        address = front.get(request, "address")
        try:
            reason = on_request.unsuppress(self._readers, address, front.now(), origin_of(front, request))
        except InputError as error:
            return self._show(request, status=400, error=sentence(error), address=address)
        return self._show(
            request,
            done=f"{address} was suppressed ({reason}) and is no longer. "
            "It gets nothing before its holder signs up and confirms again.",
        )

    def _show(
        self,
        request: Request,
        status: int = 200,
        *,
        error: str = "",
        done: str = "",
        address: str = "",
        typed: Mapping[str, str] = _NOTHING,
    ) -> Response:
        asked = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in FILTER_FIELDS}
        wanted = ReaderFilter(**asked)
        below = read_row_id(request.query_params.get("below", ""))
        page = reader_views.list_page(self._readers, wanted, below)
        settings = self._front.desk.settings
        query = urlencode({name: value for name, value in asked.items() if value})
        return self._front.show(
            request,
            "readers",
            status,
            title="Readers",
            page=page,
            wanted=wanted,
            query=query,
            is_first=below is None,
            error=error,
            done=done,
            address=address,
            typed=typed,
            segments=list_segments(self._readers),
            **filter_values(settings, self._languages),
        )


def origin_of(front: DeskPages, request: Request) -> dict[str, str]:
    """Return what the consent record stores about a change at the desk: the editor."""
    return {"desk": front.who(request)}
