"""An edition on the desk: its line-up, its words, and what becomes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from sqlmodel import Session
from starlette.responses import Response

from digest.articles.introductions import introduce
from digest.errors import InputError, Unreachable
from digest.models import DeskAct, EditionName, EditionState, Reach, Role
from digest.tasks.alerts.alerts import list_shown
from digest.tasks.desk import drafts as changes
from digest.tasks.desk.agenda import AgendaEntry, describe_progress, list_activity, list_agenda
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.drafts import ChangedMeanwhile, Edit
from digest.tasks.desk.lineup import line_up
from digest.tasks.desk.pausing import pause_edition, resume_edition
from digest.tasks.ledger.audit import account, slowed_by
from digest.web.desk.pages import DeskPages, sentence

_ACTS_SHOWN = 50
Change = Callable[[Desk, Edit], None]


@dataclass(frozen=True, slots=True)
class DraftForm:
    """What an editor typed, to be shown again beside what is wrong with it, or what came between."""

    subject: str = ""
    introduction: str = ""
    added: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of an edition's page that another room draws: its template and what that shows."""

    template: str
    values: Mapping[str, object]


class EditionPages:
    """The desk's front page, and a page for each edition; `panels` adds parts to the latter."""

    def __init__(
        self, front: DeskPages, panels: Sequence[Callable[[Session, AgendaEntry], Panel | None]] = ()
    ) -> None:
        self._front = front
        self._panels = panels

    def home(self, request: Request) -> Response:
        """Show what is next for each digest and cadence."""
        with self._front.desk.database.read() as session:
            agenda = list_agenda(session, self._front.desk.settings, self._front.now())
            alerts = list_shown(session, self._front.desk.settings, self._front.now())
            sums = {str(one.last.name): account(session, one.last.edition)
                    for one in agenda if one.last and one.last.edition}  # fmt: skip
        return self._front.show(request, "home", title="The desk", agenda=agenda, sums=sums, alerts=alerts)

    def edition(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Show an edition."""
        return self._show(request, EditionName(digest, cadence, period))

    def shape(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Move, pin, leave out or take back one article."""
        field = self._front.get(request, "article")
        article_id = int(field) if field.isascii() and field.isdigit() and len(field) < 10 else 0
        change = self._shaping(request, article_id)
        return self._act(request, EditionName(digest, cadence, period), change, place=f"a{article_id}")

    def _shaping(self, request: Request, article_id: int) -> Change:
        before = self._front.get(request, "before")
        other = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
        known: dict[str, Change] = {
            "up": lambda desk, hand: changes.step(desk, hand, article_id, -1),
            "down": lambda desk, hand: changes.step(desk, hand, article_id, 1),
            "lead": lambda desk, hand: changes.lead(desk, hand, article_id),
            "move": lambda desk, hand: changes.move_before(desk, hand, article_id, other),
            "pin": lambda desk, hand: changes.pin(desk, hand, article_id),
            "unpin": lambda desk, hand: changes.unpin(desk, hand, article_id),
            "hide": lambda desk, hand: changes.hide(desk, hand, article_id),
            "unhide": lambda desk, hand: changes.unhide(desk, hand, article_id),
        }
        return known.get(self._front.get(request, "do"), _nothing)

    def add(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Add an article that is no candidate by itself."""
        named = self._front.get(request, "named")[:2000]
        reach = Reach.ALL if self._front.get(request, "reach") == Reach.ALL else Reach.TOPICS
        return self._act(
            request,
            EditionName(digest, cadence, period),
            lambda desk, hand: changes.add(desk, hand, named, reach),
            typed=DraftForm(added=named),
        )

    def write(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Save the subject and the introduction, or only show how they look."""
        typed = DraftForm(self._front.get(request, "subject"), self._front.get(request, "introduction"))
        name = EditionName(digest, cadence, period)
        if self._front.get(request, "do") == "look":
            return self._show(request, name, typed=typed)
        return self._act(
            request,
            name,
            lambda desk, hand: changes.write(desk, hand, typed.subject, typed.introduction),
            typed=typed,
            said="saved",
            place="words",
        )

    def approve(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Approve what was seen."""
        return self._act(request, EditionName(digest, cadence, period), changes.approve, said="approved")

    def hold(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Put the edition on hold."""
        return self._act(request, EditionName(digest, cadence, period), changes.hold, said="held")

    def let_go(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """End a hold; after the deadline that sends the edition, so a publisher does it."""
        name = EditionName(digest, cadence, period)
        if self._front.entry(name).edition and self._front.visit(request).editor.role != Role.PUBLISHER:
            return self._show(request, name, status=403, error="A publisher lets an edition go that is late.")
        return self._act(request, name, changes.let_go, said="let-go")

    def pause(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Pause delivery."""
        return self._act(request, EditionName(digest, cadence, period), pause_edition, said="paused")

    def resume(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Let delivery go on."""
        return self._act(request, EditionName(digest, cadence, period), resume_edition, said="resumed")

    def _act(
        self,
        request: Request,
        name: EditionName,
        change: Change,
        *,
        typed: DraftForm | None = None,
        said: str = "changed",
        place: str = "",
    ) -> Response:
        """Do it and go back to the page, or show what stands in the way, with what was typed."""
        self._front.entry(name)
        try:
            change(self._front.desk, self._front.hand(request, name))
        except ChangedMeanwhile as meanwhile:
            return self._show(request, name, status=409, meanwhile=meanwhile.acts, typed=typed)
        except (InputError, Unreachable) as error:
            return self._show(request, name, status=400, error=sentence(error), typed=typed)
        return self._front.go(name.path, said, place)

    def _show(
        self,
        request: Request,
        name: EditionName,
        *,
        status: int = 200,
        error: str = "",
        meanwhile: Sequence[DeskAct] = (),
        typed: DraftForm | None = None,
    ) -> Response:
        entry = self._front.entry(name)
        with self._front.desk.database.read() as session:
            values = self._open(session, entry, typed) if entry.is_open else self._made(session, entry)
            acts = list_activity(session, name, _ACTS_SHOWN)
            panels = [panel for make in self._panels if (panel := make(session, entry))]
        return self._front.show(
            request,
            "edition" if entry.is_open else "progress",
            status,
            title=f"{entry.digest.title}, {name.cadence}",
            entry=entry,
            acts=acts,
            panels=panels,
            error=error,
            meanwhile=meanwhile,
            **values,
        )

    def _open(self, session: Session, entry: AgendaEntry, typed: DraftForm | None) -> dict[str, Any]:
        draft = entry.draft
        words = typed or DraftForm(draft.subject, draft.introduction)
        if typed and typed.added:
            words = DraftForm(draft.subject, draft.introduction, typed.added)
        site = self._front.desk.settings.site
        lineup = line_up(session, entry.digest, draft, self._front.now())
        return {
            "lineup": lineup,
            "typed": words,
            "unsaved": bool(typed) and not (typed and typed.added),
            "introduction": introduce(words.introduction[: changes.LONGEST_INTRODUCTION], site.base_url),
        }

    def _made(self, session: Session, entry: AgendaEntry) -> dict[str, Any]:
        assert entry.edition is not None  # noqa: S101 - it is made
        progress = describe_progress(session, entry.edition)
        total = account(session, entry.edition)
        return {
            "sum": total,
            "settled": total.total - total.open,
            "deferred": progress.deferred,
            "reasons": progress.reasons,
            "next_due_at": progress.next_due_at,
            "slowed": slowed_by(session, self._front.desk.settings, self._front.now()),
            "runs": entry.edition.state in (EditionState.COMPILING, EditionState.FROZEN),
        }


def _nothing(_desk: Desk, _hand: Edit) -> None:
    raise InputError("this button is not known; reload the page")
