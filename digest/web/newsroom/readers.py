"""The list of readers: searched, filtered, paged; and lifting the suppression of an address."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from digest.errors import InputError
from digest.models.subscriber import ReaderFilter
from digest.tasks.readers import on_request, reader_views
from digest.tasks.readers.lists.segments import list_segments
from digest.tasks.readers.readers import Readers
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, read_row_id, sentence
from digest.web.newsroom.segments import FILTER_FIELDS, filter_values

READERS = f"{HOME}/readers"
_LONGEST = 254


class ReaderListPages:
    """The list of readers, for operators."""

    def __init__(self, front: DeskPages, readers: Readers, languages: Sequence[str]) -> None:
        self._front = front
        self._readers = readers
        self._languages = languages

    def list(self, request: Request) -> Response:
        """Show a page of the readers who match."""
        return self._show(request)

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
        self, request: Request, status: int = 200, *, error: str = "", done: str = "", address: str = ""
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
            segments=list_segments(self._readers),
            **filter_values(settings, self._languages),
        )


def origin_of(front: DeskPages, request: Request) -> dict[str, str]:
    """Return what the consent record stores about a change at the desk: the editor."""
    return {"desk": front.who(request)}
