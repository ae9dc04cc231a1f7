"""The connections to the relays: how many there are, which are being opened, and when more are allowed."""

import contextlib
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from digest.models import Outcome, Stage
from digest.net.smtp import Connection, open_connection
from digest.rules.delivery.rate_limits import Limit, Pace
from digest.rules.delivery.reply_verdicts import describe
from digest.store.editions import editions
from digest.tasks.delivery.courier import Courier
from digest.tasks.delivery.recorder import PAUSE
from digest.tasks.delivery.run import RelayLimits, Run

_TRIED_AGAIN_AFTER = 60.0


@dataclass(slots=True, eq=False)
class RelayConnections:
    """The connections to one relay; `broken` says why this run cannot use it.

    A relay with `connections = 10` that refuses the fourth gets no more than three for a minute.
    """

    limits: RelayLimits
    pace: Pace = field(init=False)
    couriers: set[Courier] = field(default_factory=set)
    opening: int = 0
    broken: str = ""
    _most: int = field(init=False)
    _allowed: int = field(init=False)
    _full_until: float = 0

    def __post_init__(self) -> None:
        self.pace = Pace(Limit(self.limits.rate))
        self._most = self._allowed = self.limits.connections

    @property
    def name(self) -> str:
        """Return the relay's host and port, such as `mail.example:587`."""
        return f"{self.limits.relay.host}:{self.limits.relay.port}"

    def wants_more(self, waiting: int, now: float) -> bool:
        """Return whether to open another connection for the messages that wait."""
        if self.broken or len(self.couriers) + self.opening >= self.allowed(now):
            return False
        return waiting > sum(courier.is_idle for courier in self.couriers) + self.opening

    def allowed(self, now: float) -> int:
        """Return how many connections are allowed: for a while after a refusal, no more than are open."""
        if now >= self._full_until:
            self._allowed = self._most
        return min(self._allowed, self._most)

    def share(self, workers: int) -> None:
        """Reduce the stated limits to this worker's share of them; each worker may have one connection."""
        self.pace.limit = Limit(self.limits.rate).shared_by(workers)
        if self.limits.is_stated:
            self._most = max(1, self.limits.connections // workers)

    def has_too_many(self) -> bool:
        """Return whether more connections are open than this worker's share."""
        return len(self.couriers) > self._most

    def note_refusal(self, outcome: Outcome, now: float) -> bool:
        """Record that the relay refused a connection; return whether enough others are open to go on."""
        is_final = outcome.reply is not None and outcome.reply.code >= 500
        if not self.couriers or is_final:
            return False
        self._allowed = len(self.couriers)
        self._full_until = now + _TRIED_AGAIN_AFTER
        return True


class RelayPool:
    """All connections of a run, to all its relays, and the selector that watches their sockets.

    `open_more(120)` begins connections for 120 waiting messages, within each relay's limit; `poll` returns
    the couriers whose sockets are ready, and adds the connections that have been opened in the meantime.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._relays = [RelayConnections(limits) for limits in run.relays]
        self._relay_of: dict[Courier, RelayConnections] = {}
        self._connector = Connector()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._connector.bell, selectors.EVENT_READ)
        self.most = sum(limits.connections for limits in run.relays)
        """How many connections all relays together may have."""

    def __iter__(self) -> Iterator[Courier]:
        return iter(self._relay_of)

    def __contains__(self, courier: Courier) -> bool:
        return courier in self._relay_of

    @property
    def wake(self) -> Callable[[], None]:
        """Return a function that ends a `poll` early, from any thread."""
        return self._connector.ring

    def pace_of(self, courier: Courier) -> Pace:
        """Return the rate at which this courier's relay may be given messages."""
        return self._relay_of[courier].pace

    def next_times(self, now: float) -> list[float]:
        """Return when relays that are limited by their rate may be given the next message."""
        return [relay.pace.next_at for relay in self._relays if relay.pace.next_at > now]

    def open_more(self, waiting: int) -> None:
        """Begin the connections that the waiting messages need."""
        now = time.monotonic()
        for relay in self._relays:
            while relay.wants_more(waiting, now):
                self._connector.open(relay)

    def share(self, workers: int) -> None:
        """Reduce each relay's stated limits to this worker's share of them."""
        for relay in self._relays:
            relay.share(workers)

    def has_too_many(self, courier: Courier) -> bool:
        """Return whether this courier's relay has more connections than this worker's share."""
        return self._relay_of[courier].has_too_many()

    def poll(self, seconds: float) -> list[tuple[Courier, int]]:
        """Wait for sockets; return the couriers that can read or write, each with the selector's events."""
        ready = []
        for key, events in self._selector.select(seconds):
            if key.fileobj is self._connector.bell:
                self._connector.take_opened(self._add)
            else:
                ready.append((key.data, events))
        return ready

    def watch(self, courier: Courier) -> None:
        """Watch a courier for reading, and for writing while bytes are unsent."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if courier.channel.unsent else 0)
        if courier.selected_events != events and courier.channel.fileno() >= 0:
            courier.selected_events = events
            self._selector.modify(courier.channel, events, courier)

    def drop(self, courier: Courier, *, politely: bool, patience: float = 0) -> None:
        """Close a connection, with QUIT if `politely`; one that has been dropped already is left alone."""
        relay = self._relay_of.pop(courier, None)
        if relay is not None:
            relay.couriers.remove(courier)
            self._selector.unregister(courier.channel)
            courier.channel.close(politely=politely, patience=patience)

    def close(self) -> None:
        """Close the selector; connections that open later are closed by the thread that opens them."""
        self._selector.close()
        self._connector.close()

    def _add(self, relay: RelayConnections, opened: Connection | Outcome) -> None:
        if isinstance(opened, Outcome):
            self._refused(relay, opened)
            return
        limits = relay.limits
        courier = Courier(
            opened, limits.relay.timeouts, time.monotonic(), limits.messages_per_connection, relay.name
        )
        relay.couriers.add(courier)
        self._relay_of[courier] = relay
        self._run.relay_trouble.setdefault(relay.name, "")
        self._selector.register(courier.channel, courier.selected_events, courier)

    def _refused(self, relay: RelayConnections, outcome: Outcome) -> None:
        """Continue without a connection that was refused: no delivery fails for it.

        If the last relay refuses permanently (5yz), the editions are paused.
        """
        if relay.note_refusal(outcome, time.monotonic()):
            return
        run, words = self._run, describe(outcome)
        is_final = outcome.reply is not None and outcome.reply.code >= 500
        verb = "reached" if outcome.stage is Stage.CONNECT else "used"
        what = f"refuses us ({words}); fix that" if is_final else f"cannot be {verb} ({words})"
        relay.broken = self._run.relay_trouble[relay.name] = words
        if not all(other.broken for other in self._relays):
            run.complain(f"the relay {relay.name} {what}; the others go on")
            return
        if is_final:
            with run.database.write() as session:
                editions.pause_frozen(session, words, digest=run.digest, retry_at=run.clock() + PAUSE)
        run.give_up(f"the relay {relay.name} {what}{', the' if is_final else '; the'} next run continues")


class Connector:
    """Opens connections in threads beside the loop, because a server may take minutes for its banner (RFC
    5321).

    The loop selects on `bell`, a socket that becomes readable when a connection has been opened or refused.
    """

    def __init__(self) -> None:
        self._opened: queue.SimpleQueue[tuple[RelayConnections, Connection | Outcome]] = queue.SimpleQueue()
        self.bell, self._ringer = socket.socketpair()
        self.bell.setblocking(False)
        self._ringer.setblocking(False)

    def open(self, relay: RelayConnections) -> None:
        """Begin to open a connection."""
        relay.opening += 1
        threading.Thread(target=self._open, args=(relay,), name="smtp-opener", daemon=True).start()

    def take_opened(self, take: Callable[[RelayConnections, Connection | Outcome], None]) -> None:
        """Call `take` with each connection that has been opened, or with the outcome of a refusal."""
        with contextlib.suppress(BlockingIOError):
            self.bell.recv(4096)
        while not self._opened.empty():
            relay, opened = self._opened.get()
            relay.opening -= 1
            take(relay, opened)

    def ring(self) -> None:
        """Wake the loop; harmless if it has ended or has been woken already."""
        try:
            self._ringer.send(b"\0")
        except BlockingIOError:
            pass
        except OSError:
            self._close_late()

    def close(self) -> None:
        """Stop; a connection that opens later is closed by its thread."""
        self.bell.close()
        self._ringer.close()
        self._close_late()

    def _open(self, relay: RelayConnections) -> None:
        self._opened.put((relay, open_connection(relay.limits.relay)))
        self.ring()

    def _close_late(self) -> None:
        while not self._opened.empty():
            _, opened = self._opened.get()
            if isinstance(opened, Connection):
                opened.close()
