"""The one transaction of a turn: record replies, read consent again, mark the next messages in flight."""

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import NamedTuple

from sqlalchemy import Connection
from sqlmodel import Session

from digest.models import DeliveryState, Edition, Outcome, Withheld
from digest.rules.delivery.rate_limits import LEARNED_FOR, Domains
from digest.rules.delivery.refused_messages import Refusals
from digest.rules.delivery.reply_verdicts import Verdict, describe, judge, without_address
from digest.store.delivery import claims, deliveries, learned_limits
from digest.store.delivery.deliveries import Job
from digest.store.delivery.turns import Order, Turn
from digest.store.editions import editions
from digest.store.transactions import Transaction
from digest.tasks.delivery.run import Run

PAUSE = timedelta(minutes=15)
_ENOUGH_DROPS = 3
_CLAIMS_A_ROUND = 16
_FEWER_COUNTS = 5  # a warm-up counts what was sent today before each claim
log = logging.getLogger(__name__)


class Attempt(NamedTuple):
    """One attempt at a delivery: `Attempt(job 41, Outcome(DOT, 250 2.0.0), "mail.example:25")`."""

    job: Job
    outcome: Outcome
    relay_name: str = ""


@dataclass(frozen=True, slots=True)
class _ToCommit:
    """What a turn is to commit, as `Recorder.commit` says, without the attempts that failed."""

    accepted: Mapping[int, int]
    ready: claims.Ready
    claim: int
    marked: Callable[[Set[int]], None]
    now: datetime


Verdicts = Sequence[tuple[Attempt, Verdict]]


@dataclass(slots=True)
class Committed:
    """What one commit has decided.

    `may_go` are the deliveries that it marked in flight; `claimed` the new claims. `repeats` means that an
    uncertain delivery was planned again, so there is more to claim. `paused` are editions; `stale` are
    variants whose message was not sent because an article was withdrawn: other messages of them are outdated
    as well. Example: `Committed(may_go={42}, claimed=[job 61], ...)`.
    """

    may_go: set[int] = field(default_factory=set)
    claimed: list[Job] = field(default_factory=list)
    repeats: bool = False
    paused: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)


class Recorder:
    """Commits the loop's turns durably, one transaction each: the only writer of the claim protocol.

    `commit([Attempt(job 41, 250)], {42: (job 42, 07:00)}, 20)` accepts delivery 41, marks 42 `in_flight` if
    its reader has not left, and claims up to 20 more. No final dot is sent before its mark is committed.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._transactions = run.database.transactions()
        self._refusals = Refusals()
        self._refused: dict[int, tuple[list[int], str]] = {}
        self._drops = 0
        self._claims, self._claimed_to = 0, claims.FROM_THE_START

    def close(self) -> None:
        """Return the connection to the database's pool."""
        self._transactions.close()

    def commit(
        self,
        attempts: Sequence[Attempt],
        ready: claims.Ready,
        claim: int,
        marked: Callable[[Set[int]], None] = lambda _may_go: None,
    ) -> Committed:
        """Record attempts, mark the ready messages in flight, claim up to `claim` more, in one transaction.

        `ready` maps a delivery's id to its job and to the Date in its message. `marked` is called before the
        commit with those that may be finished after it.
        """
        run, done = self._run, Committed()
        now, began = run.clock(), perf_counter()
        accepted, others = self._sort(attempts, now)
        turn = _ToCommit(accepted, ready, claim, marked, now)
        if others or run.database.is_sqlite or run.allowance(now) is not None:
            withheld = self._commit_by_steps(turn, others, done)
        else:
            withheld = self._commit_at_once(turn, done)
        states = self._count(len(accepted), others, withheld, done)
        if run.meter is not None:
            run.meter.count_turn(perf_counter() - began, states)
            run.meter.count_replies([_reply_of(attempt) for attempt in attempts])
        return done

    def _commit_by_steps(self, turn: "_ToCommit", others: Verdicts, done: Committed) -> list[str]:
        """Commit a turn statement by statement; return the states of what was withheld."""
        now = turn.now
        with self._transactions.transaction() as transaction:
            if others:  # an attempt may pause an edition, whose messages are then not marked
                with transaction.session() as session:
                    self._record_others(session, others, done, now)
                    self._pause_refused(session, done, now)
            withheld = self._mark(transaction, turn.ready, done, now)
            if done.may_go:
                turn.marked(done.may_go)
            owner = self._run.owner
            claims.record_accepted(transaction.connection, turn.accepted, owner=owner, now=now)
            if turn.claim:
                done.claimed = self._claim(transaction.connection, turn.claim, now)
        return withheld

    def _commit_at_once(self, turn: "_ToCommit", done: Committed) -> list[str]:
        """Commit a turn by one round trip, on PostgreSQL; return the states of what was withheld.

        What was not marked is still claimed, and withheld or released in a transaction of its own.
        """
        order = Order(turn.claim, self._beyond(), self._run.digest or "") if turn.claim else None
        with self._transactions.pipelined() as pipelined:
            sent = Turn(pipelined, turn.ready, turn.accepted, order, owner=self._run.owner, now=turn.now)
            done.may_go = sent.read_marks()
            if done.may_go:
                turn.marked(done.may_go)
            done.claimed = sent.finish()
        kept_back = {key: one for key, one in turn.ready.items() if key not in done.may_go}
        if not kept_back and (order is None or order.is_met_by(len(done.claimed))):
            self._note_claimed(done.claimed)
            return []
        return self._complete(turn, order, kept_back, done)

    def _complete(
        self, turn: "_ToCommit", order: Order | None, kept_back: claims.Ready, done: Committed
    ) -> list[str]:
        """Withhold or release what was not marked, and claim from the start what is missing."""
        again = Committed()
        with self._transactions.transaction() as transaction:
            withheld = self._mark(transaction, kept_back, again, turn.now)
            if again.may_go:  # those who have come back just now
                turn.marked(again.may_go)
            if order is not None:
                done.claimed += self._claim_rest(transaction.connection, order, len(done.claimed), turn.now)
        self._note_claimed(done.claimed)
        done.may_go, done.stale = done.may_go | again.may_go, again.stale
        return withheld

    def _count(self, accepted: int, others: Verdicts, withheld: list[str], done: Committed) -> dict[str, int]:
        """Count what a commit has changed, for `/metrics`."""
        if accepted:
            self._drops = 0
        states = {DeliveryState.ACCEPTED.value: accepted}
        for attempt, verdict in others:
            done.repeats = done.repeats or verdict.state is DeliveryState.UNCERTAIN
            self._note(attempt, verdict)
        for state in (*withheld, *(verdict.state.value for _, verdict in others)):
            states[state] = states.get(state, 0) + 1
        self._run.count(states)
        return states

    def _claim(self, connection: Connection, size: int, now: datetime) -> list[Job]:
        """Claim what is due, within a warm-up's limit."""
        run = self._run
        allowance = run.allowance(now)
        if allowance is not None:
            begun = claims.count_begun(connection, allowance.day_began_at)
            size = min(_FEWER_COUNTS * size, allowance.messages - begun)
        if size <= 0:
            return []
        return self._claim_onward(connection, size, now)

    def _claim_onward(self, connection: Connection, size: int, now: datetime) -> list[Job]:
        """Claim what is due after the last claim, and from the start what that leaves."""
        order = Order(size, self._beyond(), self._run.digest or "")
        jobs = self._claim_by(connection, order, now)
        jobs += self._claim_rest(connection, order, len(jobs), now)
        self._note_claimed(jobs)
        return jobs

    def _beyond(self) -> claims.Position:
        """Return where the next claim begins; every 16th does so at the start, for what others gave back."""
        self._claims += 1
        return claims.FROM_THE_START if self._claims % _CLAIMS_A_ROUND == 1 else self._claimed_to

    def _claim_rest(self, connection: Connection, order: Order, found: int, now: datetime) -> list[Job]:
        """Claim from the start if a claim found too few further on, so that nothing is left out."""
        if order.is_met_by(found):
            return []
        return self._claim_by(
            connection, order._replace(size=order.size - found, beyond=claims.FROM_THE_START), now
        )

    def _claim_by(self, connection: Connection, order: Order, now: datetime) -> list[Job]:
        return claims.claim(
            connection,
            owner=self._run.owner,
            now=now,
            size=order.size,
            digest=order.digest,
            beyond=order.beyond,
        )

    def _note_claimed(self, jobs: Sequence[Job]) -> None:
        furthest = ((job.due_at, job.delivery_id) for job in jobs)
        self._claimed_to = max([self._claimed_to, *furthest])

    def postpone(self, postponed: Sequence[tuple[Job, float]]) -> None:
        """Release claims, each to be claimed again after its number of seconds."""
        run = self._run
        now = run.clock()
        with run.database.write() as session:
            due = {job.delivery_id: now + timedelta(seconds=seconds) for job, seconds in postponed}
            deliveries.postpone(session, due, owner=run.owner, now=now)

    def recall(self, domains: Domains) -> None:
        """Restore the domains' limits that were learned lately."""
        with self._run.database.read() as session:
            known = learned_limits.list_slowed(session, self._run.clock() - LEARNED_FOR)
        for row in known:
            domains.of(row.name).learned = row.rate

    def remember(self, domains: Domains) -> None:
        """Store the domains' limits that were learned."""
        now = self._run.clock()
        with self._run.database.write() as session:
            learned_limits.save_slowed(session, domains.slowed(), now, now - LEARNED_FOR)

    def release(self, jobs: Sequence[Job]) -> None:
        """Release claims unchanged."""
        run = self._run
        with run.database.write() as session:
            deliveries.release(session, jobs, owner=run.owner, now=run.clock())

    def pause(self, edition_id: int, why: str) -> None:
        """Pause an edition whose messages cannot be composed; a later run tries again."""
        run = self._run
        with run.database.write() as session:
            editions.pause(session, edition_id, why, retry_at=run.clock() + PAUSE)
            name = session.get_one(Edition, edition_id).name.argument
        run.complain(f"{name} is paused, {why}; correct that, and the next run goes on")

    def _sort(
        self, attempts: Sequence[Attempt], now: datetime
    ) -> tuple[dict[int, int], list[tuple[Attempt, Verdict]]]:
        """Split attempts into accepted deliveries with their reply codes, and all others with their
        verdicts."""
        accepted: dict[int, int] = {}
        others: list[tuple[Attempt, Verdict]] = []
        for attempt in attempts:
            job, outcome = attempt.job, attempt.outcome
            if outcome.accepted and outcome.reply is not None:
                self._refusals.note_accepted(job.edition_id, job.delivery_id)
                accepted[job.delivery_id] = outcome.reply.code
                continue
            verdict = self._judge(job, outcome, now)
            others.append((attempt, verdict))
            if verdict.state is DeliveryState.FAILED:
                refused = self._refusals.note(job.edition_id, job.delivery_id, outcome)
                if refused:
                    self._refused[job.edition_id] = refused, verdict.reason
        return accepted, others

    def _judge(self, job: Job, outcome: Outcome, now: datetime) -> Verdict:
        spread = (job.delivery_id * 2_654_435_761 % 2**32) / 2**32
        verdict = judge(outcome, attempts=job.attempts + 1, now=now, spread=spread)
        return replace(verdict, reason=without_address(verdict.reason, job.address))

    def _record_others(self, session: Session, verdicts: Verdicts, done: Committed, now: datetime) -> None:
        run = self._run
        for attempt, verdict in verdicts:
            code = attempt.outcome.reply.code if attempt.outcome.reply else None
            deliveries.record(
                session, attempt.job, verdict, code=code, dot_left=attempt.outcome.dot_left, owner=run.owner,
                now=now,
            )  # fmt: skip
            if verdict.state is DeliveryState.UNCERTAIN and run.resend:
                deliveries.plan_repeat(session, attempt.job, now)
            if verdict.pause:
                editions.pause(session, attempt.job.edition_id, verdict.pause, retry_at=now + PAUSE)
                done.paused.add(attempt.job.edition_id)

    def _pause_refused(self, session: Session, done: Committed, now: datetime) -> None:
        """Pause editions whose message is refused; no reader counts as bouncing for it."""
        for edition_id, (ids, words) in self._refused.items():
            why = f"the message was refused {len(ids)} times in the same way: {words}"
            editions.pause(session, edition_id, why, retry_at=None)
            deliveries.replan(session, ids, now)
            done.paused.add(edition_id)
            edition = session.get_one(Edition, edition_id)
            name = edition.name.argument
            self._run.complain(f"{name} is paused, {why}; fix that, then run `digest resume {name}`")
        self._refused.clear()

    def _mark(
        self,
        transaction: Transaction,
        ready: claims.Ready,
        done: Committed,
        now: datetime,
    ) -> list[str]:
        """Mark the deliveries that may still be sent; return the states of those that are withheld."""
        if not ready:
            return []
        kept_back = claims.mark_in_flight(transaction.connection, ready, owner=self._run.owner, now=now)
        done.may_go = ready.keys() - kept_back.keys()
        if not kept_back:
            return []
        states: list[str] = []
        with transaction.session() as session:
            for key, reason in kept_back.items():
                if isinstance(reason, Withheld):
                    states.append(deliveries.withhold(session, ready[key][0], reason, now))
                else:
                    done.stale.add(ready[key][0].variant_id)
                    deliveries.release(session, [ready[key][0]], owner=self._run.owner, now=now)
        return states

    def _note(self, attempt: Attempt, verdict: Verdict) -> None:
        run = self._run
        if verdict.state is DeliveryState.UNCERTAIN and run.resend and not attempt.job.resends:
            log.warning("a reply was lost after the final dot; the message is repeated once")
        if verdict.pause:
            run.give_up(f"the edition is paused, the relay refuses us: {verdict.pause}")
        self._drops = self._drops + 1 if verdict.relay_is_down else 0
        if self._drops == _ENOUGH_DROPS:
            run.give_up(
                f"the relay {attempt.relay_name} closes our connections ({describe(attempt.outcome)});"
                " the next run continues"
            )


def _reply_of(attempt: Attempt) -> tuple[str, str]:
    """Return the receiver's domain and the reply's class, `("mail.example", "2xx")`; "lost" without a
    reply."""
    reply = attempt.outcome.reply
    kind = f"{reply.code // 100}xx" if reply else "lost"
    return attempt.job.address.rpartition("@")[2].lower(), kind
