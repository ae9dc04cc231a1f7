"""The courier loop: one thread drives all connections, with one commit a turn.

Each turn commits the replies that have come and marks the next messages in flight; only then may their final
dot, or their last chunk, be written. What comes before the dot is written as soon as consent has been read
again, so that servers have something to do while we wait for the disk. docs/flow.md tells the claim protocol.
"""

import selectors
import time
from collections.abc import Mapping, Set
from functools import partial

from digest.models import Outcome, Stage
from digest.net.smtp import Connection
from digest.rules.delivery.rate_limits import domain_of, is_too_fast
from digest.rules.delivery.verdicts import describe
from digest.store.delivery.deliveries import Job
from digest.store.editions import editions
from digest.tasks.delivery.courier import Courier, Parcel, Progress
from digest.tasks.delivery.prefetch import ComposeAhead, SignAhead, fresh
from digest.tasks.delivery.queue import DomainQueue
from digest.tasks.delivery.recorder import PAUSE, Attempt, Recorder
from digest.tasks.delivery.relays import Connector, RelayPool
from digest.tasks.delivery.run import Run

_BATCH = 10  # claims for each connection: more at once would keep them all waiting
_AHEAD = 3
_SIGNED_AHEAD = 8  # the pool takes several at a time, and each takes as long as a few others to compose
_LONGEST_NAP = 0.5
_DRAIN = 8.0
_QUIT_PATIENCE = 0.2
_ENDED = "the run has ended"

Wanted = Mapping[int, tuple[Courier, Parcel]]
"""The messages that servers wait for, by their delivery's id, each with where it goes."""


class DeliveryLoop:
    """Carries everything that is due over the connections that the relays may have."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._trunks = [RelayPool(line) for line in run.lines]
        self._most = sum(line.connections for line in run.lines)
        self._recorder = Recorder(run)
        self._openers = Connector()
        signs = run.composer.signs
        self._writer = (
            SignAhead(run.composer, run.clock, _SIGNED_AHEAD * self._most, self._openers.ring)
            if signs
            else ComposeAhead(run.composer, run.clock, _AHEAD * self._most)
        )
        self._outbox = DomainQueue(self._writer, run.domains)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._openers.bell, selectors.EVENT_READ)
        self._lanes: dict[Courier, RelayPool] = {}
        self._answers: list[Attempt] = []
        self._wanted: dict[int, tuple[Courier, Parcel]] = {}
        self._dry = False
        self._later: float | None = None
        self._slowed = False

    def work(self) -> None:
        """Deliver what is due; every way out leaves each claim settled."""
        try:
            self._recorder.recall(self._run.domains)
            while self._goes_on():
                self._commit()
                self._postpone()
                self._open_more()
                self._start_idle()
                self._outbox.prepare()
                self._poll()
            self._drain()
        finally:
            self._end()

    def _goes_on(self) -> bool:
        if self._run.ended:
            return False
        if self._later is not None and time.monotonic() >= self._later:
            self._later, self._dry = None, False
        busy = any(not lane.is_idle for lane in self._lanes)
        waits = len(self._outbox) or self._answers or self._wanted or busy
        return bool(waits or not self._dry or self._later is not None)

    def _commit(self) -> None:
        """Record, mark and claim in one transaction; then let what is marked leave."""
        is_low = not self._dry and self._outbox.count_ready() < _AHEAD * self._most
        claim = _BATCH * self._most if is_low else 0
        if not (self._answers or self._wanted or claim):
            return
        answers, wanted = self._answers, self._wanted
        self._answers, self._wanted = [], {}
        ready = {key: (load.job, load.composed_at) for key, (_, load) in wanted.items()}
        try:
            turn = self._recorder.commit(answers, ready, claim, partial(self._send_ahead, wanted))
        except BaseException:
            self._answers = [*answers, *self._answers]  # not recorded yet: tried once more at the end
            raise
        if turn.claimed:
            self._run.composer.expect(turn.claimed)
            self._outbox.add(turn.claimed)
        if turn.paused or turn.stale:
            self._recorder.release(self._remove(turn.paused, turn.stale))
        self._dry = (self._dry or (claim > 0 and not turn.claimed)) and not (turn.repeats or turn.stale)
        for key, (lane, load) in wanted.items():
            if key in turn.may_go:
                self._send(lane, load)
            else:
                lane.abandon(load)  # the server waits for it all the same: only hanging up ends that
                self._end_one(load.job)
                self._drop(lane, politely=False)

    def _remove(self, paused: set[int], stale: set[int]) -> list[Job]:
        """Take claims out that cannot go as they are, before a server is asked for them in vain."""
        return self._outbox.remove(lambda job: job.edition_id in paused or job.variant_id in stale)

    def _postpone(self) -> None:
        """Put off what slow domains cannot get soon, so that others need not wait for them."""
        if self._slowed:
            self._slowed = False
            self._recorder.remember(self._run.domains)
        if len(self._outbox) < self._most:
            return
        postponed = self._outbox.surplus(time.monotonic())
        if postponed:
            self._recorder.postpone(postponed)
            soonest = time.monotonic() + min(seconds for _, seconds in postponed)
            self._later = soonest if self._later is None else min(self._later, soonest)

    def _send_ahead(self, wanted: Wanted, may_go: Set[int]) -> None:
        """Write what need not wait for the disk: a message without its end is none."""
        now = time.monotonic()
        for key in may_go:
            lane, load = wanted[key]
            lane.send_ahead(load, now)

    def _send(self, lane: Courier, load: Parcel) -> None:
        """Write the rest of a marked message, and the next envelope with it where the server pipelines."""
        out = lane.rest(load)
        if lane.exchange.pipelines and not lane.is_full:
            out.append(self._begin_next(lane))
        lane.write(out, time.monotonic())
        self._watch(lane)

    def _begin_next(self, lane: Courier) -> bytes:
        """Open the transaction of the next message that may go; give the bytes to write, if any."""
        now, pace = time.monotonic(), self._lanes[lane].pace
        if not self._outbox or self._run.ended or not pace.may_begin(now):
            return b""
        load = self._outbox.take(now)
        if load is None:
            return b""
        pace.begin(now)
        out, answer = lane.begin(load)
        if answer is not None:
            self._answers.append(answer)
            self._end_one(load.job, lane)
        return out

    def _start_idle(self) -> None:
        idle = [lane for lane in self._lanes if lane.is_idle]
        for lane in idle:
            if lane.is_full:
                self._drop(lane, politely=True)
            elif len(self._outbox):
                out = self._begin_next(lane)
                if out:
                    lane.write((out,), time.monotonic())
                    self._watch(lane)

    def _poll(self) -> None:
        for key, mask in self._selector.select(self._nap()):
            if key.fileobj is self._openers.bell:
                self._openers.opened(self._welcome)
                continue
            lane: Courier = key.data
            if mask & selectors.EVENT_WRITE:
                lane.flush(time.monotonic())
            if mask & selectors.EVENT_READ or lane.channel.fault:
                self._take(lane, lane.listen(time.monotonic()))
            if lane in self._lanes:
                self._watch(lane)
        now = time.monotonic()
        for lane in [lane for lane in self._lanes if lane.deadline < now and not lane.is_idle]:
            self._lose(lane, "no reply in time")

    def _lose(self, lane: Courier, fault: str) -> None:
        heard = Progress()
        lane.lose(fault, heard)
        self._take(lane, heard)

    def _take(self, lane: Courier, heard: Progress) -> None:
        for answer in heard.answers:
            self._learn(lane, answer)
        self._answers.extend(heard.answers)
        for job in heard.given_back:
            self._end_one(job, lane)
        self._outbox.put_back(reversed(heard.given_back))
        for wanted in heard.wants:
            load = fresh(wanted, self._run.composer, self._run.clock())
            self._wanted[load.job.delivery_id] = lane, load
        if heard.lost:
            self._wanted = {key: item for key, item in self._wanted.items() if item[0] is not lane}
            self._drop(lane, politely=False)

    def _learn(self, lane: Courier, answer: Attempt) -> None:
        """Count an end; slow down for who asks us to, the relay or a domain, and give that back slowly."""
        outcome = answer.outcome
        relay, domain = self._lanes[lane].pace, self._run.domains.of(domain_of(answer.job.address))
        relay.end()
        domain.end()
        if outcome.accepted:
            if relay.learned or domain.learned:
                relay.speed_up(time.monotonic())
                domain.speed_up(time.monotonic())
        elif is_too_fast(outcome):
            (relay if outcome.stage is Stage.MAIL else domain).slow_down(time.monotonic())
            self._slowed = True

    def _end_one(self, job: Job, lane: Courier | None = None) -> None:
        self._run.domains.of(domain_of(job.address)).end()
        if lane in self._lanes:
            self._lanes[lane].pace.end()

    def _nap(self) -> float:
        if self._answers or self._wanted:
            return 0.0
        now = time.monotonic()
        until = [lane.deadline for lane in self._lanes if not lane.is_idle]
        if len(self._outbox):
            until += [trunk.pace.next_at for trunk in self._trunks if trunk.pace.next_at > now]
            until += [moment for moment in [self._outbox.next_at(now)] if moment is not None]
        elif self._later is not None:
            until.append(self._later)
        elif not until:
            return 0.0  # nothing is on its way, and nothing waits: the next turn tells whether that is all
        return min(max(min(until, default=now + _LONGEST_NAP) - now, 0.0), _LONGEST_NAP)

    def _watch(self, lane: Courier) -> None:
        """Select for reading, and for writing while something is unsent."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if lane.channel.unsent else 0)
        if lane.watched != events and lane.channel.fileno() >= 0:
            lane.watched = events
            self._selector.modify(lane.channel, events, lane)

    def _open_more(self) -> None:
        waiting, now = len(self._outbox), time.monotonic()
        for trunk in self._trunks:
            while trunk.wants_more(waiting, now):
                self._openers.open(trunk)

    def _welcome(self, trunk: RelayPool, opened: Connection | Outcome) -> None:
        if isinstance(opened, Outcome):
            self._refused(trunk, opened)
            return
        line = trunk.line
        lane = Courier(opened, line.relay.timeouts, time.monotonic(), line.messages_per_connection)
        lane.where = trunk.where
        trunk.lanes.add(lane)
        self._lanes[lane] = trunk
        self._selector.register(lane.channel, lane.watched, lane)

    def _refused(self, trunk: RelayPool, outcome: Outcome) -> None:
        """No connection: nobody is marked; a refusal that will not mend itself pauses the editions."""
        if trunk.refused_one(outcome, time.monotonic()):
            return
        run, words = self._run, describe(outcome)
        is_final = outcome.reply is not None and outcome.reply.code >= 500
        verb = "reached" if outcome.stage is Stage.CONNECT else "used"
        what = f"refuses us ({words}); mend it" if is_final else f"cannot be {verb} ({words})"
        trunk.broken = words
        if not all(other.broken for other in self._trunks):
            run.complain(f"the relay {trunk.where} {what}; the others go on")
            return
        if is_final:
            with run.database.write() as session:
                editions.pause_frozen(session, words, digest=run.digest, retry_at=run.clock() + PAUSE)
        run.give_up(f"the relay {trunk.where} {what}{', the' if is_final else '; the'} next run goes on")

    def _drop(self, lane: Courier, *, politely: bool, patience: float = 0) -> None:
        trunk = self._lanes.pop(lane, None)
        if trunk is not None:
            trunk.lanes.remove(lane)
            self._selector.unregister(lane.channel)
            lane.channel.close(politely=politely, patience=patience)

    def _drain(self) -> None:
        """Let what is on the wire come to its reply; nothing new begins."""
        end = time.monotonic() + _DRAIN
        while any(lane.has_dot_out for lane in self._lanes) and time.monotonic() < end:
            self._poll()
        self._wanted.clear()

    def _end(self) -> None:
        """Settle what is left: replies are recorded, what never began is given back, lines are closed."""
        try:
            for lane in list(self._lanes):
                if lane.is_idle and not lane.channel.fault:
                    self._drop(lane, politely=True, patience=_QUIT_PATIENCE)
                else:
                    self._lose(lane, _ENDED)
            left = [answer for answer in self._answers if answer.outcome.fault == _ENDED]
            self._recorder.commit([answer for answer in self._answers if answer not in left], {}, 0)
            # What is in flight is no claim any more; it is settled as a dead worker's would be.
            self._recorder.release([*self._outbox, *(answer.job for answer in left)])
        finally:
            self._writer.close()
            self._recorder.close()
            self._selector.close()
            self._openers.close()
