"""The delivery loop: one thread drives all connections, with one commit a turn.

Each turn commits the replies that have arrived and marks the next messages in flight. Only after that commit
may their final dots, or their last chunks, be written (`DeliveryLoop._send_final_dot`). The content before
the dot is written as soon as consent has been read again, so that servers can receive it while we wait for
the disk. docs/flow.md describes the claim protocol.
"""

import selectors
import time
from collections.abc import Mapping, Set
from functools import partial

from digest.errors import Unreachable
from digest.models import Stage
from digest.rules.delivery.rate_limits import domain_of, is_too_fast
from digest.store.delivery.deliveries import Job
from digest.tasks.delivery.courier import Courier, Parcel, Progress
from digest.tasks.delivery.prefetch import ComposeAhead, SignAhead, UncomposableError, fresh
from digest.tasks.delivery.queue import DomainQueue
from digest.tasks.delivery.recorder import Attempt, Recorder
from digest.tasks.delivery.recovery import take_over
from digest.tasks.delivery.relays import RelayPool
from digest.tasks.delivery.run import Run

_CLAIMS_EACH = 10  # for each connection: with more, the claims at the end would wait for long
_COMPOSED_EACH = 3
_SIGNED_EACH = 8  # the pool takes several at a time, and signing one takes as long as composing a few
_LONGEST_WAIT = 0.5
_DRAIN_SECONDS = 8.0
_QUIT_PATIENCE = 0.2
_SHARED_EVERY = 5.0
_ENDED = "the run has ended"
_TRUSTED_SECONDS = 15.0  # of silence; a server ends a session after 30

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

Ready = Mapping[int, tuple[Courier, Parcel]]
"""The messages whose content a server waits for, by delivery id, each with its connection."""


def seconds_with_sleep() -> float:
    """Return a monotonic time that goes on while the machine is suspended, where the system has one."""
    return time.clock_gettime(_CLOCK)


class DeliveryLoop:
    """Delivers everything that is due over the connections that the relays allow.

    A turn with two connections, as the servers see it:

        A< 354                      B< 250 2.0.0 queued          (poll)
        A> the content              record B's reply, mark A's message in flight, commit
        A> .\\r\\nMAIL FROM:<...>     B> MAIL FROM:<...>           (only after the commit)
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._relays = RelayPool(run)
        self._recorder = Recorder(run)
        most = self._relays.most
        self._prefetch = (
            SignAhead(run.composer, run.clock, _SIGNED_EACH * most, self._relays.wake)
            if run.composer.dkim_keys
            else ComposeAhead(run.composer, run.clock, _COMPOSED_EACH * most)
        )
        self._queue = DomainQueue(self._prefetch, run.domains)
        self._attempts: list[Attempt] = []
        self._ready: dict[int, tuple[Courier, Parcel]] = {}
        self._none_due = False
        self._claim_again_at: float | None = None
        self._limits_changed = False
        self._workers, self._share_again_at = 1, 0.0

    def work(self) -> None:
        """Deliver what is due; however the run ends, no claim is left open."""
        try:
            self._recorder.recall(self._run.domains)
            while self._has_work():
                self._share_limits()
                self._commit()
                self._postpone()
                self._relays.open_more(len(self._queue))
                self._start_idle()
                self._compose()
                self._poll()
            self._drain()
        finally:
            self._end()

    def _share_limits(self) -> None:
        """Check every few seconds how many workers deliver, because they share the limits.

        The claims of a worker that has died are taken over at once, not at the end of this run.
        """
        now = time.monotonic()
        if now >= self._share_again_at:
            self._require_lock()
            self._share_again_at = now + _SHARED_EVERY
            run = self._run
            if take_over(run.database, run.clock, own_id=run.owner, resend=run.resend):
                self._none_due = False
            workers = run.workers()
            if workers != self._workers:
                self._workers = workers
                self._relays.share(workers)
                self._run.domains.share(workers)

    def _has_work(self) -> bool:
        if self._run.ended:
            return False
        if self._claim_again_at is not None and time.monotonic() >= self._claim_again_at:
            self._claim_again_at, self._none_due = None, False
        is_busy = any(not courier.is_idle for courier in self._relays)
        waits = len(self._queue) or self._attempts or self._ready or is_busy
        return bool(waits or not self._none_due or self._claim_again_at is not None)

    def _commit(self) -> None:
        """Record, mark and claim in one transaction; then send what was marked."""
        most = self._relays.most
        is_low = not self._none_due and self._queue.count_ready() < _COMPOSED_EACH * most
        claim = _CLAIMS_EACH * most if is_low else 0
        if not (self._attempts or self._ready or claim):
            return
        attempts, ready, began = self._attempts, self._ready, seconds_with_sleep()
        self._attempts, self._ready = [], {}
        to_mark = {key: (parcel.job, parcel.composed_at) for key, (_, parcel) in ready.items()}
        try:
            done = self._recorder.commit(attempts, to_mark, claim, partial(self._send_ahead, ready))
        except BaseException:
            self._attempts = [*attempts, *self._attempts]  # not recorded yet: tried once more at the end
            raise
        if done.claimed:
            self._run.composer.expect(done.claimed)
            self._queue.add(done.claimed)
        if done.paused or done.stale:
            self._recorder.release(self._remove(done.paused, done.stale))
        none_due = self._none_due or (claim > 0 and not done.claimed)
        self._none_due = none_due and not (done.repeats or done.stale)
        self._send_marked(ready, done.may_go, began)

    def _send_marked(self, ready: Ready, may_go: Set[int], began: float) -> None:
        """Finish the messages whose mark is committed; close connections that wait for any other content.

        If the process was suspended since the transaction `began`, others may have these messages by now.
        """
        for key, (courier, parcel) in ready.items():
            if key in may_go:
                if seconds_with_sleep() - began > _TRUSTED_SECONDS:
                    self._require_lock()
                self._send_final_dot(courier, parcel)
            else:
                courier.abandon(parcel)  # the server waits for its content: only hanging up ends that
                self._end_one(parcel.job)
                self._relays.drop(courier, politely=False)

    def _require_lock(self) -> None:
        """Raise Unreachable if others take this worker to be dead, and its messages to be theirs."""
        if not self._run.holds_lock():
            raise Unreachable(
                "the database ended this worker's session, so other workers deliver what it had claimed;"
                " the next run continues"
            )

    def _remove(self, paused: set[int], stale: set[int]) -> list[Job]:
        """Remove the claims of paused editions and replaced variants, before a server is asked in vain."""
        return self._queue.remove(lambda job: job.edition_id in paused or job.variant_id in stale)

    def _postpone(self) -> None:
        """Defer what slow domains cannot get soon, so that others need not wait for them."""
        if self._limits_changed:
            self._limits_changed = False
            self._recorder.remember(self._run.domains)
        if len(self._queue) < self._relays.most:
            return
        postponed = self._queue.surplus(time.monotonic())
        if postponed:
            self._recorder.postpone(postponed)
            soonest = time.monotonic() + min(seconds for _, seconds in postponed)
            again = self._claim_again_at
            self._claim_again_at = soonest if again is None else min(again, soonest)

    def _send_ahead(self, ready: Ready, may_go: Set[int]) -> None:
        """Write contents while the commit is still under way: a message does not exist without its final
        dot."""
        now = time.monotonic()
        for key in may_go:
            courier, parcel = ready[key]
            courier.send_ahead(parcel, now)

    def _send_final_dot(self, courier: Courier, parcel: Parcel) -> None:
        """Write the final dot of a marked message, and with it the next envelope if the server pipelines.

        With CHUNKING the whole content is written here, as the last chunk.
        """
        out = courier.ending(parcel)
        if courier.exchange.pipelines and not courier.is_full and not self._relays.has_too_many(courier):
            out.append(self._start_next(courier))
        courier.write(out, time.monotonic())
        self._relays.watch(courier)

    def _start_next(self, courier: Courier) -> bytes:
        """Open the transaction of the next message that may be sent; return the bytes to write, if any."""
        now, pace = time.monotonic(), self._relays.pace_of(courier)
        if not self._queue or self._run.ended or not pace.may_begin(now):
            return b""
        try:
            parcel = self._queue.take(now)
        except UncomposableError as error:
            self._set_aside(error)
            return b""
        if parcel is None:
            return b""
        pace.begin(now)
        out, failed = courier.start(parcel)
        if failed is not None:
            self._attempts.append(failed)
            self._end_one(parcel.job, courier)
        return out

    def _compose(self) -> None:
        try:
            self._queue.prepare()
        except UncomposableError as error:
            self._set_aside(error)

    def _set_aside(self, error: UncomposableError) -> None:
        """Pause the edition whose message cannot be composed, so that all others are delivered."""
        edition_id = error.job.edition_id
        self._recorder.pause(edition_id, str(error))
        self._recorder.release(self._queue.remove(lambda job: job.edition_id == edition_id))

    def _start_idle(self) -> None:
        for courier in [courier for courier in self._relays if courier.is_idle]:
            if courier.is_full or self._relays.has_too_many(courier):
                self._relays.drop(courier, politely=True)
            elif len(self._queue):
                out = self._start_next(courier)
                if out:
                    courier.write((out,), time.monotonic())
                    self._relays.watch(courier)

    def _poll(self) -> None:
        for courier, events in self._relays.poll(self._wait_seconds()):
            if events & selectors.EVENT_WRITE:
                courier.flush(time.monotonic())
            if events & selectors.EVENT_READ or courier.channel.fault:
                self._take(courier, courier.receive(time.monotonic()))
            if courier in self._relays:
                self._relays.watch(courier)
        now = time.monotonic()
        for courier in [one for one in self._relays if one.deadline < now and not one.is_idle]:
            self._disconnect(courier, "no reply in time")

    def _disconnect(self, courier: Courier, fault: str) -> None:
        progress = Progress()
        courier.disconnect(fault, progress)
        self._take(courier, progress)

    def _take(self, courier: Courier, progress: Progress) -> None:
        """Process what a connection has received; it is recorded with the next commit."""
        for attempt in progress.attempts:
            self._learn(courier, attempt)
        self._attempts.extend(progress.attempts)
        for job in progress.not_started:
            self._end_one(job, courier)
        self._queue.put_back(reversed(progress.not_started))
        for wanted in progress.content_wanted:
            parcel = fresh(wanted, self._run.composer, self._run.clock())
            self._ready[parcel.job.delivery_id] = courier, parcel
        if progress.lost:
            self._ready = {key: item for key, item in self._ready.items() if item[0] is not courier}
            self._relays.drop(courier, politely=False)

    def _learn(self, courier: Courier, attempt: Attempt) -> None:
        """Slow down for a relay or a domain that asks for it, and speed up slowly after successes."""
        outcome = attempt.outcome
        relay = self._relays.pace_of(courier)
        domain = self._run.domains.of(domain_of(attempt.job.address))
        relay.end()
        domain.end()
        if outcome.accepted:
            if relay.learned or domain.learned:
                relay.speed_up(time.monotonic())
                domain.speed_up(time.monotonic())
        elif is_too_fast(outcome):
            (relay if outcome.stage is Stage.MAIL else domain).slow_down(time.monotonic())
            self._limits_changed = True

    def _end_one(self, job: Job, courier: Courier | None = None) -> None:
        """Count a message as no longer under way, for the limits of its domain and its relay."""
        self._run.domains.of(domain_of(job.address)).end()
        if courier is not None and courier in self._relays:
            self._relays.pace_of(courier).end()

    def _wait_seconds(self) -> float:
        """Return how long a poll may wait: until the next deadline or free limit, at most half a second."""
        if self._attempts or self._ready:
            return 0.0
        now = time.monotonic()
        until = [courier.deadline for courier in self._relays if not courier.is_idle]
        if len(self._queue):
            until += self._relays.next_times(now)
            until += [moment for moment in [self._queue.next_at(now)] if moment is not None]
        elif self._claim_again_at is not None:
            until.append(self._claim_again_at)
        elif not until:
            return 0.0  # nothing is under way or waiting: the next turn finds out whether that is all
        return min(max(min(until, default=now + _LONGEST_WAIT) - now, 0.0), _LONGEST_WAIT)

    def _drain(self) -> None:
        """Wait for the replies to final dots that have been sent; start nothing new."""
        end = time.monotonic() + _DRAIN_SECONDS
        while any(courier.awaits_last_reply for courier in self._relays) and time.monotonic() < end:
            self._poll()
        self._ready.clear()

    def _end(self) -> None:
        """Record the last replies, release what was never started, close the connections."""
        try:
            for courier in list(self._relays):
                if courier.is_idle and not courier.channel.fault:
                    self._relays.drop(courier, politely=True, patience=_QUIT_PATIENCE)
                else:
                    self._disconnect(courier, _ENDED)
            left = [attempt for attempt in self._attempts if attempt.outcome.fault == _ENDED]
            self._recorder.commit([attempt for attempt in self._attempts if attempt not in left], {}, 0)
            # What is in flight is no longer a claim; it is released like a dead worker's.
            self._recorder.release([*self._queue, *(attempt.job for attempt in left)])
        finally:
            self._prefetch.close()
            self._recorder.close()
            self._relays.close()
