"""The page of an edition that is not made yet: line-up, words, and whether it is sent.

All of the page is one form, so that every button also sends what was typed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from digest.articles.introductions import introduce
from digest.errors import InputError, Unreachable
from digest.models import DeskAct, EditionName, Reach, Role
from digest.settings import DigestSettings
from digest.tasks.alerts.alerts import describe
from digest.tasks.desk import draft_articles as placing
from digest.tasks.desk import drafts as changes
from digest.tasks.desk.agenda import AgendaEntry, can_undo, list_activity
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import LONGEST_INTRODUCTION, ChangedMeanwhile, DraftWords, Edit
from digest.tasks.desk.lineup import Lineup, blocks_by_part, line_up, line_up_for
from digest.tasks.desk.proofs import moment_of
from digest.tasks.editions.preview import Viewer
from digest.web.desk.pages import DeskPages, sentence
from digest.web.desk.progress import ProgressPages

Change = Callable[[Desk, Edit], None]
_CARRIED = ("named", "reach", "note")
"""The fields beside the edition's words: what is typed in them stays, whatever button is pressed."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of an edition's page that another module provides: a template and its values."""

    template: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class EditionTrouble:
    """What a page shows instead of the result of an act: the error, or the articles that a search found."""

    status: int = 200
    error: str = ""
    meanwhile: Sequence[DeskAct] = ()
    found_by: str = ""


class EditionPages:
    """The page of each edition; `panels` add parts to it."""

    def __init__(
        self,
        front: DeskPages,
        progress: ProgressPages,
        panels: Sequence[Callable[[Session, AgendaEntry], Panel | None]] = (),
    ) -> None:
        self._front = front
        self._progress = progress
        self._panels = panels

    def edition(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Show an edition."""
        return self._show(request, EditionName(digest, cadence, period))

    def shape(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Move, pin, leave out or restore one article, reorder sections, undo, or save the words."""
        name = EditionName(digest, cadence, period)
        act, _, field = self._front.get(request, "do").partition(" ")
        article_id = _number(field or self._front.get(request, "article"))
        if act == "look":
            return self._show(request, name, EditionTrouble())
        if act == "save":
            return self._act(request, name, changes.save_words, said="saved", place="words")
        if act == "block":
            onward = f"{name.path}/block/{field if field.isdigit() else 'new'}"
            return self._act(request, name, changes.save_words, said="preview", onward=onward)
        if act == "undo":
            return self._act(request, name, changes.undo, said="undone", carried={"did": act})
        if act in ("section-up", "section-down"):
            by = -1 if act == "section-up" else 1
            return self._act(
                request,
                name,
                lambda desk, edit: changes.move_section(desk, edit, field, by),
                carried={"at": f"s-{field}", "did": act},
            )
        change = self._shaping(request, act, article_id)
        return self._act(request, name, change, carried={"at": str(article_id), "did": act})

    def _shaping(self, request: Request, act: str, article_id: int) -> Change:
        other = _number(self._front.get(request, "before")) or None
        known: dict[str, Change] = {
            "up": lambda desk, edit: placing.step(desk, edit, article_id, -1),
            "down": lambda desk, edit: placing.step(desk, edit, article_id, 1),
            "lead": lambda desk, edit: placing.lead(desk, edit, article_id),
            "move": lambda desk, edit: placing.move_before(desk, edit, article_id, other),
            "pin": lambda desk, edit: placing.pin(desk, edit, article_id),
            "unpin": lambda desk, edit: placing.unpin(desk, edit, article_id),
            "hide": lambda desk, edit: placing.hide(desk, edit, article_id),
            "unhide": lambda desk, edit: placing.unhide(desk, edit, article_id),
            "reset": changes.reset_order,
        }
        return known.get(act, _nothing)

    def add(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Add an article that is not a candidate; words from a title list the articles that have them."""
        picked, named = self._front.get(request, "pick"), self._front.get(request, "named")[:2000]
        reach = Reach.ALL if self._front.get(request, "reach") == Reach.ALL else Reach.TOPICS
        name = EditionName(digest, cadence, period)
        if not picked and named.strip() and not named.strip().isdigit() and "://" not in named:
            return self._show(request, name, EditionTrouble(found_by=named))
        named = picked or named
        return self._act(
            request, name, lambda desk, edit: placing.add(desk, edit, named, reach), used="named"
        )

    def note(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Leave a note to colleagues."""
        text, name = self._front.get(request, "note"), EditionName(digest, cadence, period)
        return self._act(
            request, name, lambda desk, edit: changes.leave_note(desk, edit, text), said="noted", used="note"
        )

    def approve(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Approve the edition with the words of the form."""
        return self._act(request, EditionName(digest, cadence, period), changes.approve, said="approved")

    def hold(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Put the edition on hold."""
        return self._act(request, EditionName(digest, cadence, period), changes.hold, said="held")

    def release(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Release a hold; after the deadline that sends the edition, so only a publisher may."""
        name = EditionName(digest, cadence, period)
        role = Role(self._front.visit(request).editor.role)
        if self._front.entry(name).edition and not role.includes(Role.PUBLISHER):
            error = "Only a publisher can release an edition after its deadline."
            return self._show(request, name, EditionTrouble(403, error))
        return self._act(request, name, changes.release, said="let-go")

    def to_preview(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Save the form, and go to the preview."""
        name = EditionName(digest, cadence, period)
        return self._act(request, name, changes.save_words, said="preview", onward=f"{name.path}/preview")

    def save_first(self, request: Request, name: EditionName) -> Response | bool:
        """Save the form; return whether that changed anything, or a page if it could not be saved."""
        edit, draft = self._front.edit(request, name), self._front.entry(name).draft
        if edit.words is None or edit.words.tidied() == DraftWords.of(draft):
            return False
        answer = self._act(request, name, changes.save_words)
        return answer if answer.status_code != _SEE_OTHER else True

    def _act(
        self,
        request: Request,
        name: EditionName,
        change: Change,
        *,
        said: str = "changed",
        place: str = "",
        used: str = "",
        onward: str = "",
        carried: Mapping[str, str] | None = None,
    ) -> Response:
        """Do it and return to the page, or show the error with all that was typed.

        The field that was `used` is emptied; the others keep what was typed.
        """
        entry = self._front.entry(name)
        edit = self._front.edit(request, name)
        stood = DraftWords.of(entry.draft)
        try:
            change(self._front.desk, edit)
        except ChangedMeanwhile as meanwhile:
            trouble = EditionTrouble(409, meanwhile.done, meanwhile.acts)
            return self._show(request, name, trouble)
        except (InputError, Unreachable) as error:
            return self._show(request, name, EditionTrouble(400, sentence(error)))
        if edit.words is not None and edit.words.tidied() != stood and said in _SAYS_WORDS:
            said = f"{said}-words"
        typed = {key: self._front.get(request, key)[:2000] for key in _CARRIED if key != used}
        typed = {key: value for key, value in typed.items() if value and value != Reach.TOPICS}
        said = "" if said == "preview" else said
        return self._front.go(onward or name.path, said, place, **(typed | dict(carried or {})))

    def _show(
        self,
        request: Request,
        name: EditionName,
        trouble: EditionTrouble = EditionTrouble(),
    ) -> Response:
        entry = self._front.entry(name)
        if not entry.is_open:
            return self._progress.show(request, entry, trouble.status, trouble.error, self._drawn(entry))
        typed = self._front.words(request) if hasattr(request.state, "form") else None
        with self._front.desk.database.read() as session:
            self._front.desk.related.prepare(session, entry.digest, moment_of(entry, self._front.now()))
            values = self._values(session, request, entry, typed)
            found = placing.find_articles(session, self._front.desk.settings, trouble.found_by)
        return self._front.show(
            request,
            "edition",
            trouble.status,
            title=f"{entry.digest.title}, {name.cadence}",
            entry=entry,
            panels=self._drawn(entry),
            alerts=describe(self._front.find_refused()),
            error=trouble.error,
            meanwhile=trouble.meanwhile,
            found=found,
            asked=trouble.found_by,
            unsaved=typed is not None and typed.tidied() != DraftWords.of(entry.draft),
            **values,
        )

    def _drawn(self, entry: AgendaEntry) -> list[Panel]:
        with self._front.desk.database.read() as session:
            return [panel for make in self._panels if (panel := make(session, entry))]

    def _values(
        self, session: Session, request: Request, entry: AgendaEntry, typed: DraftWords | None
    ) -> dict[str, Any]:
        draft, site, now = entry.draft, self._front.desk.settings.site, self._front.now()
        words = typed or DraftWords.of(draft)
        at = moment_of(entry, now)
        reader = request.query_params.get("reader", "")[:320].strip()
        wrong, own = "", None
        if reader:
            try:
                own = line_up_for(session, entry.digest, draft, Viewer(reader), at)
            except InputError as error:
                wrong = sentence(error)
        shown = own or line_up(session, entry.digest, draft, at)
        return {
            "waits_until": _waiting(entry.digest),
            "lineup": shown,
            "reader": reader if own else "",
            "asked_reader": reader,
            "reader_error": wrong,
            "typed": words,
            "fields": self._fields(request),
            "at": request.query_params.get("at", ""),
            "did": request.query_params.get("did", ""),
            "introduction": introduce(words.introduction[:LONGEST_INTRODUCTION], site.base_url),
            "blocks": _blocks_by_part(shown, entry, site.base_url),
            "acts": list_activity(session, entry.name),
            "can_undo": can_undo(session, draft),
        }

    def _fields(self, request: Request) -> dict[str, str]:
        """Return what was typed in the page's other fields."""
        form = request.state.form if hasattr(request.state, "form") else request.query_params
        return {name: str(form.get(name, ""))[:2000] for name in _CARRIED}


def _blocks_by_part(shown: Lineup, entry: AgendaEntry, base_url: str) -> list[list[tuple[int, str]]]:
    """Return the free blocks, numbered and as HTML, that follow the lead and each section of a line-up."""
    blocks = entry.draft.blocks
    return [
        [(number, introduce(blocks[number]["text"], base_url)) for number in part]
        for part in blocks_by_part(shown, entry.digest, entry.draft)
    ]


def _waiting(digest: DigestSettings) -> str:
    """Return a sentence on the readers that an edition waits for; empty if there are none."""
    if digest.min_articles < 2 and "min_articles" not in digest.reader_choices:
        return ""
    hours = digest.max_wait.total_seconds() / 3600
    span = f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"
    least = f"fewer than {digest.min_articles} new articles" if digest.min_articles > 1 else ""
    who = f"Readers with {least or 'fewer new articles than they asked for'}"
    return f"{who} wait until there are enough, or until the oldest has waited {span}."


_SEE_OTHER = 303
_SAYS_WORDS = {"changed", "approved", "held", "let-go", "preview"}


def _number(field: str) -> int:
    return int(field) if field.isascii() and field.isdigit() and len(field) < 10 else 0


def _nothing(_desk: Desk, _hand: Edit) -> None:
    raise InputError("this button is not known; reload the page")
