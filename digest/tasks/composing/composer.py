"""Compose a message: the same function for preview and for delivery, so the bytes are the same."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import quote

from sqlmodel import Session

from digest.bounded_cache import BoundedCache
from digest.mail.assembly import Assembler
from digest.mail.headers import Headers, ReaderHeaders, message_id
from digest.mail.message import Composition, Message
from digest.mail.rendering.renderer import Renderer, Rendering
from digest.models import Edition, EditionName, MailForm
from digest.models.row import row_id
from digest.net.smtp import Envelope
from digest.rules.delivery.return_paths import ReturnPaths
from digest.rules.editions import shortening
from digest.rules.editions.selection import Chosen
from digest.rules.tokens import mail_tokens, tokens
from digest.settings import DigestSettings, Settings, SourceSettings
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.store.delivery.deliveries import Job
from digest.tasks.composing.content import EditionContents
from digest.tasks.composing.notices import publication_headers
from digest.tasks.composing.variants import VariantContent, Variants

if TYPE_CHECKING:
    from digest.mail.dkim import Signer, Unsigned

_KEPT = 32
_KEPT_ASSEMBLERS = 1_024
INERT = "inert"
"""Takes the place of a reader's token in links at the desk; it opens nothing."""


@dataclass(slots=True)
class SignedMessage:
    """A message ready for a relay: its envelope, its bytes in pieces, and their total size.

    No line begins with a full stop (mail.rendering.quoted_printable), so no dot-stuffing is needed.
    """

    envelope: Envelope
    pieces: Sequence[bytes]
    size: int

    @property
    def content(self) -> bytes:
        """Return the whole message."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class UnsignedMessage:
    """A message that lacks nothing but its signatures, and what is to be signed for them.

    `finish([256 bytes])` returns the SignedMessage, from a signature of each of `unsigned.digests`.
    """

    envelope: Envelope
    message: Message
    unsigned: "Unsigned"

    def finish(self, signatures: Iterable[bytes]) -> SignedMessage:
        """Return the message with its signatures."""
        pieces = [self.unsigned.fields(signatures), self.message.head, *self.message.pieces]
        return SignedMessage(self.envelope, pieces, sum(map(len, pieces)))


@dataclass(frozen=True, slots=True)
class _ComposedVariant:
    name: EditionName
    composition: Composition
    related: Sequence[int]


class Composer:
    """Composes messages; what readers share is made once for each variant and cached while it is used.

    `compose(job, composed_at)` returns a SignedMessage: `b"DKIM-Signature: ..."`, the header fields with the
    reader's own, and the pieces of the body with the reader's values between them.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        renderer: Renderer,
        identity_key: bytes,
        signer: "Signer | None" = None,
    ) -> None:
        self.dkim_keys = signer.keys if signer is not None else ()
        self._signer = signer
        self._settings = settings
        self._base_url, self._signing_keys = settings.site.base_url, settings.web.signing_keys
        self._has_pages = settings.web.enabled
        self._renderer = renderer
        self._identity_key = identity_key
        self.return_paths = return_paths(settings)
        self._domain = settings.site.from_domain
        inbound = settings.inbound
        self._before_token = inbound.before if inbound.address else ""
        self._inbound_domain = inbound.domain if inbound.address else ""
        self._owner = parseaddr(settings.site.reply_to or settings.site.from_)[1]
        self._compositions = BoundedCache[int, _ComposedVariant](_KEPT)
        self._assemblers = BoundedCache[Hashable, Assembler | None](_KEPT_ASSEMBLERS)
        self._variants = Variants(database)
        self._headers = {digest.name: self._headers_of(digest) for digest in settings.digests}
        self._sources: Sequence[SourceSettings] = settings.sources
        self._contents = EditionContents(settings, renderer.catalogues)

    def renew_sources(self, session: Session) -> None:
        """Compose with the sources that there are now: an editor may have added one meanwhile."""
        sources = known_sources(session, self._settings)
        if sources != self._sources:
            self._contents = EditionContents(self._settings, self._renderer.catalogues, sources)
            self._sources = sources

    def compose(self, job: Job, composed_at: datetime) -> SignedMessage:
        """Compose the message of a claimed delivery, and sign it if the settings name a key."""
        composed = self._composition_of(job.variant_id)
        message = self._message(composed.name, composed.composition, job, composed_at)
        return self._sign_message(composed.name, job, message, composed_at)

    def prepare(self, job: Job, composed_at: datetime) -> UnsignedMessage:
        """Compose the message of a claimed delivery, to be signed elsewhere with `dkim_keys`, of which there
        are some."""
        assert self._signer is not None  # noqa: S101
        composed = self._composition_of(job.variant_id)
        message = self._message(composed.name, composed.composition, job, composed_at)
        unsigned = self._signer.prepare(message.head, message.body_digest, composed_at)
        return UnsignedMessage(self._envelope(composed.name, job), message, unsigned)

    def compose_rendering(
        self, edition: Edition, rendering: Rendering, job: Job, composed_at: datetime
    ) -> SignedMessage:
        """Compose a message from a rendering, with a reader's own values and header fields."""
        name = edition.name
        message = self._message(name, self._rendered(edition, rendering), job, composed_at)
        return self._sign_message(name, job, message, composed_at)

    def compose_inert(self, edition: Edition, rendering: Rendering, job: Job, composed_at: datetime) -> bytes:
        """Return the same message with links that change nothing for its reader, for the desk."""
        composition = self._rendered(edition, rendering)
        return bytes(self._message(edition.name, composition, job, composed_at, inert=True))

    def sign(self, message: Message, at: datetime) -> bytes:
        """Return a message's bytes, signed if the settings name a key."""
        return b"".join((*self._signatures(message, at), message.head, *message.pieces))

    def _signatures(self, message: Message, at: datetime) -> tuple[bytes, ...]:
        if self._signer is None:
            return ()
        return (self._signer.sign(message.head, message.body_digest, at),)

    def _sign_message(
        self, name: EditionName, job: Job, message: Message, composed_at: datetime
    ) -> SignedMessage:
        pieces = [*self._signatures(message, composed_at), message.head, *message.pieces]
        return SignedMessage(self._envelope(name, job), pieces, sum(map(len, pieces)))

    def _envelope(self, name: EditionName, job: Job) -> Envelope:
        return Envelope(self.return_paths.write(job.public_id, name), job.address)

    def _message(
        self,
        name: EditionName,
        composition: Composition,
        job: Job,
        composed_at: datetime,
        *,
        inert: bool = False,
    ) -> Message:
        leave, choose = self._links(job, inert=inert)
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
            unsubscribe_url=leave if self._has_pages else None,
            unsubscribe_mailto=self._leave_address(job, inert=inert),
        )
        return composition.compose(own, values)

    def _links(self, job: Job, *, inert: bool) -> tuple[str, str]:
        """Return a reader's links to unsubscribe and to manage preferences: pages, or addresses if pages are
        disabled."""
        if not self._has_pages:
            address = self._leave_address(job, inert=inert) or ""
            return f"mailto:{quote(address, safe='+@')}", self._settings.inbound.mailto("help")
        base = self._base_url
        leave = INERT if inert else self._token(tokens.UNSUBSCRIBE, job)
        choose = INERT if inert else self._token(tokens.PREFERENCES, job)
        return f"{base}/unsubscribe/{leave}", f"{base}/preferences/{choose}"

    def _leave_address(self, job: Job, *, inert: bool) -> str | None:
        """Return the address to which an empty message unsubscribes; None without an inbox."""
        if not self._before_token and not self._inbound_domain:
            return None
        if inert:
            return f"{self._before_token}{INERT}@{self._inbound_domain}"
        token = mail_tokens.sign_address(self._signing_keys, mail_tokens.LEAVE, job.public_id, (job.digest,))
        return f"{self._before_token}{token}@{self._inbound_domain}"

    def _token(self, action: str, job: Job) -> str:
        return tokens.sign(self._signing_keys, action, job.public_id, job.digest)

    def render(self, variant: VariantContent) -> Rendering:
        """Render a variant, in the form that its readers want."""
        rendering = self._renderer.render(self._contents.of(variant))
        return rendering.text_alone if variant.chosen.mail_form is MailForm.TEXT else rendering

    def measure(self, variant: VariantContent) -> int:
        """Return the largest size that the HTML of a variant can have, whoever the reader is."""
        return self._renderer.measure(self._contents.of(variant))

    def warn_of(self, html: str) -> tuple[str, ...]:
        """Return warnings about features without a fallback that some mail clients lack."""
        return tuple(one.warning for one in self._renderer.clients.find_unexplained(html))

    def expect(self, jobs: Sequence[Job]) -> None:
        """Read what the variants of claimed deliveries need, in a few queries for all."""
        self._forget_gone()
        self._variants.expect(jobs, self._compositions)

    def _forget_gone(self) -> None:
        """Drop compositions that name a related article that has been withdrawn or hidden since."""
        gone = self._variants.gone(
            {number for composed in self._compositions.values() for number in composed.related}
        )
        for key in [
            key for key, composed in self._compositions.items() if not gone.isdisjoint(composed.related)
        ]:
            del self._compositions[key]

    def _composition_of(self, variant_id: int) -> _ComposedVariant:
        composed = self._compositions.get(variant_id)
        if composed is None:
            variant = self._variants.take(variant_id)
            composition = self._compose_variant(variant)
            related = [row_id(article) for article in variant.related] if variant.chosen.related else ()
            composed = self._compositions[variant_id] = _ComposedVariant(
                variant.edition.name, composition, related
            )
        return composed

    def _compose_variant(self, variant: VariantContent) -> Composition:
        """Assemble a variant from cached pieces if its shape is known and it fits; otherwise render it."""
        if variant.chosen.mail_form is MailForm.TEXT:
            return self._rendered(variant.edition, self._fitted(variant))
        layout = self._contents.lay_out(variant)
        assembler = self._assemblers.get(layout.shape)
        composition = assembler.compose(layout.pieces, shortening.ROOM) if assembler else None
        if composition is None:
            composition = self._rendered(variant.edition, self._fitted(variant))
            if layout.shape not in self._assemblers:
                self._add_assembler(layout.shape, variant)
        return composition

    def _add_assembler(self, shape: Hashable, variant: VariantContent) -> None:
        """Cache what all lists of a shape share; None if a template depends on more than the shape."""
        skeleton = self._renderer.skeleton_of(self._contents.of(variant))
        self._assemblers[shape] = (
            Assembler(skeleton, self._headers[variant.edition.digest]) if skeleton else None
        )

    def _fitted(self, variant: VariantContent) -> Rendering:
        """Render a variant; if an article has grown since the freeze, shorten again, but drop none."""

        def size_of(chosen: Chosen) -> int:
            return self.measure(replace(variant, chosen=chosen))

        return self.render(replace(variant, chosen=shortening.fit(variant.chosen, size_of, drops=False)))

    def _rendered(self, edition: Edition, rendering: Rendering) -> Composition:
        return Composition(rendering, self._headers[edition.digest])

    def _headers_of(self, digest: DigestSettings) -> Headers:
        site = self._settings.site
        return replace(
            publication_headers(site),
            list_id=f"{digest.name}.{self._domain}",
            list_name=digest.title,
            help_url=site.base_url + "/" if self._has_pages else self._settings.inbound.mailto("help"),
            owner=self._owner,
            archive_url=f"{site.base_url}/archive/{digest.name}"
            if digest.is_public and self._has_pages
            else None,
            bulk=True,
        )


def return_paths(settings: Settings) -> ReturnPaths:
    """Return what writes return paths: one for each delivery if bounces are received, else one for all."""
    inbound = settings.inbound
    if inbound.is_verp:
        return ReturnPaths(inbound.before, inbound.domain, settings.web.signing_keys)
    return ReturnPaths("", "", (), plain=inbound.address or settings.site.from_address)
