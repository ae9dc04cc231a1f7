"""The composition root: chooses implementations by the settings and connects them.

What most commands do not need is imported where it is used, so that each starts fast.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from digest.clock import utc_now
from digest.errors import Refused, SettingsError, UsageError
from digest.resources import bundled
from digest.settings import Settings
from digest.settings.smtp import RelaySettings
from digest.store import schema
from digest.store.database import Database
from digest.store.keys import keep_keys
from digest.store.workers import WorkerLock, count_alive
from digest.tasks.ledger.state_file import check_state, identity_of, save_state, state_path

if TYPE_CHECKING:
    from digest.mail.dkim import Signer
    from digest.mail.rendering.catalogues import Catalogues
    from digest.mail.rendering.renderer import Renderer
    from digest.net.smtp import Relay
    from digest.rules.delivery.rate_limits import Allowance
    from digest.tasks.background import Background
    from digest.tasks.composing.composer import Composer
    from digest.tasks.delivery.meter import Meter
    from digest.tasks.delivery.run import RelayLimits, Run
    from digest.tasks.desk.desk import Desk
    from digest.tasks.editions.breaking import BreakingDesk
    from digest.tasks.editions.compiling import Compiler
    from digest.tasks.editions.reader_edition import ReaderEditions
    from digest.tasks.inbound.inbox import Inbox
    from digest.tasks.ledger.database_move import Moved, Tell
    from digest.tasks.ledger.metrics import Metrics
    from digest.tasks.ledger.restore import Restorer
    from digest.tasks.readers.readers import Readers
    from digest.tracing import Traces


_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567"
_BASE32 = bytes(_LETTERS[byte & 31] for byte in range(256))
_LAST = bytes(_LETTERS[byte & 28] for byte in range(256))  # 128 bits end in two zeros (RFC 4648 section 6)


def new_public_id() -> str:
    """Make a random id for a person: 128 bits, 26 characters of lower-case base32."""
    random = secrets.token_bytes(26)
    return (random[:25].translate(_BASE32) + random[25:].translate(_LAST)).decode()


@dataclass
class Application:
    """All that a command needs; what is costly is made when it is first used, and kept."""

    settings: Settings
    clock: Callable[[], datetime] = field(default=utc_now)
    stopping: threading.Event = field(default_factory=threading.Event)
    watches_mail: bool = False
    delivers: bool = False

    @cached_property
    def database(self) -> Database:
        """Open the database; it must exist, and is upgraded to the current version."""
        database = Database(self.settings.database_url)
        schema.migrate(database)
        return database

    @cached_property
    def keys(self) -> dict[str, bytes]:
        """Return the keys that are never rotated, created with the database."""
        with self.database.write() as session:
            return keep_keys(session, {name: secrets.token_bytes(32) for name in ("identity", "suppression")})

    @cached_property
    def renderer(self) -> Renderer:
        """Return the renderer of messages; raise SettingsError for a missing look or folder."""
        from digest.tasks.composing.bounded_documents import open_renderer

        look = self.settings.look
        own = self.settings.path(look.folder) if look.folder else None
        if own is not None and not own.is_dir():
            raise SettingsError(f'[look] folder = "{look.folder}": there is no folder {own}')
        renderer = open_renderer(own, look.brand)
        for digest in self.settings.digests:
            renderer.require(digest.template)
        return renderer

    @cached_property
    def catalogues(self) -> Catalogues:
        """Return the catalogues of readers' pages and notices."""
        from digest.mail.rendering.catalogues import Catalogues

        return Catalogues(bundled("templates") / "languages")

    @cached_property
    def composer(self) -> Composer:
        """Return the composer, used for preview and delivery alike."""
        from digest.tasks.composing.composer import Composer

        return Composer(self.database, self.settings, self.renderer, self.keys["identity"], self.signer)

    @cached_property
    def signer(self) -> Signer | None:
        """Return the signer, loaded once; None if the settings name no key."""
        if not (self.settings.dkim.key_file or self.settings.dkim.ed25519_key_file):
            return None
        # The keys' library is slow to import, and most commands sign nothing.
        from digest.tasks.composing.signing_keys import load_signer

        return load_signer(self.settings)

    @cached_property
    def readers(self) -> Readers:
        """Return the use cases of readers."""
        from digest.tasks.readers.readers import Readers

        return Readers(
            database=self.database,
            settings=self.settings,
            signing_keys=self.settings.web.signing_keys,
            suppression_key=self.keys["suppression"],
            new_id=new_public_id,
            new_token=lambda: secrets.token_urlsafe(24),
        )

    @cached_property
    def meter(self) -> Meter | None:
        """Return the meter that counts deliveries for `/metrics`; None if that is disabled."""
        if not self.settings.web.metrics_token.get_secret_value():
            return None
        from digest.tasks.delivery.meter import Meter

        return Meter()

    @cached_property
    def traces(self) -> Traces:
        """Return the tracer of runs and requests; raise SettingsError if no collector can be used."""
        from digest.tracing import open_traces

        return open_traces(self.settings.traces)

    @property
    def metrics(self) -> Metrics | None:
        """Return this process's metrics; None if they are disabled."""
        if self.meter is None:
            return None
        from digest.tasks.ledger.metrics import Metrics

        return Metrics(self.database, self.settings, self.meter)

    @cached_property
    def inbox(self) -> Inbox:
        """Return the use cases of received mail."""
        from digest.net.inbound.spool import Spool
        from digest.tasks.inbound.inbox import Inbox

        return Inbox(
            self.readers,
            self.keys["identity"],
            Spool(self.settings.path(self.settings.inbound.spool)),
            lambda: self.reader_editions,
        )

    @cached_property
    def reader_editions(self) -> ReaderEditions:
        """Return the use case that makes editions for single readers on request."""
        from digest.tasks.editions.reader_edition import ReaderEditions

        return ReaderEditions(self.settings, self.composer, self.renderer.speaks)

    @cached_property
    def background(self) -> Background:
        """Return what works beside the pages of the desk."""
        from digest.tasks.background import Background

        return Background()

    @cached_property
    def desk(self) -> Desk:
        """Return the use cases of editors."""
        from digest.tasks.desk.desk import Desk
        from digest.tasks.editions.fitting import KeptIndex
        from digest.tasks.ledger.running_sums import RunningSums

        return Desk(
            database=self.database,
            settings=self.settings,
            composer=self.composer,
            renderer=self.renderer,
            relay=lambda: self.relay,
            relays=lambda: [limits.relay for limits in self.relay_limits],
            new_id=new_public_id,
            new_token=lambda: secrets.token_urlsafe(24),
            related=KeptIndex(self.database, self.background),
            running=RunningSums(self.database, self.background),
            find_refusal=self.find_refusal,
        )

    @property
    def breaking(self) -> BreakingDesk:
        """Return what sends breaking news."""
        from digest.tasks.editions.breaking import BreakingDesk

        renderer = self.renderer
        return BreakingDesk(self.database, self.settings, self.composer, renderer.speaks, renderer.say)

    @property
    def relay(self) -> Relay:
        """Return the relay that the settings name first."""
        return self._relay(self.settings.smtp)

    def _relay(self, named: RelaySettings) -> Relay:
        from digest.net.smtp import Relay
        from digest.net.smtp.transport import ehlo_name

        return Relay(
            host=named.host,
            port=named.port,
            security=named.security,
            username=named.username,
            password=named.password.get_secret_value(),
            token_file=str(self.settings.path(named.token_file)) if named.token_file else None,
            ehlo_name=self.settings.smtp.ehlo_name or ehlo_name(socket.getfqdn()),
            ca_file=str(self.settings.path(named.ca_file)) if named.ca_file else None,
        )

    @property
    def relay_limits(self) -> list[RelayLimits]:
        """Return the relays with their limits."""
        from digest.tasks.delivery.run import RelayLimits

        smtp = self.settings.smtp
        return [
            RelayLimits(
                self._relay(named),
                named.most_connections,
                named.rate,
                named.messages_per_connection,
                is_stated=named.connections > 0,
            )
            for named in (smtp, *smtp.relays.values())
        ]

    @property
    def identity(self) -> str:
        """Return what identifies this ledger and reveals nothing else."""
        return identity_of(self.keys["identity"])

    @contextmanager
    def worker(self, *, checked: bool = True) -> Iterator[WorkerLock]:
        """Be a worker for a block: hold the lock that shows others that this process is alive.

        Raise Refused for a database that was restored from a backup, unless `checked` is False:
        `digest resume` decides about it.
        """
        if checked:
            self.require_undoubted()
        lock = WorkerLock.acquire(self.database, host=socket.gethostname(), pid=os.getpid(), now=self.clock())
        try:
            if checked:
                self.save_state()
            yield lock
        finally:
            lock.release(self.database, self.clock())
            if checked:
                self.save_state()

    def require_undoubted(self) -> None:
        """Raise Refused for a database that was restored from a backup and not decided about yet."""
        check_state(self.database, self.state_path, self.identity)

    def find_refusal(self) -> str | None:
        """Return why nothing may be sent from this database, because it was restored from a backup; else
        None."""
        try:
            self.require_undoubted()
        except Refused as refused:
            return str(refused)
        return None

    @property
    def state_path(self) -> Path:
        """Return the path of the state file."""
        return state_path(self.settings.file)

    def save_state(self) -> None:
        """Write the ledger's state to the state file."""
        save_state(self.database, self.state_path, self.identity)

    @property
    def restorer(self) -> Restorer:
        """Return the use case that decides about a restored database."""
        from digest.tasks.ledger.restore import Restorer

        return Restorer(
            self.database, self.settings, self.state_path, self.identity, self.clock, self.breaking,
            self.reader_editions,
        )  # fmt: skip

    def move_to(self, url: str, tell: Tell) -> Moved:
        """Move this SQLite database to an empty one on PostgreSQL; `tell` gets each table and its rows.

        Raise UsageError for a URL that is not PostgreSQL's.
        """
        from pydantic import ValidationError

        from digest.settings.site import DatabaseSettings
        from digest.tasks.ledger.database_move import move

        self.require_undoubted()
        try:
            target = Database(DatabaseSettings(url=url).url)
        except ValidationError:
            raise UsageError("the new database must be an address like postgresql://USER@HOST/NAME") from None
        try:
            return move(self.database, target, state=self.state_path, identity=self.identity, tell=tell)
        finally:
            target.close()

    def compiler(self, worker: WorkerLock) -> Compiler:
        """Return the compiler for a worker."""
        from digest.tasks.editions.compiling import Compiler
        from digest.tasks.editions.fitting import Fitter

        self._renew_sources()
        return Compiler(
            self.database,
            self.settings,
            worker.id,
            speaks=self.renderer.speaks,
            fitter=lambda digest, edition: Fitter(self.composer, digest, edition),
            breaking=lambda digest, edition: self.breaking.compile(digest, edition, worker.id),
        )

    def run(self, worker: WorkerLock, digest: str | None = None) -> Run:
        """Return what one run of deliveries shares."""
        from digest.rules.delivery.rate_limits import Domains, Limit
        from digest.tasks.delivery.run import Run

        self._renew_sources()
        smtp = self.settings.smtp
        limits = {name: Limit(named.rate, named.connections) for name, named in smtp.domains.items()}
        return Run(
            database=self.database,
            composer=self.composer,
            relays=self.relay_limits,
            owner=worker.id,
            clock=self.clock,
            digest=digest,
            domains=Domains(limits),
            allowance=self._allowance,
            resend=smtp.when_uncertain == "resend",
            stopping=self.stopping,
            meter=self.meter,
            workers=lambda: count_alive(self.database),
            holds_lock=worker.is_held,
        )

    def _renew_sources(self) -> None:
        with self.database.read() as session:
            self.composer.renew_sources(session)

    def _allowance(self, now: datetime) -> Allowance | None:
        from digest.rules.delivery.rate_limits import allowance_of

        plan = self.settings.smtp.warm_up
        if plan is None:
            return None
        return allowance_of(plan.messages, plan.begins_on, now, self.settings.zone)

    def close(self) -> None:
        """Close what was opened."""
        if "background" in self.__dict__:
            self.background.close()
        if "database" in self.__dict__:
            self.database.close()
        if "traces" in self.__dict__:
            self.traces.close()
