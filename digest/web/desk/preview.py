"""Preview of an edition as a given reader would get it: the same bytes, shown in sandboxed frames."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from digest.errors import InputError, StillComparing, Unreachable
from digest.models import EditionName
from digest.tasks.desk.proofs import look, moment_of, read_moment, send_proof
from digest.tasks.editions.preview import Preview, Viewer, describe
from digest.web.desk.edition import EditionPages
from digest.web.desk.pages import DeskPages, sentence

_WIDE = 600
WIDTHS = {"600": "Desktop, 600 px", "1200": "Wide, 1,200 px", "360": "Phone, 360 px"}

Text = Annotated[str, Query(max_length=400)]
Topics = Annotated[list[str], Query(max_length=100)]

_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_SCHEMES = re.compile(r'(<meta name="(?:supported-)?color-schemes?" content=")[^"]*"')
_FRAME = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src {images}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_WAITS = (
    '<!DOCTYPE html>\n<html lang="en"><title>Preview</title>\n'
    "<p>Articles are being compared, to find the related ones. "
    "The message shows in a moment; reload it if it does not.\n"
)
_WAITING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """The query of a preview: reader, time, colour scheme, width."""

    address: str
    topics: tuple[str, ...]
    language: str
    at: str
    width: str
    dark: bool
    images: bool

    @property
    def view(self) -> Viewer:
        """Return whose edition to show."""
        return Viewer(self.address.strip(), self.topics, self.language.strip())

    def query(self, at: datetime) -> str:
        """Return the query that shows the same preview again."""
        fields: list[tuple[str, str]] = [("topics", topic) for topic in self.topics]
        named = {"address": self.address, "language": self.language, "at": at.isoformat()}
        fields += [(key, value) for key, value in named.items() if value]
        fields += [("dark", "1")] * self.dark + [("images", "0")] * (not self.images)
        return urlencode(fields)


class PreviewPages:
    """The preview of an edition that is not made yet, and the proof of it that is mailed."""

    def __init__(self, front: DeskPages, edition: EditionPages) -> None:
        self._front = front
        self._edition = edition

    def preview(
        self,
        request: Request,
        digest: str,
        cadence: str,
        period: str,
        address: Text = "",
        topics: Topics = [],  # noqa: B006 - FastAPI copies it
        language: Text = "",
        at: Text = "",
        width: Text = "600",
        dark: Text = "",
        images: Text = "1",
    ) -> Response:
        """Show an edition as a reader would get it, with the facts of its message."""
        entry = self._front.open_entry(EditionName(digest, cadence, period))
        width = width if width in WIDTHS else "600"
        asked = PreviewRequest(address, tuple(topics), language, at, width, dark == "1", images != "0")
        shown, error, waits, moment = None, "", False, moment_of(entry, self._front.now())
        try:
            moment = read_moment(self._front.desk, at, moment)
            shown = look(self._front.desk, entry, asked.view, moment, soon=True)
        except StillComparing:
            waits = True
        except InputError as problem:
            error = sentence(problem)
        return self._front.show(
            request,
            "preview",
            400 if error else 200,
            title="Preview",
            entry=entry,
            asked=asked,
            error=error,
            waits=waits,
            again=f"{request.url.path}?{request.url.query}",
            widths=WIDTHS,
            at=moment,
            query=asked.query(moment),
            **self._facts(shown, width),
        )

    def frame(
        self,
        digest: str,
        cadence: str,
        period: str,
        address: Text = "",
        topics: Topics = [],  # noqa: B006 - FastAPI copies it
        language: Text = "",
        at: Text = "",
        dark: Text = "",
        images: Text = "1",
    ) -> Response:
        """Return the message's HTML for a frame, with links that do nothing."""
        entry = self._front.open_entry(EditionName(digest, cadence, period))
        view = Viewer(address.strip(), tuple(topics), language.strip())
        try:
            moment = read_moment(self._front.desk, at, moment_of(entry, self._front.now()))
            page, _ = look(self._front.desk, entry, view, moment, soon=True).parts(inert=True)
        except StillComparing as waits:
            again = {"Retry-After": waits.retry_after or "1", "Refresh": waits.retry_after or "1"}
            return HTMLResponse(_WAITS, 503, {**again, "Content-Security-Policy": _WAITING})
        except InputError as error:
            raise HTTPException(404) from error
        allowed = "https: http: data:" if images != "0" else "'none'"
        policy = {"Content-Security-Policy": _FRAME.format(images=allowed)}
        return HTMLResponse(as_scheme(page, dark=dark == "1"), headers=policy)

    def proof(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Mail a proof to the editor who asks for it."""
        entry = self._front.open_entry(EditionName(digest, cadence, period))
        form = request.state.form
        topics = tuple(str(topic)[:100] for topic in form.getlist("topics"))
        view = Viewer(
            self._front.get(request, "address").strip(), topics, self._front.get(request, "language")
        )
        saved = self._edition.save_first(request, entry.name)
        if isinstance(saved, Response):
            return saved
        try:
            editor = self._front.visit(request).editor
            send_proof(self._front.desk, self._front.open_entry(entry.name), editor, view, self._front.now())
        except (InputError, Unreachable) as error:
            status = 400 if isinstance(error, InputError) else 502
            return self._front.show(
                request, "trouble", status, title="The proof was not sent", entry=entry, error=sentence(error)
            )
        return self._front.go(entry.name.path, "proof-words" if saved else "proof")

    def _facts(self, shown: Preview | None, width: str) -> Mapping[str, Any]:
        if shown is None:
            return {"facts": None}
        facts = describe(shown)
        known = {**shown.titles, **(shown.last.titles if shown.last else {})}
        head, _, _ = shown.inert.partition(b"\r\n\r\n")
        text = shown.parts(inert=True)[1]
        return {
            "facts": facts,
            "text": text,
            "height": estimate_height(text, int(width)),
            "head": head.decode("utf-8", "replace"),
            "names": {key: [known[one] for one in facts[key]] for key in ("new", "gone", "shortened")},
        }


def estimate_height(text: str, width: int) -> int:
    """Estimate the height of a message from its plain text; browsers with scripts measure it instead.

    In plain text a link has a line of its own; in HTML it is part of a title.
    """
    lines = [line for line in text.splitlines() if line.strip() and "://" not in line]
    return 700 + len(lines) * (32 if width >= _WIDE else 56)


def as_scheme(page: str, *, dark: bool) -> str:
    """Return a message as it looks in a dark or light mail program, whatever this browser's setting."""
    page = _SCHEMES.sub(lambda meta: f'{meta[1]}{"dark" if dark else "light"}"', page)
    return _DARK.sub("(min-width: 0)" if dark else "(max-width: 0)", page)
