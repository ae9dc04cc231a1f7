"""The values that one run of deliveries shares, and its tally."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digest.net.smtp import Relay
from digest.rules.delivery.rate_limits import Allowance, Domains
from digest.store.database import Database
from digest.tasks.composing.composer import Composer
from digest.tasks.delivery.meter import Meter


@dataclass(slots=True)
class Tally:
    """How many deliveries a run has closed, by state; `trouble` says why it stopped early.

    Example: `Tally(accepted=240, failed=2)`; its `closed` is 242.
    """

    accepted: int = 0
    deferred: int = 0
    failed: int = 0
    withheld: int = 0
    uncertain: int = 0
    trouble: list[str] = field(default_factory=list)

    @property
    def closed(self) -> int:
        """Return how many deliveries have reached a final state or were deferred."""
        return self.accepted + self.deferred + self.failed + self.withheld + self.uncertain

    def add(self, state: str, number: int = 1) -> None:
        """Count deliveries by the state that they reached."""
        if state in ("accepted", "deferred", "failed", "withheld", "uncertain"):
            setattr(self, state, getattr(self, state) + number)


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """A relay with its limits: connections, messages a second, messages a connection; 0 means no limit.

    `RelayLimits(relay, connections=4, rate=10.0, messages_per_connection=100)` opens four connections, sends
    ten messages a second over all of them, and replaces each after a hundred. If `is_stated`, all workers
    together open no more; else `connections` is a default, and each worker finds out what the relay takes.
    """

    relay: Relay
    connections: int
    rate: float = 0
    messages_per_connection: int = 0
    is_stated: bool = False


@dataclass(slots=True)
class Run:
    """What one run of deliveries shares: the store, the composer, the relays, and how to stop it.

    `stop` ends this run, `stopping` the whole program. `owner` is the id of the worker whose lock holds the
    claims. `meter` counts for `/metrics`, if that is enabled; `workers` returns how many workers share
    the limits, `holds_lock` whether others still take this one to be alive. `relay_trouble` has, for each
    relay that was used, why it refused us, or "". `gave_up` is set when the run ended by itself.
    """

    database: Database
    composer: Composer
    relays: Sequence[RelayLimits]
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
    meter: Meter | None = None
    workers: Callable[[], int] = lambda: 1
    holds_lock: Callable[[], bool] = lambda: True
    relay_trouble: dict[str, str] = field(default_factory=dict)
    gave_up: bool = False

    @property
    def relay(self) -> Relay:
        """Return the relay that the settings name first."""
        return self.relays[0].relay

    @property
    def ended(self) -> bool:
        """Return whether this run should end, because of itself or because the program does."""
        return self.stop.is_set() or self.stopping.is_set()

    def count(self, states: Mapping[str, int]) -> None:
        """Count deliveries by the states that they reached, and report progress."""
        with self.lock:
            for state, number in states.items():
                self.tally.add(state, number)
            self.progress(self.tally, self.total)

    def complain(self, why: str) -> None:
        """Add a line for the operator, once."""
        with self.lock:
            if why not in self.tally.trouble:
                self.tally.trouble.append(why)

    def give_up(self, why: str) -> None:
        """End the run early: the relay cannot be used, or we are at fault."""
        self.complain(why)
        self.gave_up = True
        self.stop.set()
