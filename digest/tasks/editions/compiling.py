"""Compile what is due: decide for each cohort, plan the deliveries, freeze.

Nothing can be claimed before the last commit; after a crash, compiling resumes at the stored key.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from sqlmodel import Session

from digest.errors import Refused
from digest.models import Edition, EditionName, EditionState
from digest.models.cadence import BREAKING, CORRECTION, WELCOME, Cadence
from digest.models.row import row_id
from digest.rules.editions import cadence as calendar
from digest.rules.editions.cadence import Due, Occurrence
from digest.rules.editions.lost_editions import ONE, MadeEdition, Room, split_lost
from digest.settings import DigestSettings, Settings
from digest.store import workers
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import cohorts, drafts, editions, planning
from digest.tasks.editions import approval
from digest.tasks.editions.candidates import first_news, is_wait_over, looked_to
from digest.tasks.editions.coming import next_occurrence
from digest.tasks.editions.correcting import plan_notice
from digest.tasks.editions.fitting import Fitter
from digest.tasks.editions.planning import RANGE_SIZE, SMALLEST_RANGE, Plan, PlanningPace

_WELCOME = Cadence.parse(WELCOME, "at once")
_ROLLS_OVER = "its articles are in the next edition"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result for one cadence: a new edition, or why there is none.

    `held` is why editors have to act first; with `waits` the edition before is still being compiled. `stands`
    is the state of the period's edition if it was made before, `reason` why it has that state.
    """

    digest: str
    cadence: str
    period: str
    made: bool
    skipped: tuple[str, ...] = ()
    planned: int = 0
    nothing_new: int = 0
    held: str = ""
    waits: bool = False
    stands: str = ""
    reason: str = ""

    @property
    def name(self) -> EditionName:
        """Return the key of the edition."""
        return EditionName(self.digest, self.cadence, self.period)


class Compiler:
    """Makes editions for one worker, with a commit for each `range_size` readers.

    Readers whose language the program does not speak get the publication's, and share its variants.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        worker_id: int,
        range_size: int = RANGE_SIZE,
        speaks: Callable[[str], bool] = lambda _language: True,
        fitter: Callable[[DigestSettings, Edition], Fitter] | None = None,
        breaking: Callable[[DigestSettings, Edition], None] | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self.worker_id = worker_id
        self._range_size = range_size
        self._speaks = speaks
        self._fitter = fitter
        self._breaking = breaking

    def compile_due(self, digest: DigestSettings, now: datetime, *, at_once: bool = False) -> list[Compiled]:
        """Make each of a digest's editions that is due, resuming those that a dead worker left.

        With `at_once` the current period's edition is made if it is unmade, whatever the time.
        """
        self._resume(digest)
        made = self._welcome(digest, now) + self._publish_now(digest, now)
        for name in digest.cadences:
            cadence = digest.cadence(name)
            compiled = self._compile(digest, cadence, now, at_once=at_once)
            if compiled is not None:
                made.append(compiled)
        made.extend(self._release(digest, now))
        again = approval.reopen_unread(self._database, digest, self.worker_id, now, self._settings.zone)
        names = {edition.name for edition in again}
        return [item for item in made if item.name not in names] + [
            self._planned(digest, digest.cadence(name.cadence), edition, Compiled(*name, made=True))
            for edition in again
            for name in [edition.name]
        ]

    def _publish_now(self, digest: DigestSettings, now: datetime) -> list[Compiled]:
        """Make the editions that a publisher wants out before their deadline."""
        with self._database.read() as session:
            asked = drafts.list_due_now(session, digest.name)
            coming = {
                draft.cadence: next_occurrence(session, self._settings, digest, draft.cadence, now)
                for draft in asked
                if draft.cadence in digest.cadences
            }
        return [
            self._make(digest, digest.cadence(draft.cadence), found, now, at_once=True)
            for draft in asked
            if (found := coming.get(draft.cadence))
            and found.period == draft.period
            and found.deadline_at > now
        ]

    def compile_lost(
        self, digest: DigestSettings, until: datetime, made: Mapping[str, Sequence[MadeEdition]]
    ) -> list[Compiled]:
        """Make the editions that a restored database has forgotten, as of `until`."""
        self._resume(digest, is_lost=True)
        again = self._welcome(digest, until)
        for name in digest.cadences:
            cadence = digest.cadence(name)
            missed = self._missed(digest, cadence, until)
            with self._database.read() as session:
                stored_to = editions.last_deadline(session, digest.name, name)
            for lost in split_lost(missed, made.get(f"{digest.name} {name}", ()), stored_to, until):
                compiled = self._make(
                    digest, cadence, lost.due.occurrence, lost.freeze_at, missed=lost.due.missed,
                    at_once=lost.at_once, room=lost.room,
                )  # fmt: skip
                if compiled.waits:
                    raise Refused(
                        f"another process compiles an edition of {digest.name}, {name}:"
                        " end that process, then repeat this"
                    )
                again.extend([compiled] if compiled.made else [])
        return again

    def _welcome(self, digest: DigestSettings, now: datetime) -> list[Compiled]:
        """Make one edition of the first editions that readers wait for, where the digest has these."""
        with self._database.read() as session:
            if not cohorts.is_anyone_new(session, digest.name, now):
                return []
        with self._database.write() as session:
            if digest.welcome != "edition":
                cohorts.end_waiting(session, digest.name, now)
                return []
            entered = self._enter_welcome(session, digest, now)
        if entered is None:
            return []
        made = Compiled(digest.name, WELCOME, entered.period, made=True)
        return [self._planned(digest, _WELCOME, entered, made)]

    def _enter_welcome(self, session: Session, digest: DigestSettings, now: datetime) -> Edition | None:
        """Enter it; None where another worker is making one, which has the same readers."""
        drafts.take_turns(session)
        begun = editions.list_editions(session, digest=digest.name, states=[EditionState.COMPILING])
        if any(edition.cadence == WELCOME for edition in begun):
            return None
        edition = Edition(
            digest=digest.name,
            cadence=WELCOME,
            period="",
            deadline_at=now,
            freeze_at=now,
            at_once=True,
            compiler=self.worker_id,
            introduction=digest.welcome_text or "",
        )
        return editions.add_numbered(session, edition, now.astimezone(self._settings.zone).date())

    def _compile(
        self, digest: DigestSettings, cadence: Cadence, now: datetime, *, at_once: bool
    ) -> Compiled | None:
        if cadence.is_at_once:
            return self._news(digest, cadence, now, gathered=at_once)
        return self._at_once(digest, cadence, now) if at_once else self._due(digest, cadence, now)

    def _news(
        self, digest: DigestSettings, cadence: Cadence, now: datetime, *, gathered: bool
    ) -> Compiled | None:
        """Make an edition of what is new since the last one, once it has been gathered for long enough.

        Or of what was too little for the last one, once it has waited for `max_wait`.
        """
        with self._database.write() as session:
            started = editions.started_at(session, digest.name, cadence.name, now)
        with self._database.read() as session:  # before the transaction: it may read thousands of articles
            last = editions.find_last(session, digest.name, cadence.name)
            zone = self._settings.zone
            midnight = calendar.instant(now.astimezone(zone).date(), time(), zone)
            made_today = editions.count_since(session, digest.name, cadence.name, midnight)
            since = max(started, looked_to(last) if last else started, now - digest.lookback)
            first = first_news(session, digest, cadence.name, since, now)
            is_over = last is not None and is_wait_over(session, digest, cadence.name, last, now)
        gather = timedelta() if gathered else digest.gather
        first = now - gather if is_over else first
        if first is None or not calendar.is_news_due(first, made_today, now, gather, digest.max_a_day):
            return None
        return self._make(digest, cadence, calendar.current(cadence, now, self._settings.zone), now)

    def _due(self, digest: DigestSettings, cadence: Cadence, now: datetime) -> Compiled | None:
        found = self._missed(digest, cadence, now)
        if found is None:
            return None
        late = now - found.occurrence.deadline_at
        if digest.max_lateness is not None and late > digest.max_lateness:
            return self._give_up(digest, cadence, found, now)
        return self._make(digest, cadence, found.occurrence, now, missed=found.missed)

    def _give_up(self, digest: DigestSettings, cadence: Cadence, found: Due, now: datetime) -> Compiled:
        """Skip editions that are later than `max_lateness`; the next one has their articles."""
        reason = f"later than max_lateness allows; {_ROLLS_OVER}"
        with self._database.write() as session:
            skipped = [
                occurrence.period
                for occurrence in (*found.missed, found.occurrence)
                if self._skip(session, digest, cadence, occurrence, now, reason)
            ]
        compiled = Compiled(
            digest.name, cadence.name, found.occurrence.period, made=False, skipped=tuple(skipped)
        )
        if compiled.period not in skipped:  # another process was quicker
            return compiled
        return replace(compiled, stands=EditionState.SKIPPED, reason=reason)

    def _missed(self, digest: DigestSettings, cadence: Cadence, now: datetime) -> Due | None:
        with self._database.write() as session:
            started = editions.started_at(session, digest.name, cadence.name, now)
            last = editions.last_deadline(session, digest.name, cadence.name)
        return calendar.due(cadence, max(started, last or started), now, self._settings.zone)

    def _at_once(self, digest: DigestSettings, cadence: Cadence, now: datetime) -> Compiled:
        occurrence = calendar.current(cadence, now, self._settings.zone)
        with self._database.write() as session:
            editions.started_at(session, digest.name, cadence.name, now)
        return self._make(digest, cadence, occurrence, now, at_once=True)

    def _make(
        self,
        digest: DigestSettings,
        cadence: Cadence,
        occurrence: Occurrence,
        now: datetime,
        *,
        missed: tuple[Occurrence, ...] = (),
        at_once: bool = False,
        room: Room = ONE,
    ) -> Compiled:
        edition = Edition(
            digest=digest.name,
            cadence=cadence.name,
            period=occurrence.period,
            deadline_at=occurrence.deadline_at,
            freeze_at=now,
            at_once=at_once,
            compiler=self.worker_id,
        )
        with self._database.write() as session:
            entered = approval.enter(session, digest, edition, forced=room.is_lost)
            skipped = [o.period for o in missed if entered and self._skip(session, digest, cadence, o, now)]
        compiled = Compiled(digest.name, cadence.name, occurrence.period, entered is not None, tuple(skipped))
        if entered is None:
            return self._made_before(digest, cadence, compiled, now, room)
        if entered.state == EditionState.HELD:
            return replace(compiled, held=entered.reason)
        return self._planned(digest, cadence, entered, compiled, room)

    def _planned(
        self, digest: DigestSettings, cadence: Cadence, edition: Edition, compiled: Compiled, room: Room = ONE
    ) -> Compiled:
        self._plan(digest, cadence, edition, room)
        with self._database.read() as session:
            planned, nothing_new = deliveries.count_planned(session, row_id(edition))
        return replace(compiled, planned=planned, nothing_new=nothing_new)

    def _made_before(
        self,
        digest: DigestSettings,
        cadence: Cadence,
        compiled: Compiled,
        now: datetime,
        room: Room,
    ) -> Compiled:
        """Return why no edition was entered: its period has one, held or not, or the one before is compiled.

        One that was sent before is not held again.
        """
        with self._database.write() as session:
            found = editions.find_edition(session, digest.name, cadence.name, compiled.period)
            if found is None:
                return replace(compiled, waits=True)
            if found.state != EditionState.HELD:
                planned, nothing_new = deliveries.count_planned(session, row_id(found))
                return replace(
                    compiled,
                    stands=found.state,
                    reason=found.reason,
                    planned=planned,
                    nothing_new=nothing_new,
                )
            taken = room.is_lost and approval.release(
                session, digest, row_id(found), self.worker_id, now, forced=True
            )
        if not taken:
            return replace(compiled, held=found.reason)
        return self._planned(digest, cadence, taken, replace(compiled, made=True), room)

    def _release(self, digest: DigestSettings, now: datetime) -> list[Compiled]:
        """Compile the held editions that are no longer held."""
        with self._database.read() as session:
            held = editions.list_editions(session, digest=digest.name, states=[EditionState.HELD])
        made = []
        for edition in held:
            if edition.cadence not in digest.cadences:
                continue
            with self._database.write() as session:
                taken = approval.release(session, digest, row_id(edition), self.worker_id, now)
            if taken is not None:
                compiled = Compiled(digest.name, edition.cadence, edition.period, made=True)
                made.append(self._planned(digest, digest.cadence(edition.cadence), taken, compiled))
        return made

    def _skip(
        self,
        session: Session,
        digest: DigestSettings,
        cadence: Cadence,
        missed: Occurrence,
        now: datetime,
        reason: str = "",
    ) -> bool:
        row = Edition(
            digest=digest.name, cadence=cadence.name, period=missed.period, state=EditionState.SKIPPED,
            deadline_at=missed.deadline_at, freeze_at=now, finished_at=now,
            reason=reason or f"nothing ran at its deadline; {_ROLLS_OVER}",
        )  # fmt: skip
        return editions.add_edition(session, row) is not None

    def _resume(self, digest: DigestSettings, *, is_lost: bool = False) -> None:
        with self._database.read() as session:
            begun = editions.list_editions(session, digest=digest.name, states=[EditionState.COMPILING])
        for edition in begun:
            alive = edition.compiler is not None and workers.is_alive(self._database, edition.compiler)
            if alive and edition.compiler != self.worker_id:
                continue
            with self._database.write() as session:
                taken = editions.take_over(session, edition, self.worker_id)
                room = (
                    Room(1 + editions.count_skipped_for(session, edition), is_lost=True) if is_lost else ONE
                )
            if taken is not None:
                self._go_on(digest, taken, room)

    def _go_on(self, digest: DigestSettings, edition: Edition, room: Room) -> None:
        if edition.cadence == WELCOME:
            self._plan(digest, _WELCOME, edition)
        elif edition.cadence == CORRECTION:
            plan_notice(self._database, self._settings, edition, self._speaks, self.worker_id)
        elif edition.cadence != BREAKING:
            self._plan(digest, digest.cadence(edition.cadence), edition, room)
        elif self._breaking is not None:
            self._breaking(digest, edition)

    def _plan(self, digest: DigestSettings, cadence: Cadence, edition: Edition, room: Room = ONE) -> None:
        """Plan in short transactions, between which others write; the last one freezes the edition."""
        with self._database.read() as session:
            draft = drafts.find_draft(session, digest.name, cadence.name, edition.period)
        plan = Plan(self._settings, digest, cadence, edition, room, self._speaks, draft)
        plan.fitter = self._fitter(digest, edition) if self._fitter else None
        plan.pace = PlanningPace.of(self._range_size)
        plan.placing = PlanningPace.of(self._range_size, SMALLEST_RANGE)  # it locks those whom it reads
        planning.refresh_statistics(self._database)
        is_left = True
        while is_left:
            with self._database.read() as session:
                plan.prepare(session)
            try:
                with self._database.write() as session:
                    planning.take_turns(session)
                    current = editions.own_edition(session, plan.edition_id, self.worker_id)
                    if current is None:
                        log.warning("edition %s: another worker compiles it now", edition.period)
                        return
                    is_left = plan.go_on(session, current)
            except planning.UndecidedError:
                plan.forget()
            if is_left:
                self._database.give_way()
