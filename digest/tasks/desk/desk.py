"""What the desk's use cases share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.mail.rendering.renderer import Renderer
from digest.net.smtp import Relay
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.composing.composer import Composer


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one publication: what it reads, composes with, mails by, and makes ids and tokens with."""

    database: Database
    settings: Settings
    composer: Composer
    renderer: Renderer
    relay: Callable[[], Relay]
    relays: Callable[[], Sequence[Relay]]
    new_id: Callable[[], str]
    new_token: Callable[[], str]

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Return the ring of keys that links and forms are sealed with."""
        return self.settings.web.signing_keys
