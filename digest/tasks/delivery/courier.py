"""The courier loop: one thread drives all connections, with one commit a turn.

Each turn commits the replies that have come and marks the next messages in flight; only then may their
content, and with it their final dot, be written. The claim protocol is told in docs/flow.md.
"""

import queue
import selectors
import socket
import threading
import time
from collections import deque

from digest.models import Outcome, Stage
from digest.net.smtp import Connection, open_connection
from digest.rules.verdicts import describe
from digest.store import editions
from digest.store.deliveries import Job
from digest.tasks.delivery.lanes import Heard, Lane, Load
from digest.tasks.delivery.recording import PAUSE, Answer, Recorder
from digest.tasks.delivery.running import Run

_BATCH = 50
_LONGEST_NAP = 0.5
_DRAIN = 8.0
_ENDED = "the run has ended"


class Couriers:
    """Carries everything that is due over up to `connections` connections."""

    def __init__(self, run: Run, connections: int) -> None:
        self._run = run
        self._most = connections
        self._recorder = Recorder(run)
        self._selector = selectors.DefaultSelector()
        self._lanes: set[Lane] = set()
        self._pool: deque[Job] = deque()
        self._answers: list[Answer] = []
        self._wanted: dict[int, tuple[Lane, Load]] = {}
        self._opened: queue.SimpleQueue[Connection | Outcome] = queue.SimpleQueue()
        self._opening = 0
        self._dry = False
        self._next_start = 0.0
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)

    def work(self) -> None:
        """Deliver what is due; every way out leaves each claim settled."""
        try:
            while self._goes_on():
                self._commit()
                self._open_more()
                self._start_idle()
                self._poll()
            self._drain()
        finally:
            self._end()

    def _goes_on(self) -> bool:
        if self._run.ended:
            return False
        busy = any(not lane.is_idle for lane in self._lanes)
        return bool(self._pool or self._answers or self._wanted or busy or not self._dry)

    def _commit(self) -> None:
        """Record, mark and claim in one transaction; then let what is marked leave."""
        claim = _BATCH * self._most if len(self._pool) < self._most and not self._dry else 0
        if not (self._answers or self._wanted or claim):
            return
        answers, wanted = self._answers, self._wanted
        self._answers, self._wanted = [], {}
        ready = {key: (load.job, load.composed_at) for key, (_, load) in wanted.items()}
        try:
            turn = self._recorder.commit(answers, ready, claim)
        except BaseException:
            self._answers = [*answers, *self._answers]  # not recorded yet: tried once more at the end
            raise
        self._pool.extend(turn.claimed)
        if turn.paused:
            self._give_back(turn.paused)
        self._dry = (self._dry or (claim > 0 and not turn.claimed)) and not turn.repeats
        for key, (lane, load) in wanted.items():
            if key in turn.may_go:
                self._send(lane, load)
            else:
                lane.abandon(load)  # the server waits for it all the same: only hanging up ends that
                self._drop(lane, politely=False)

    def _give_back(self, paused: set[int]) -> None:
        """Give the claims of paused editions back, before a server is asked for them in vain."""
        self._recorder.release([job for job in self._pool if job.edition_id in paused])
        self._pool = deque(job for job in self._pool if job.edition_id not in paused)

    def _send(self, lane: Lane, load: Load) -> None:
        """Write a marked message, and the next envelope in the same write where the server pipelines."""
        out = lane.content(load)
        if lane.exchange.pipelines and self._may_start():
            out += self._begin(lane, self._pool.popleft())
        lane.write(out, time.monotonic())
        self._watch(lane)

    def _begin(self, lane: Lane, job: Job) -> bytes:
        """Compose a message and open its transaction; a template's fault shows before anything is marked."""
        composed_at = job.composed_at or self._run.clock()
        if self._run.rate:
            self._next_start = max(self._next_start, time.monotonic()) + 1 / self._run.rate
        out, answer = lane.begin(Load(job, self._run.composer.compose(job, composed_at), composed_at))
        if answer is not None:
            self._answers.append(answer)
        return out

    def _may_start(self) -> bool:
        return bool(self._pool) and not self._run.ended and time.monotonic() >= self._next_start

    def _start_idle(self) -> None:
        for lane in self._lanes:
            while lane.is_idle and self._may_start():
                out = self._begin(lane, self._pool.popleft())
                lane.write(out, time.monotonic())
                self._watch(lane)

    def _poll(self) -> None:
        for key, mask in self._selector.select(self._nap()):
            if key.fileobj is self._wake:
                self._welcome()
                continue
            lane: Lane = key.data
            if mask & selectors.EVENT_WRITE:
                lane.flush(time.monotonic())
            if mask & selectors.EVENT_READ or lane.channel.fault:
                self._take(lane, lane.listen(time.monotonic()))
            if lane in self._lanes:
                self._watch(lane)
        now = time.monotonic()
        for lane in [lane for lane in self._lanes if lane.deadline < now and not lane.is_idle]:
            self._lose(lane, "no reply in time")

    def _lose(self, lane: Lane, fault: str) -> None:
        heard = Heard()
        lane.lose(fault, heard)
        self._take(lane, heard)

    def _take(self, lane: Lane, heard: Heard) -> None:
        self._answers.extend(heard.answers)
        self._pool.extendleft(reversed(heard.given_back))
        for load in heard.wants:
            self._wanted[load.job.delivery_id] = (lane, load)
        if heard.lost:
            self._wanted = {key: item for key, item in self._wanted.items() if item[0] is not lane}
            self._drop(lane, politely=False)

    def _nap(self) -> float:
        if self._answers or self._wanted:
            return 0.0
        until = [lane.deadline for lane in self._lanes if not lane.is_idle]
        now = time.monotonic()
        if self._pool and self._next_start > now:
            until.append(self._next_start)
        return min(max(min(until, default=now + _LONGEST_NAP) - now, 0.0), _LONGEST_NAP)

    def _watch(self, lane: Lane) -> None:
        """Select for reading, and for writing while something is unsent."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if lane.channel.unsent else 0)
        if lane.watched != events and lane.channel.fileno() >= 0:
            lane.watched = events
            self._selector.modify(lane.channel, events, lane)

    def _open_more(self) -> None:
        idle = sum(lane.is_idle for lane in self._lanes)
        while len(self._lanes) + self._opening < self._most and len(self._pool) > idle + self._opening:
            self._opening += 1
            threading.Thread(target=self._open, name="smtp-opener", daemon=True).start()

    def _open(self) -> None:
        """Connect and greet beside the loop: a server may take minutes for its banner."""
        self._opened.put(open_connection(self._run.relay))
        try:
            self._waker.send(b"\0")
        except OSError:
            self._close_late()

    def _close_late(self) -> None:
        while not self._opened.empty():
            opened = self._opened.get()
            if isinstance(opened, Connection):
                opened.close()

    def _welcome(self) -> None:
        self._wake.recv(1024)
        while not self._opened.empty():
            self._opening -= 1
            opened = self._opened.get()
            if isinstance(opened, Outcome):
                self._refused(opened)
                continue
            lane = Lane(opened, self._run.relay.timeouts, time.monotonic())
            self._lanes.add(lane)
            self._selector.register(lane.channel, lane.watched, lane)

    def _refused(self, outcome: Outcome) -> None:
        """No connection: nobody is marked; a refusal that will not mend itself pauses the editions."""
        run = self._run
        where = f"{run.relay.host}:{run.relay.port}"
        words = describe(outcome)
        if outcome.reply is not None and outcome.reply.code >= 500 and outcome.stage is not Stage.CONNECT:
            with run.database.write() as session:
                editions.pause_frozen(session, words, digest=run.digest, retry_at=run.clock() + PAUSE)
            run.give_up(f"the relay {where} refuses us ({words}); mend it, the next run goes on")
        else:
            verb = "reached" if outcome.stage is Stage.CONNECT else "used"
            run.give_up(f"the relay {where} cannot be {verb} ({words}); the next run goes on")

    def _drop(self, lane: Lane, *, politely: bool) -> None:
        if lane in self._lanes:
            self._lanes.remove(lane)
            self._selector.unregister(lane.channel)
            lane.channel.close(politely=politely)

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
                    self._drop(lane, politely=True)
                else:
                    self._lose(lane, _ENDED)
            left = [answer for answer in self._answers if answer.outcome.fault == _ENDED]
            self._recorder.commit([answer for answer in self._answers if answer not in left], {}, 0)
            # What is in flight is no claim any more; it is settled as a dead worker's would be.
            self._recorder.release([*self._pool, *(answer.job for answer in left)])
        finally:
            self._recorder.close()
            self._selector.close()
            self._wake.close()
            self._waker.close()
            self._close_late()
