"""The sources and their health: the last requests, the last error, and what can be done."""

from collections.abc import Callable

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import DigestError, InputError
from digest.tasks.sources import health as sources
from digest.tasks.sources.site import ask_source, preview_source
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, sentence

SOURCES = f"{HOME}/sources"


class SourcePages:
    """The sources of config.toml with their health; operators pause, resume and fetch them."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def list(self, request: Request) -> Response:
        """Show all sources in the settings' order."""
        return self._show(request)

    def pause(self, request: Request, source: str) -> Response:
        """Stop requesting a source until it is resumed."""
        desk, who = self._front.desk, self._front.who(request)
        return self._act(
            source,
            lambda: sources.pause_source(desk.database, desk.settings, source, who, self._front.now()),
            said="source-paused",
        )

    def resume(self, request: Request, source: str) -> Response:
        """Request a source again."""
        desk, who = self._front.desk, self._front.who(request)
        return self._act(
            source,
            lambda: sources.resume_source(desk.database, desk.settings, source, who, self._front.now()),
            said="source-resumed",
        )

    def fetch(self, request: Request, source: str) -> Response:
        """Have the next run request a source, whatever its schedule."""
        desk, who = self._front.desk, self._front.who(request)
        return self._act(
            source,
            lambda: sources.fetch_soon(desk.database, desk.settings, source, who, self._front.now()),
            said="fetched-soon",
        )

    def ask(self, request: Request, source: str) -> Response:
        """Show what a source sends at this moment, as it came."""
        try:
            answer = ask_source(self._front.desk.database, self._front.desk.settings, source)
        except DigestError as error:
            return self._show(request, 400, error=f"{source}: {sentence(error)}")
        return self._show(request, answer=answer)

    def preview(self, request: Request) -> Response:
        """Show the articles at a URL, and the lines of config.toml that make it a source."""
        address = self._front.get(request, "address")
        try:
            found = preview_source(self._front.desk.database, self._front.desk.settings, address)
        except DigestError as error:
            return self._show(request, 400, error=sentence(error), address=address)
        return self._show(request, found=found, address=address)

    def _act(self, source: str, act: Callable[[], None], *, said: str) -> Response:
        try:
            act()
        except InputError:
            raise HTTPException(404) from None
        return self._front.go(SOURCES, said, f"source-{source}")

    def _show(self, request: Request, status: int = 200, **values: object) -> Response:
        desk = self._front.desk
        return self._front.show(
            request,
            "sources",
            status,
            title="Sources",
            sources=sources.list_sources(desk.database, desk.settings),
            file=desk.settings.file.name,
            **{"error": "", "address": "", "found": None, "answer": None, **values},
        )
