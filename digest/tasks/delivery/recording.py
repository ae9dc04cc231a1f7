"""The transaction of a turn: replies are recorded, consent is read again, the next messages are marked."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlmodel import Session

from digest.models import DeliveryState, Outcome, Withheld
from digest.rules.verdicts import Verdict, describe, judge, without_address
from digest.store import deliveries, editions, turns
from digest.store.deliveries import Job
from digest.tasks.delivery.running import Run

PAUSE = timedelta(minutes=15)
_ENOUGH_DROPS = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt."""

    job: Job
    outcome: Outcome


@dataclass(slots=True)
class Turn:
    """What a turn's commit decided: who may have their message, who was claimed, whether one is repeated."""

    may_go: set[int] = field(default_factory=set)
    claimed: list[Job] = field(default_factory=list)
    repeats: bool = False


class Recorder:
    """Commits turn after turn, durably; nothing is on the wire that it has not marked before."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._drops = 0

    def commit(
        self, answers: Sequence[Answer], ready: Mapping[int, tuple[Job, datetime]], claim: int
    ) -> Turn:
        """Record answers, mark the ready messages in flight, claim up to `claim` more: one transaction.

        `ready` maps a delivery's id to its job and the Date that its message bears.
        """
        run, turn = self._run, Turn()
        now = run.clock()
        verdicts = [(answer, self._judge(answer, now)) for answer in answers]
        with run.database.turn() as connection, Session(connection) as session:
            self._record(connection, session, verdicts, now)
            withheld = self._mark(connection, session, ready, turn, now)
            if claim:
                turn.claimed = turns.claim(
                    connection, owner=run.owner, now=now, size=claim, digest=run.digest
                )
            session.flush()
        for answer, verdict in verdicts:
            turn.repeats = turn.repeats or verdict.state is DeliveryState.UNCERTAIN
            self._note(answer, verdict)
        for state in withheld:
            run.count(state)
        return turn

    def release(self, jobs: Sequence[Job]) -> None:
        """Give claims back untouched."""
        run = self._run
        with run.database.write() as session:
            deliveries.release(session, jobs, owner=run.owner, now=run.clock())

    def _judge(self, answer: Answer, now: datetime) -> Verdict:
        job, outcome = answer.job, answer.outcome
        verdict = judge(outcome, first_due_at=job.due_at, attempts=job.attempts + 1, now=now)
        if not verdict.reason:
            return verdict
        return replace(verdict, reason=without_address(verdict.reason, job.address))

    def _record(
        self,
        connection: Connection,
        session: Session,
        verdicts: Sequence[tuple[Answer, Verdict]],
        now: datetime,
    ) -> None:
        run = self._run
        accepted = {}
        for answer, verdict in verdicts:
            code = answer.outcome.reply.code if answer.outcome.reply else None
            if verdict.state is DeliveryState.ACCEPTED:
                accepted[answer.job.delivery_id] = code or 250
                continue
            deliveries.record(
                session, answer.job, verdict, code=code, dot_left=answer.outcome.dot_left, owner=run.owner,
                now=now,
            )  # fmt: skip
            if verdict.state is DeliveryState.UNCERTAIN and run.resend:
                deliveries.plan_repeat(session, answer.job, now)
            if verdict.pause:
                editions.pause(session, answer.job.edition_id, verdict.pause, retry_at=now + PAUSE)
        turns.record_accepted(connection, accepted, owner=run.owner, now=now)

    def _mark(
        self,
        connection: Connection,
        session: Session,
        ready: Mapping[int, tuple[Job, datetime]],
        turn: Turn,
        now: datetime,
    ) -> list[str]:
        """Mark those that may still go; give the states of those that are withheld."""
        run = self._run
        states: list[str] = []
        if not ready:
            return states
        answers = turns.may_still_go(connection, list(ready), owner=run.owner)
        turn.may_go = {key for key, answer in answers.items() if answer is True}
        turns.mark_in_flight(connection, {key: ready[key][1] for key in turn.may_go}, now=now)
        for key, (job, _) in ready.items():
            answer = answers.get(key, False)
            if isinstance(answer, Withheld):
                states.append(deliveries.withhold(session, job, answer, now))
            elif answer is False:
                deliveries.release(session, [job], owner=run.owner, now=now)
        return states

    def _note(self, answer: Answer, verdict: Verdict) -> None:
        run = self._run
        run.count(verdict.state)
        where = f"{run.relay.host}:{run.relay.port}"
        if verdict.state is DeliveryState.UNCERTAIN and run.resend and not answer.job.resends:
            log.warning("a reply was lost after the final dot; the message is repeated once")
        if verdict.pause:
            run.give_up(f"the edition is paused, the relay refuses us: {verdict.pause}")
        self._drops = self._drops + 1 if verdict.relay_is_down else 0
        if self._drops == _ENOUGH_DROPS:
            run.give_up(f"the relay {where} drops us ({describe(answer.outcome)}); the next run goes on")
