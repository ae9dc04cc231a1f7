"""What one run of deliveries shares, and what it has done so far."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digest.net.smtp import Relay
from digest.rules.delivery.rate_limits import Allowance, Domains
from digest.store.database import Database
from digest.tasks.composing.composer import Composer


@dataclass(slots=True)
class Tally:
    """What a run has done so far; `trouble` is why it stopped early."""

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    withheld: int = 0
    uncertain: int = 0
    trouble: list[str] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """Give how many deliveries came to something."""
        return self.accepted + self.deferred + self.failed + self.withheld + self.uncertain

    def add(self, state: str, number: int = 1) -> None:
        """Count deliveries by the state that they reached."""
        if state in ("accepted", "deferred", "failed", "withheld", "uncertain"):
            setattr(self, state, getattr(self, state) + number)


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """A relay with what it may be asked to carry: at once, a second, over one connection; 0: no limit."""

    relay: Relay
    connections: int
    rate: float = 0
    messages_per_connection: int = 0


@dataclass(slots=True)
class Run:
    """What the couriers of one run share."""

    database: Database
    composer: Composer
    lines: Sequence[RelayLimits]
    owner: int
    clock: Callable[[], datetime]
    digest: str | None = None
    domains: Domains = field(default_factory=lambda: Domains({}))
    allowance: Callable[[datetime], Allowance | None] = lambda _now: None
    tally: Tally = field(default_factory=Tally)
    stop: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    total: int = 0
    progress: Callable[[Tally, int], None] = lambda _tally, _total: None
    resend: bool = True

    @property
    def relay(self) -> Relay:
        """Give the relay that the settings name first."""
        return self.lines[0].relay

    @property
    def ended(self) -> bool:
        """Tell whether this run is to end: by itself, or because the program does."""
        return self.stop.is_set() or self.stopping.is_set()

    def count(self, states: Mapping[str, int]) -> None:
        """Count deliveries by the states that they reached, and show it."""
        with self.lock:
            for state, number in states.items():
                self.tally.add(state, number)
            self.progress(self.tally, self.total)

    def complain(self, why: str) -> None:
        """Tell the operator something, once."""
        with self.lock:
            if why not in self.tally.trouble:
                self.tally.trouble.append(why)

    def give_up(self, why: str) -> None:
        """End the run early: the relay is not to be had, or something is wrong on our side."""
        self.complain(why)
        self.stop.set()
