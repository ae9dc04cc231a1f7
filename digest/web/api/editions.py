"""Drafts, editions and figures through the API."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from digest.articles.introductions import introduce
from digest.models import ApiScope, Edition, EditionName, EditionState
from digest.models.row import row_id
from digest.tasks.api import editions as tasks
from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.desk.lineup import blocks_by_part
from digest.tasks.ledger.running_sums import RunningSums
from digest.web.api.gate import ApiGate, Cursor, Day, Limit, Name
from digest.web.api.problems import RequestProblem

_KIND = "editions"
_EARLIEST = date(2000, 1, 1)


class EditionBody(BaseModel):
    """An edition: unique by digest, cadence and period."""

    digest: str
    cadence: str
    period: str
    state: str
    reason: str
    subject: str
    deadline_at: datetime
    frozen_at: datetime | None
    finished_at: datetime | None


class CountedEditionBody(EditionBody):
    """An edition with its deliveries by state, such as {"accepted": 120, "failed": 2}.

    Those of a large edition that is being sent are counted every ten seconds, and a minute old at most:
    `counted_at` says when. It is null where they are as they stand now.
    """

    deliveries: dict[str, int]
    counted_at: datetime | None


class EditionListBody(BaseModel):
    """A page of editions, the latest first; `next` is the cursor of the next page."""

    items: list[EditionBody]
    next: str | None


class DraftBody(BaseModel):
    """The next edition of a cadence."""

    digest: str
    cadence: str
    period: str
    deadline_at: datetime
    subject: str
    introduction: str
    sponsor: str
    is_held: bool
    is_approved: bool


class DraftListBody(BaseModel):
    """The next edition of each digest and cadence."""

    items: list[DraftBody]


class LinedUpBody(BaseModel):
    """One article of a line-up, with its title in this edition.

    `readers` is how many would get it if there were room for all.
    """

    id: int
    title: str
    url: str
    section: str
    readers: int
    is_pinned: bool


class BlockBody(BaseModel):
    """A free block: an editors' own text, as Markdown and as HTML, below the article whose id is `after`."""

    after: int | None
    text: str
    html: str


class LineupBody(DraftBody):
    """A draft with its line-up: what a reader of every topic gets, in the order of the message."""

    readers: int
    articles: list[LinedUpBody]
    blocks: list[BlockBody]


class FiguresBody(BaseModel):
    """One day's figures, as the desk's section Figures shows them; no reader is in them."""

    day: str
    counted: dict[str, Any]


class FiguresListBody(BaseModel):
    """The figures of the days that were counted, the oldest first."""

    items: list[FiguresBody]


class EditionApi:
    """The endpoints of drafts, editions and figures."""

    def __init__(self, gate: ApiGate, running: RunningSums) -> None:
        self._gate, self._running = gate, running

    def router(self) -> APIRouter:
        """Return the routes."""
        router, needs = APIRouter(), self._gate.needs
        editions, figures = Depends(needs(ApiScope.EDITIONS_READ)), Depends(needs(ApiScope.FIGURES_READ))
        for path, endpoint, allowed, tag in (
            ("/drafts", self.drafts, editions, "drafts"),
            ("/drafts/{digest}/{cadence}", self.draft, editions, "drafts"),
            ("/editions", self.list, editions, "editions"),
            ("/editions/{digest}/{cadence}/{period}", self.show, editions, "editions"),
            ("/figures", self.figures, figures, "figures"),
        ):
            router.add_api_route(path, endpoint, methods=["GET"], dependencies=[allowed], tags=[tag])
        return router

    def drafts(self) -> DraftListBody:
        """List the next edition of each digest and cadence."""
        gate = self._gate
        entries = tasks.list_drafts(gate.readers.database, gate.settings, gate.now())
        return DraftListBody(items=[DraftBody(**_draft(entry)) for entry in entries])

    def draft(self, digest: Name, cadence: Name) -> LineupBody:
        """Show the next edition of a cadence with its line-up."""
        gate = self._gate
        found = tasks.find_draft(gate.readers.database, gate.settings, digest, cadence, gate.now())
        if found is None:
            raise RequestProblem(
                "not-found", f"{digest} has no cadence {cadence} whose edition can be shaped"
            )
        lines = [line for section in found.lineup.sections for line in section.lines]
        return LineupBody(
            **_draft(found.entry),
            readers=found.lineup.readers,
            articles=[
                LinedUpBody(
                    id=row_id(line.article), title=line.changed.get("title") or line.article.title,
                    url=line.article.url, section=line.section, readers=line.readers,
                    is_pinned=line.is_pinned,
                )
                for line in lines
            ],
            blocks=_blocks(found, gate.settings.site.base_url),
        )  # fmt: skip

    def list(
        self,
        limit: Limit = 50,
        cursor: Cursor = None,
        digest: Annotated[str, Query(max_length=40)] = "",
        state: EditionState | None = None,
    ) -> EditionListBody:
        """List the editions that were made, are held or were skipped, the latest first."""
        gate = self._gate
        below = gate.read_cursor(_KIND, cursor)
        page = tasks.list_page(
            gate.readers.database, digest=digest, state=state or "", below=below, limit=limit
        )
        return EditionListBody(
            items=[EditionBody(**_edition(row)) for row in page.rows],
            next=gate.write_cursor(_KIND, page.below),
        )

    def show(self, digest: Name, cadence: Name, period: Name) -> CountedEditionBody:
        """Show one edition with its deliveries by state."""
        name = EditionName(digest, cadence, period)
        gate = self._gate
        found = tasks.find_edition(gate.readers.database, self._running, name, gate.now())
        if found is None:
            raise RequestProblem(
                "not-found", f"there is no edition {name.argument} yet; see /drafts for the next"
            )
        return CountedEditionBody(
            **_edition(found.edition), deliveries=found.states, counted_at=found.counted_at
        )

    def figures(self, since: Day = _EARLIEST) -> FiguresListBody:
        """List the figures of the days that have ended, one entry a day."""
        days = tasks.list_figures(self._gate.readers.database, since.isoformat())
        return FiguresListBody(items=[FiguresBody(day=one.day, counted=one.counted) for one in days])


def _blocks(found: tasks.ComingDraft, base_url: str) -> list[BlockBody]:
    parts = blocks_by_part(found.lineup, found.entry.digest, found.entry.draft)
    lasts: list[int | None] = [row_id(section.lines[-1].article) for section in found.lineup.sections]
    return [
        BlockBody(after=last, text=block["text"], html=introduce(block["text"], base_url))
        for last, numbers in zip(lasts or [None], parts, strict=True)
        for block in map(found.entry.draft.blocks.__getitem__, numbers)
    ]


def _edition(row: Edition) -> dict[str, Any]:
    names = (
        "digest",
        "cadence",
        "period",
        "state",
        "reason",
        "subject",
        "deadline_at",
        "frozen_at",
        "finished_at",
    )
    return {name: getattr(row, name) for name in names}


def _draft(entry: AgendaEntry) -> dict[str, Any]:
    draft = entry.draft
    return {
        **entry.name._asdict(), "deadline_at": entry.deadline_at, "subject": draft.subject,
        "introduction": draft.introduction, "sponsor": draft.sponsor, "is_held": bool(draft.held_by),
        "is_approved": draft.is_approved,
    }  # fmt: skip
