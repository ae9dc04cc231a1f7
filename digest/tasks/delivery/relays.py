"""The connections of one relay: how many there are, how many are being opened, and whether more may be."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from digest.models import Outcome
from digest.net.smtp import Connection, open_connection
from digest.rules.delivery.rate_limits import Limit, Pace
from digest.tasks.delivery.courier import Courier
from digest.tasks.delivery.run import RelayLimits

_TRIED_AGAIN_AFTER = 60.0


@dataclass(slots=True, eq=False)
class RelayPool:
    """A relay at work; `broken` says why nothing can be had of it in this run."""

    line: RelayLimits
    pace: Pace = field(init=False)
    lanes: set[Courier] = field(default_factory=set)
    opening: int = 0
    broken: str = ""
    _most: int = field(init=False)
    _full_until: float = 0

    def __post_init__(self) -> None:
        self.pace = Pace(Limit(self.line.rate))
        self._most = self.line.connections

    @property
    def where(self) -> str:
        """Give the relay's host and port."""
        return f"{self.line.relay.host}:{self.line.relay.port}"

    def wants_more(self, waiting: int, now: float) -> bool:
        """Tell whether another connection should be opened for the messages that wait."""
        if self.broken or len(self.lanes) + self.opening >= self.most(now):
            return False
        return waiting > sum(lane.is_idle for lane in self.lanes) + self.opening

    def most(self, now: float) -> int:
        """Give how many connections it may have: as many as it took, for a while after it refused one."""
        if now >= self._full_until:
            self._most = self.line.connections
        return self._most

    def refused_one(self, outcome: Outcome, now: float) -> bool:
        """Take in that a connection was refused; tell whether those that stand are enough to go on."""
        is_final = outcome.reply is not None and outcome.reply.code >= 500
        if not self.lanes or is_final:
            return False
        self._most = len(self.lanes)
        self._full_until = now + _TRIED_AGAIN_AFTER
        return True


class Connector:
    """Opens connections beside the loop: a server may take minutes for its banner."""

    def __init__(self) -> None:
        self._opened: queue.SimpleQueue[tuple[RelayPool, Connection | Outcome]] = queue.SimpleQueue()
        self.bell, self._ringer = socket.socketpair()
        self.bell.setblocking(False)
        self._ringer.setblocking(False)

    def open(self, trunk: RelayPool) -> None:
        """Begin a connection."""
        trunk.opening += 1
        threading.Thread(target=self._open, args=(trunk,), name="smtp-opener", daemon=True).start()

    def opened(self, take: Callable[[RelayPool, Connection | Outcome], None]) -> None:
        """Hand over what has been opened, or refused."""
        with contextlib.suppress(BlockingIOError):
            self.bell.recv(4096)
        while not self._opened.empty():
            trunk, opened = self._opened.get()
            trunk.opening -= 1
            take(trunk, opened)

    def ring(self) -> None:
        """Wake the loop; nothing is lost where it is gone, or has been rung for already."""
        try:
            self._ringer.send(b"\0")
        except BlockingIOError:
            pass
        except OSError:
            self._close_late()

    def close(self) -> None:
        """End; a connection that comes later is closed by whoever opened it."""
        self.bell.close()
        self._ringer.close()
        self._close_late()

    def _open(self, trunk: RelayPool) -> None:
        self._opened.put((trunk, open_connection(trunk.line.relay)))
        self.ring()

    def _close_late(self) -> None:
        while not self._opened.empty():
            _, opened = self._opened.get()
            if isinstance(opened, Connection):
                opened.close()
