"""One courier: one SMTP connection, and one commit a message before its final dot may leave."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from digest.models import DeliveryState, Outcome, Stage, Withheld
from digest.net.smtp import Connection, Relay, open_connection
from digest.rules.verdicts import Verdict, describe, judge, without_address
from digest.store import deliveries, editions
from digest.store.database import Database
from digest.store.deliveries import Job
from digest.tasks.delivery.composing import Composer, Letter

BATCH = 50
_PAUSE = 15 * 60
_ENOUGH_DROPS = 3
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What a run has done so far; `trouble` is why it stopped early."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    withheld: int = 0
    uncertain: int = 0
    trouble: list[str] = field(default_factory=list)

    def add(self, state: str) -> None:
        """Count one delivery by the state that it reached."""
        if state in ("accepted", "deferred", "failed", "withheld", "uncertain"):
            setattr(self, state, getattr(self, state) + 1)


@dataclass(slots=True)
class Run:
    """What the couriers of one run share."""

    database: Database
    composer: Composer
    relay: Relay
    owner: int
    clock: Callable[[], datetime]
    digest: str | None = None
    rate: float = 0
    tally: Tally = field(default_factory=Tally)
    stop: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    progress: Callable[[Tally], None] = lambda _tally: None
    resend: bool = True
    next_slot: float = 0

    @property
    def ended(self) -> bool:
        """Tell whether this run is to end: by itself, or because the program does."""
        return self.stop.is_set() or self.stopping.is_set()

    def count(self, state: str) -> None:
        """Count a delivery and show it."""
        with self.lock:
            self.tally.add(state)
            self.progress(self.tally)

    def give_up(self, why: str) -> None:
        """End the run early: the relay is not to be had, or something is wrong on our side."""
        with self.lock:
            if why not in self.tally.trouble:
                self.tally.trouble.append(why)
        self.stop.set()

    def wait_for_turn(self) -> None:
        """Keep all couriers together to `rate` messages a second."""
        if not self.rate:
            return
        with self.lock:
            now = time.monotonic()
            turn = max(self.next_slot, now)
            self.next_slot = turn + 1 / self.rate
        self.stop.wait(max(0.0, turn - now))


@dataclass(slots=True)
class _Answered:
    job: Job
    outcome: Outcome


class Courier:
    """Claims a batch after the other and carries it over one connection, until nothing is due."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._connection: Connection | None = None
        self._answered: _Answered | None = None
        self._drops = 0

    def work(self) -> None:
        """Deliver what is due; every way out leaves each claim settled."""
        claimed: deque[Job] = deque()
        try:
            while not self._run.ended:
                claimed.extend(self._claim())
                if not claimed:
                    break
                while claimed and not self._run.ended:
                    self._carry(claimed)
        finally:
            self._record_last(claimed)
            if self._connection is not None:
                self._connection.close()

    def _claim(self) -> list[Job]:
        run = self._run
        with run.database.write() as session:
            self._record(session)
            return deliveries.claim(session, owner=run.owner, now=run.clock(), size=BATCH, digest=run.digest)

    def _carry(self, claimed: deque[Job]) -> None:
        """Hand over the next message: connect and wait first, so that a mark is made as late as can be."""
        if not self._connected():
            return
        self._run.wait_for_turn()
        if self._run.ended:
            return
        job = claimed.popleft()
        letter = self._commit_to(job)
        if letter is None:
            return
        assert self._connection is not None  # noqa: S101 - _connected
        self._answered = _Answered(job, self._connection.submit(letter.envelope, letter.content))

    def _commit_to(self, job: Job) -> Letter | None:
        """In one commit: record the reply before, re-read consent, mark this message in flight.

        Composing comes first: a template error must not leave a message marked.
        """
        run = self._run
        composed_at = job.composed_at or run.clock()
        letter = run.composer.compose(job, composed_at)
        with run.database.write() as session:
            self._record(session)
            verdict = deliveries.may_still_go(session, job, owner=run.owner)
            if verdict is True:
                deliveries.mark_in_flight(session, job, owner=run.owner, now=composed_at)
                return letter
            if isinstance(verdict, Withheld):
                deliveries.withhold(session, job, verdict, run.clock())
            else:
                deliveries.release(session, [job], owner=run.owner, now=run.clock())
        if isinstance(verdict, Withheld):
            run.count(DeliveryState.UNCERTAIN if job.resends else DeliveryState.WITHHELD)
        return None

    def _connected(self) -> bool:
        if self._connection is not None and self._connection.usable:
            return True
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        opened = open_connection(self._run.relay)
        if isinstance(opened, Outcome):
            self._refused(opened)
            return False
        self._connection = opened
        return True

    def _refused(self, outcome: Outcome) -> None:
        """No connection: nobody is marked; a refusal that will not mend itself pauses the editions."""
        run = self._run
        where = f"{run.relay.host}:{run.relay.port}"
        words = describe(outcome)
        if outcome.reply is not None and outcome.reply.code >= 500 and outcome.stage is not Stage.CONNECT:
            with run.database.write() as session:
                editions.pause_frozen(session, words, digest=run.digest, retry_at=_later(run.clock()))
            run.give_up(f"the relay {where} refuses us ({words}); mend it, the next run goes on")
        else:
            verb = "reached" if outcome.stage is Stage.CONNECT else "used"
            run.give_up(
                f"the relay {where} cannot be {verb} ({words}); nothing is lost, the next run goes on"
            )

    def _record(self, session: Session) -> None:
        """Record the reply to the message before; called inside the commit that goes on."""
        answered, self._answered = self._answered, None
        if answered is None:
            return
        run, job, outcome = self._run, answered.job, answered.outcome
        now = run.clock()
        verdict = judge(outcome, first_due_at=job.due_at, attempts=job.attempts + 1, now=now)
        verdict = replace(verdict, reason=without_address(verdict.reason, job.address))
        if verdict.state is DeliveryState.UNCERTAIN and run.resend and not job.resends:
            log.warning("a reply was lost after the final dot; the message is repeated once")
        code = outcome.reply.code if outcome.reply else None
        deliveries.record(
            session, job, verdict, code=code, dot_left=outcome.dot_left, owner=run.owner, now=now
        )
        if verdict.state is DeliveryState.UNCERTAIN and run.resend:
            deliveries.plan_repeat(session, job, now)
        if verdict.pause:
            editions.pause(session, job.edition_id, verdict.pause, retry_at=_later(now))
            run.give_up(f"the edition is paused, the relay refuses us: {verdict.pause}")
        self._note(verdict, outcome)

    def _note(self, verdict: Verdict, outcome: Outcome) -> None:
        self._run.count(verdict.state)
        self._drops = self._drops + 1 if verdict.relay_is_down else 0
        if self._drops == _ENOUGH_DROPS:
            where = f"{self._run.relay.host}:{self._run.relay.port}"
            self._run.give_up(
                f"the relay {where} drops us each time ({describe(outcome)}); the next run goes on"
            )

    def _record_last(self, claimed: deque[Job]) -> None:
        run = self._run
        if self._answered is None and not claimed:
            return
        with run.database.write() as session:
            self._record(session)
            deliveries.release(session, list(claimed), owner=run.owner, now=run.clock())


def _later(now: datetime) -> datetime:
    return datetime.fromtimestamp(now.timestamp() + _PAUSE, tz=now.tzinfo)
