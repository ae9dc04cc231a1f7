"""Compose a message: the same function for preview and for delivery, so the bytes are the same."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING

from digest.kept import Kept
from digest.mail.assembly import Assembler
from digest.mail.message import Composition, Headers, Message, ReaderHeaders, message_id
from digest.mail.rendering.renderer import Renderer, Rendering
from digest.models import Edition, EditionName
from digest.models.row import row_id
from digest.net.smtp import Envelope
from digest.rules.delivery.return_paths import ReturnPaths
from digest.rules.editions import shortening
from digest.rules.editions.selection import Chosen
from digest.rules.tokens import tokens
from digest.settings import DigestSettings, Settings
from digest.store.database import Database
from digest.store.delivery.deliveries import Job
from digest.tasks.composing.content import EditionContents
from digest.tasks.composing.variants import VariantContent, Variants

if TYPE_CHECKING:
    from digest.mail.dkim import Signer

_KEPT = 32
_KEPT_SHEETS = 1_024
INERT = "inert"
"""What stands in a link in place of a reader's token; it opens nothing."""


@dataclass(slots=True)
class SignedMessage:
    """One message in pieces; no line begins with a full stop (mail.rendering.quoted_printable)."""

    envelope: Envelope
    pieces: Sequence[bytes]
    size: int

    @property
    def content(self) -> bytes:
        """Give the message whole."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class _ComposedVariant:
    name: EditionName
    composition: Composition
    related: Sequence[int]


class Composer:
    """Composes messages; what readers share is made once a variant and kept as long as it is used."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        renderer: Renderer,
        identity_key: bytes,
        signer: "Signer | None" = None,
    ) -> None:
        self.signs = signer is not None
        self._signer = signer
        self._settings = settings
        self._base_url, self._signing_keys = settings.site.base_url, settings.web.signing_keys
        self._renderer = renderer
        self._identity_key = identity_key
        self._from_name, self._from_address = parseaddr(settings.site.from_)[0], settings.site.from_address
        self.return_paths = return_paths(settings)
        self._domain = self._from_address.rpartition("@")[2]
        self._owner = parseaddr(settings.site.reply_to or settings.site.from_)[1]
        self._ready = Kept[int, _ComposedVariant](_KEPT)
        self._sheets = Kept[Hashable, Assembler | None](_KEPT_SHEETS)
        self._variants = Variants(database)
        self._headers = {digest.name: self._headers_of(digest) for digest in settings.digests}
        self._contents = EditionContents(settings, renderer.speaks)

    def compose(self, job: Job, composed_at: datetime) -> SignedMessage:
        """Compose a claimed delivery's message, and sign it where the settings name a key."""
        ready = self._ready_for(job.variant_id)
        message = self._message(ready.name, ready.composition, job, composed_at)
        return self._seal(ready.name, job, message, composed_at)

    def prepare(self, job: Job, composed_at: datetime) -> Callable[[], SignedMessage]:
        """Compose a claimed delivery's message; what is given signs it, which any thread may do."""
        ready = self._ready_for(job.variant_id)
        message = self._message(ready.name, ready.composition, job, composed_at)
        return lambda: self._seal(ready.name, job, message, composed_at)

    def letter(
        self, edition: Edition, rendering: Rendering, job: Job, composed_at: datetime
    ) -> SignedMessage:
        """Splice a reader's own values and headers into a rendering."""
        name = edition.name
        message = self._message(name, self._composition(edition, rendering), job, composed_at)
        return self._seal(name, job, message, composed_at)

    def inert(self, edition: Edition, rendering: Rendering, job: Job, composed_at: datetime) -> bytes:
        """Give the same message with links that change nothing for its reader, to be shown at the desk."""
        composition = self._composition(edition, rendering)
        return bytes(self._message(edition.name, composition, job, composed_at, inert=True))

    def sealed(self, message: Message, at: datetime) -> bytes:
        """Give a message's bytes, signed where the settings name a key."""
        return b"".join((*self._signatures(message, at), message.head, *message.pieces))

    def _signatures(self, message: Message, at: datetime) -> tuple[bytes, ...]:
        if self._signer is None:
            return ()
        return (self._signer.sign(message.head, message.body_digest, at),)

    def _seal(self, name: EditionName, job: Job, message: Message, composed_at: datetime) -> SignedMessage:
        envelope = Envelope(self.return_paths.write(job.public_id, name), job.address)
        pieces = [*self._signatures(message, composed_at), message.head, *message.pieces]
        return SignedMessage(envelope, pieces, sum(map(len, pieces)))

    def _message(
        self,
        name: EditionName,
        composition: Composition,
        job: Job,
        composed_at: datetime,
        *,
        inert: bool = False,
    ) -> Message:
        base = self._base_url
        leave = f"{base}/unsubscribe/{INERT if inert else self._token(tokens.UNSUBSCRIBE, job)}"
        choose = f"{base}/preferences/{INERT if inert else self._token(tokens.PREFERENCES, job)}"
        values = {
            "name": job.name,
            "address": job.address,
            "unsubscribe_url": leave,
            "preferences_url": choose,
        }
        own = ReaderHeaders(
            to_name=job.name,
            to_address=job.address,
            date=composed_at,
            message_id=message_id(self._identity_key, *name, job.public_id, self._domain),
            unsubscribe_url=leave,
        )
        return composition.compose(own, values)

    def _token(self, action: str, job: Job) -> str:
        return tokens.sign(self._signing_keys, action, job.public_id, job.digest)

    def render(self, listing: VariantContent) -> Rendering:
        """Render a list of articles as an edition's variant."""
        return self._renderer.render(self._contents.of(listing))

    def measure(self, listing: VariantContent) -> int:
        """Give the most bytes that the HTML of a variant may have, whoever the reader is."""
        return self._renderer.measure(self._contents.of(listing))

    def warn_of(self, html: str) -> tuple[str, ...]:
        """Say what a message uses that some mail programs lack, where it is not known to be whole without."""
        return tuple(one.warning for one in self._renderer.clients.find_unexplained(html))

    def expect(self, jobs: Sequence[Job]) -> None:
        """Make ready for claimed deliveries: what their variants need is read at once."""
        self._forget_gone()
        self._variants.expect(jobs, self._ready)

    def _forget_gone(self) -> None:
        """Forget what names an article beside its list that has been taken back since."""
        gone = self._variants.gone({number for ready in self._ready.values() for number in ready.related})
        for key in [key for key, ready in self._ready.items() if not gone.isdisjoint(ready.related)]:
            del self._ready[key]

    def _ready_for(self, variant_id: int) -> _ComposedVariant:
        ready = self._ready.get(variant_id)
        if ready is None:
            found = self._variants.take(variant_id)
            composition = self._joined(found)
            related = [row_id(article) for article in found.related] if found.chosen.related else ()
            ready = self._ready[variant_id] = _ComposedVariant(found.edition.name, composition, related)
        return ready

    def _joined(self, found: VariantContent) -> Composition:
        """Compose a variant of what is kept, where it has a known shape and fits; else render it."""
        laid = self._contents.lay_out(found)
        sheet = self._sheets.get(laid.shape)
        composition = sheet.compose(laid.shown, shortening.ROOM) if sheet else None
        if composition is None:
            composition = self._composition(found.edition, self._fitted(found))
            if laid.shape not in self._sheets:
                self._learn(laid.shape, found)
        return composition

    def _learn(self, shape: Hashable, found: VariantContent) -> None:
        """Keep what all lists of a shape share; None where a template decides on more than that."""
        outline = self._renderer.outline(self._contents.of(found))
        self._sheets[shape] = Assembler(outline, self._headers[found.edition.digest]) if outline else None

    def _fitted(self, found: VariantContent) -> Rendering:
        """Render a variant; where an article has grown since the freeze, shorten again, and drop none."""

        def render(chosen: Chosen) -> Rendering:
            return self.render(replace(found, chosen=chosen))

        rendering = self.render(found)
        if rendering.html_most <= shortening.ROOM:
            return rendering
        return render(shortening.fit(found.chosen, lambda one: render(one).html_most, drops=False))

    def _composition(self, edition: Edition, rendering: Rendering) -> Composition:
        return Composition(rendering, self._headers[edition.digest])

    def _headers_of(self, digest: DigestSettings) -> Headers:
        site = self._settings.site
        return Headers(
            from_name=self._from_name or site.name,
            from_address=self._from_address,
            reply_to=site.reply_to,
            list_id=f"{digest.name}.{self._domain}",
            list_name=digest.title,
            help_url=site.base_url + "/",
            owner=self._owner,
            bulk=True,
        )


def return_paths(settings: Settings) -> ReturnPaths:
    """Give how return paths are written: one a delivery where bounces come in, else one for all."""
    inbound = settings.inbound
    if inbound.is_verp:
        return ReturnPaths(inbound.before, inbound.domain, settings.web.signing_keys)
    return ReturnPaths("", "", (), plain=inbound.address or settings.site.from_address)
