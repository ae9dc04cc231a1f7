"""The sources and their health: found and added, changed and removed, where each lives, what can be done."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import DigestError, InputError
from digest.tasks.sources import health
from digest.tasks.sources.desk_sources import (
    ShownSource,
    SourceChanged,
    SourceUnknown,
    WantedSource,
    add_source,
    change_source,
    offered_topics,
    remove_source,
    show_source,
    wanted_of,
)
from digest.tasks.sources.site import SourceAnswer, ask_source, preview_source
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, read_row_id, sentence

SOURCES = f"{HOME}/sources"
STATES = ("failing", "stopped", "paused", "new", "fine", "overruled")
_POSTED_ONLY = ("preview", "add")
_AT_ONCE = 100
"""How many sources a page of the list shows."""
_FIELDS = ("address", "page", "name", "title", "language", "every", "settle", "max_new")
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class SourceSearch:
    """Which sources the list shows: those with these words, in this state ("" for any), from a place on."""

    words: str = ""
    state: str = ""
    start: int = 0

    @property
    def query(self) -> dict[str, str]:
        """Return the fields of the query that shows the same again."""
        fields = {"find": self.words, "state": self.state, "start": str(self.start or "")}
        return {name: value for name, value in fields.items() if value}

    def at(self, start: int) -> str:
        """Return the query of another page of it."""
        return urlencode(replace(self, start=start).query)

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Return whether a source is among them: each word is in its names, addresses or topics."""
        if self.state and row["state"] != self.state:
            return False
        named = (row["name"], row["title"], row["url"], row["feed_url"] or "", *row["topics"])
        text = " ".join(named).casefold()
        return all(word in text for word in self.words.casefold().split())


class SourcePages:
    """The sources with their health; operators add, change, pause, fetch and remove them."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def list(self, request: Request) -> Response:
        """Show all sources: those of config.toml in its order, then those added at the desk."""
        return self._list(request)

    def preview(self, request: Request) -> Response:
        """Show the articles at an address, the feeds of a page, and the form that makes it a source."""
        address, page = (self._front.get(request, name).strip()[:_LONGEST] for name in ("address", "page"))
        desk = self._front.desk
        try:
            found = preview_source(desk.database, desk.settings, address)
        except DigestError as error:
            return self._list(request, 400, error=sentence(error), address=address)
        wanted = WantedSource(found.url, page or (address if found.feeds else ""), found.name)
        return self._ask_about(request, wanted, found=found)

    def add(self, request: Request) -> Response:
        """Add a source to those of the desk."""
        desk, front, wanted = self._front.desk, self._front, self._wanted(request)
        try:
            added = add_source(desk.database, desk.settings, wanted, front.who(request), front.now())
        except InputError as error:
            return self._ask_about(request, wanted, 400, error=sentence(error))
        return front.go(f"{SOURCES}/{added.name}", "source-added")

    def show(self, request: Request, source: str) -> Response:
        """Show one source: where it lives, its settings, its health, and what was done to it."""
        if source in _POSTED_ONLY and not self._is_known(source):
            return self._front.go(SOURCES)  # reloaded, or gone on after a sign-in
        return self._show(request, source)

    def change(self, request: Request, source: str) -> Response:
        """Change the settings of a source of the desk."""
        desk, front, wanted = self._front.desk, self._front, self._wanted(request)
        return self._do(
            request,
            source,
            lambda: change_source(
                desk.database, desk.settings, source, self._seen(request), wanted, front.who(request),
                front.now(),
            ),
            f"{SOURCES}/{source}",
            "saved",
            wanted=wanted,
        )  # fmt: skip

    def remove(self, request: Request, source: str) -> Response:
        """Remove a source of the desk; its articles stay."""
        desk, front = self._front.desk, self._front
        hides = bool(front.get(request, "hide"))

        def act() -> None:
            who, now = front.who(request), front.now()
            remove_source(desk.database, source, self._seen(request), who, now, hides=hides)

        return self._do(request, source, act, f"{SOURCES}/{source}", "source-removed")

    def pause(self, request: Request, source: str) -> Response:
        """Stop fetching a source until it is resumed."""
        return self._act(request, source, health.pause_source, said="source-paused")

    def resume(self, request: Request, source: str) -> Response:
        """Fetch a source again."""
        return self._act(request, source, health.resume_source, said="source-resumed")

    def fetch(self, request: Request, source: str) -> Response:
        """Have the next run fetch a source, whatever its schedule."""
        return self._act(request, source, health.fetch_soon, said="fetched-soon")

    def ask(self, request: Request, source: str) -> Response:
        """Show what a source sends at this moment, as it came."""
        desk, is_alone = self._front.desk, self._is_alone(request)
        try:
            answer = ask_source(desk.database, desk.settings, source)
        except DigestError as error:
            if is_alone:
                return self._show(request, source, 400, error=sentence(error))
            return self._list(request, 400, error=f"{source}: {sentence(error)}")
        return self._show(request, source, answer=answer) if is_alone else self._list(request, answer=answer)

    def _act(self, request: Request, source: str, act: Callable[..., None], *, said: str) -> Response:
        desk = self._front.desk
        try:
            act(desk.database, desk.settings, source, self._front.who(request), self._front.now())
        except InputError:
            raise HTTPException(404) from None
        if self._is_alone(request):
            return self._front.go(f"{SOURCES}/{source}", said)
        return self._front.go(SOURCES, said, f"source-{source}", **self._search(request).query)

    def _do(
        self, request: Request, source: str, act: Callable[[], object], onward: str, said: str, **typed: Any
    ) -> Response:
        try:
            act()
        except SourceUnknown:
            raise HTTPException(404) from None
        except InputError as error:
            status = 409 if isinstance(error, SourceChanged) else 400
            return self._show(request, source, status, error=sentence(error), **typed)
        return self._front.go(onward, said)

    def _search(self, request: Request) -> SourceSearch:
        """Return what the list was asked for; a form in it brings that along."""
        form = request.state.form if hasattr(request.state, "form") else request.query_params
        words, state, start = (str(form.get(name, ""))[:100].strip() for name in ("find", "state", "start"))
        return SourceSearch(words, state if state in STATES else "", read_row_id(start) or 0)

    def _is_alone(self, request: Request) -> bool:
        """Return whether a form was on a source's own page, not in the list."""
        return self._front.get(request, "at") == "page"

    def _is_known(self, source: str) -> bool:
        try:
            show_source(self._front.desk.database, self._front.desk.settings, source)
        except SourceUnknown:
            return False
        return True

    def _seen(self, request: Request) -> int:
        written = self._front.get(request, "version")
        return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else -1

    def _wanted(self, request: Request) -> WantedSource:
        fields = {name: self._front.get(request, name).strip()[:_LONGEST] for name in _FIELDS}
        typed = re.split(r"[,;\s]+", self._front.get(request, "topics")[:_LONGEST].casefold())
        return WantedSource(**fields, topics=tuple(dict.fromkeys(filter(None, typed))))

    def _ask_about(
        self, request: Request, wanted: WantedSource, status: int = 200, **values: object
    ) -> Response:
        """Show the form that adds a source."""
        return self._front.show(
            request,
            "source_add",
            status,
            title="Add a source",
            wanted=wanted,
            offered=offered_topics(self._front.desk.settings),
            file=self._front.desk.settings.file.name,
            **{"error": "", "found": None, **values},
        )

    def _show(
        self,
        request: Request,
        source: str,
        status: int = 200,
        *,
        error: str = "",
        wanted: WantedSource | None = None,
        answer: SourceAnswer | None = None,
    ) -> Response:
        desk = self._front.desk
        try:
            found = show_source(desk.database, desk.settings, source)
        except SourceUnknown:
            raise HTTPException(404) from None
        rows = [row for row in health.list_sources(desk.database, desk.settings) if row["name"] == source]
        return self._front.show(
            request,
            "source",
            status,
            title=source,
            found=found,
            one=rows[0] if rows else None,
            overruled=next((row["overruled_by"] for row in rows if row["overruled_by"]), ""),
            wanted=wanted or (wanted_of(found.added) if found.added else None),
            is_ours=_is_ours(found),
            offered=offered_topics(desk.settings),
            file=desk.settings.file.name,
            error=error,
            answer=answer,
        )

    def _list(self, request: Request, status: int = 200, **values: object) -> Response:
        desk, search = self._front.desk, self._search(request)
        rows = health.list_sources(desk.database, desk.settings)
        found = [row for row in rows if search.matches(row)]
        start = search.start if search.start < len(found) else 0
        shown, counts = found[start : start + _AT_ONCE], Counter(row["state"] for row in rows)
        return self._front.show(
            request,
            "sources",
            status,
            title="Sources",
            sources=shown,
            search=search,
            total=len(rows),
            counts=counts,
            place=(start, start + len(shown), len(found)),
            earlier=search.at(max(0, start - _AT_ONCE)) if start else None,
            further=search.at(start + _AT_ONCE) if start + _AT_ONCE < len(found) else None,
            file=desk.settings.file.name,
            **{"error": "", "address": "", "answer": None, **values},
        )


def _is_ours(found: ShownSource) -> bool:
    """Return whether a source can be changed and removed here: the desk has it, and it was not removed."""
    return found.added is not None and found.added.removed_at is None
