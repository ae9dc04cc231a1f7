"""Free blocks: the editors' own texts between the articles of an edition."""

from collections.abc import Sequence

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.articles.introductions import introduce
from digest.errors import InputError
from digest.models import DeskAct, EditionName
from digest.rules.editions.sections import AFTER_LEAD, AT_END, edition_topics, section_title
from digest.tasks.desk import drafts as changes
from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.desk.draft_versions import ChangedMeanwhile
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages, sentence

BLOCK = f"{HOME}/{{digest}}/{{cadence}}/{{period}}/block/{{number}}"
_NEW = "new"


class BlockPages:
    """The page of one free block, or of a new one."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, request: Request, digest: str, cadence: str, period: str, number: str) -> Response:
        """Show a block."""
        entry = self._front.open_entry(EditionName(digest, cadence, period))
        at = _number(number)
        if at is not None and at >= len(entry.draft.blocks):
            raise HTTPException(404)
        typed = entry.draft.blocks[at] if at is not None else {"place": AFTER_LEAD, "text": ""}
        return self._show(request, entry, at, typed)

    def save(self, request: Request, digest: str, cadence: str, period: str, number: str) -> Response:
        """Save or remove a block; any other button only previews its text."""
        name, at = EditionName(digest, cadence, period), _number(number)
        entry, do = self._front.open_entry(name), self._front.get(request, "do")
        typed = {key: self._front.get(request, key) for key in ("place", "text")}
        removed = at if do == "remove" else None
        if removed is None and do != "save":
            return self._show(request, entry, at, typed, shown=typed["text"])
        edit = self._front.edit(request, name)
        try:
            if removed is not None:
                changes.remove_block(self._front.desk, edit, removed)
            else:
                changes.save_block(self._front.desk, edit, at, typed["place"], typed["text"])
        except ChangedMeanwhile as meanwhile:
            return self._show(request, self._front.open_entry(name), at, typed, 409, meanwhile=meanwhile.acts)
        except InputError as error:
            return self._show(request, entry, at, typed, 400, error=sentence(error))
        return self._front.go(name.path, "changed")

    def _show(
        self,
        request: Request,
        entry: AgendaEntry,
        number: int | None,
        typed: dict[str, str],
        status: int = 200,
        *,
        error: str = "",
        shown: str = "",
        meanwhile: Sequence[DeskAct] = (),
    ) -> Response:
        topics = edition_topics(entry.digest.topics, entry.draft.sections)
        after = [(topic, f"After the section {section_title(topic)}") for topic in topics]
        base_url = self._front.desk.settings.site.base_url
        return self._front.show(
            request,
            "block",
            status,
            title="A free block",
            entry=entry,
            number=number,
            typed=typed,
            places=[(AFTER_LEAD, "After the lead"), *after, (AT_END, "After all sections")],
            error=error,
            shown=introduce(shown[: changes.LONGEST_BLOCK], base_url),
            meanwhile=meanwhile,
        )


def _number(written: str) -> int | None:
    """Return the number of a block in a path; None for a new block."""
    if written == _NEW:
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 4):
        raise HTTPException(404)
    return int(written)
