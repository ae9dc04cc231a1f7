"""One article in one edition: its title, text, section and picture there, whatever its source says."""

import io
from typing import IO

from anyio import to_thread
from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from digest.errors import InputError
from digest.models import Article, EditionName
from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.desk.draft_articles import (
    LONGEST,
    NO_IMAGE,
    change_article,
    find_articles,
    find_stored,
    show_picture,
)
from digest.tasks.desk.draft_versions import ChangedMeanwhile
from digest.web.desk.edition import EditionPages
from digest.web.desk.pages import DeskPages, sentence
from digest.web.shared.guard import MOST_PICTURE
from digest.web.shared.upload import Upload, receive_upload


class EditionArticlePages:
    """The page that edits an article for one edition, and the search for one to add."""

    def __init__(self, front: DeskPages, edition: EditionPages) -> None:
        self._front = front
        self._edition = edition

    def show(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Show an article as it is in an edition."""
        return self._show(request, self._front.open_entry(EditionName(digest, cadence, period)), number)

    def change(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Edit the article for this edition; when posted from the edition's page, save that first and come
        here."""
        name = EditionName(digest, cadence, period)
        entry = self._front.open_entry(name)
        if "title" not in request.state.form:
            saved = self._edition.save_first(request, name)
            if isinstance(saved, Response):
                return saved
            return self._front.go(f"{name.path}/edit/{number}", "preview-words" if saved else "")
        typed = {key: self._front.get(request, key) for key in LONGEST if key in request.state.form}
        typed["image"] = "" if self._front.get(request, "picture") else NO_IMAGE
        do = self._front.get(request, "do")
        try:
            if do not in ("", "save", "restore"):
                raise InputError("this button is not known; reload the page")
            if do == "restore":
                typed = {}
            change_article(self._front.desk, self._front.edit(request, name), number, typed)
        except ChangedMeanwhile as meanwhile:
            entry = self._front.open_entry(name)
            return self._show(request, entry, number, 409, "", typed, meanwhile)
        except InputError as error:
            return self._show(request, entry, number, 400, sentence(error), typed)
        return self._front.go(name.path, "changed", at=str(number), did="edit")

    async def picture(
        self, request: Request, digest: str, cadence: str, period: str, number: int
    ) -> Response:
        """Upload a picture for an article, shown in this edition only."""
        gate, content = self._front.gate, io.BytesIO()

        def open_file(upload: Upload) -> IO[bytes]:
            gate.check_upload(request, upload.fields.get("form", ""))
            return content

        try:
            upload = await receive_upload(request, open_file, MOST_PICTURE)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        gate.check_upload(request, upload.fields.get("form", ""))
        request.state.form = FormData(upload.fields)
        name = EditionName(digest, cadence, period)
        return await to_thread.run_sync(lambda: self._take_picture(request, name, number, content.getvalue()))

    def _take_picture(self, request: Request, name: EditionName, number: int, content: bytes) -> Response:
        entry, alt = self._front.open_entry(name), self._front.get(request, "image_alt")
        try:
            if not content:
                raise InputError("choose the file of the picture")
            show_picture(self._front.desk, self._front.edit(request, name), number, content, alt)
        except ChangedMeanwhile as meanwhile:
            return self._show(
                request, self._front.open_entry(name), number, 409, "", {"described": alt}, meanwhile
            )
        except InputError as error:
            return self._show(request, entry, number, 400, sentence(error), {"described": alt})
        return self._front.go(f"{name.path}/edit/{number}", "picture")

    def find(self, request: Request, digest: str, cadence: str, period: str, q: str = "") -> Response:
        """Show the stored articles that some words find, as a fragment of the edition's page."""
        entry = self._front.open_entry(EditionName(digest, cadence, period))
        with self._front.desk.database.read() as session:
            found = find_articles(session, self._front.desk.settings, q)
        return self._front.show(request, "found", entry=entry, found=found, asked=q[:200])

    def _show(
        self,
        request: Request,
        entry: AgendaEntry,
        number: int,
        status: int = 200,
        error: str = "",
        typed: dict[str, str] | None = None,
        meanwhile: ChangedMeanwhile | None = None,
    ) -> Response:
        with self._front.desk.database.read() as session:
            article = find_stored(session, number)
        if article is None:
            raise HTTPException(404)
        own = entry.draft.changes.get(str(number), {})
        return self._front.show(
            request,
            "edition_article",
            status,
            title=f"Edit for this edition: {article.title}",
            entry=entry,
            article=article,
            own=own,
            shown={**_source(article), **own, **(typed or {})},
            topics=list(dict.fromkeys([*entry.digest.topics, *article.topics])),
            error=error,
            meanwhile=meanwhile.acts if meanwhile else (),
        )


def _source(article: Article) -> dict[str, str]:
    """Return an article's fields as its source has them."""
    section = (article.topics or [""])[0]
    texts = {name: str(getattr(article, name) or "") for name in LONGEST if name != "section"}
    return {**texts, "section": section, "image": ""}
