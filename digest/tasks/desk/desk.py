"""What the desk's use cases share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.mail.rendering.renderer import Renderer
from digest.net.smtp import Relay
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.composing.composer import Composer
from digest.tasks.editions.fitting import KeptIndex
from digest.tasks.ledger.running_sums import RunningSums


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one publication: its database, composer, relay, and sources of ids and tokens.

    `related` is what its previews find related articles by, `running` counts what is being delivered.
    `find_refusal` returns why nothing may be sent from this database, if it was restored from a backup.
    """

    database: Database
    settings: Settings
    composer: Composer
    renderer: Renderer
    relay: Callable[[], Relay]
    relays: Callable[[], Sequence[Relay]]
    new_id: Callable[[], str]
    new_token: Callable[[], str]
    related: KeptIndex
    running: RunningSums
    find_refusal: Callable[[], str | None]

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Return the key ring that seals links and forms."""
        return self.settings.web.signing_keys
