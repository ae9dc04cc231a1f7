"""Try colours, fonts and a logo on the publication's own latest edition; nothing is saved."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from digest.errors import SettingsError
from digest.mail.rendering.content import READER_VALUES, Card, Content, Publication, Section
from digest.mail.rendering.renderer import Renderer
from digest.models import Edition, Form
from digest.models.look import Brand
from digest.models.row import row_id
from digest.resources import bundled
from digest.settings import DigestSettings, Settings
from digest.settings.look import LookSettings, contrast
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.store.editions import archive, variants
from digest.tasks.composing.bounded_documents import open_renderer
from digest.tasks.composing.content import EditionContents
from digest.tasks.composing.variants import Variants
from digest.tasks.doctor.templates import written

_READER = dict.fromkeys(READER_VALUES, "#") | {"name": "Ada", "address": "reader@example.org"}
_READABLE = 4.5  # WCAG 2.2, 1.4.3
_STOCK = re.compile(
    r'set (\w+) = light\.\w+ or "(#[0-9a-f]{3,6})"|"(\w+)": brand\.dark\.\w+ or "(#[0-9a-f]{3,6})"'
)
_OPENING = "The clerk wrote down the price of forty-two kinds of fish, looked at the harbour, and went home."
_SAMPLES = (
    ("", "The bridge reopens after eleven weeks"),
    ("world", "Two ports agree on one set of lights"),
    ("world", "A ferry that runs on its own wake"),
    ("business", "The fish market counts in thirds again"),
    ("business", "Rope makers hire for the first winter in six years"),
    ("culture", "A theatre that plays only at low tide"),
)


@dataclass(frozen=True, slots=True)
class Contrast:
    """How well a colour can be read on its paper in one look; `is_set` if the settings name one of both."""

    look: str
    pair: str
    ratio: float
    is_set: bool

    @property
    def is_readable(self) -> bool:
        """Return whether most people can read it (WCAG 2.2, 1.4.3)."""
        return self.ratio >= _READABLE


@dataclass(frozen=True, slots=True)
class ShownInTrial:
    """What a trial shows: an edition's name, or "" for a sample; and its content."""

    edition: str
    content: Content


class Trial:
    """One publication's look with other values: its looks, each as HTML, and what is wrong with them.

    Raise SettingsError if the folder of own templates does not exist.
    """

    def __init__(self, database: Database, settings: Settings, look: LookSettings) -> None:
        own = settings.path(look.folder) if look.folder else None
        if own is not None and not own.is_dir():
            raise SettingsError(f'[look] folder = "{look.folder}": there is no folder {own}')
        self._database, self._settings, self._look = database, settings, look
        self.renderer = _renderer(own, look.brand, _versions(own))

    @property
    def looks(self) -> list[str]:
        """List the looks, those that a digest uses first."""
        used = [digest.template for digest in self._settings.digests]
        return list(dict.fromkeys([*used, *self.renderer.list_looks()]))

    def find_content(self, now: datetime) -> ShownInTrial:
        """Return the content of the latest edition that was made, else a sample."""
        with self._database.read() as session:
            latest = self._find_latest(session)
            language = self._settings.site.language
            variant = variants.find_fullest(session, row_id(latest), language) if latest else None
            sources = known_sources(session, self._settings)
        if latest is None or variant is None:
            return ShownInTrial("", _sample(self._settings, self._settings.digests[0], now))
        contents = EditionContents(self._settings, self.renderer.catalogues, sources)
        return ShownInTrial(str(latest.name), contents.of(Variants(self._database).take(variant)))

    def draw(self, shown: ShownInTrial, look: str) -> str:
        """Return an edition's HTML in a look, for a sample reader; raise SettingsError with file and line."""
        self.renderer.require(look)
        rendering = self.renderer.render(replace(shown.content, look=look, pictures=True))
        return written(rendering, "html", _READER)

    def problems(self, shown: ShownInTrial) -> dict[str, str]:
        """Return what keeps a look from being drawn, by its name; nothing where all is well."""
        found = {}
        for look in self.looks:
            try:
                self.draw(shown, look)
            except SettingsError as error:
                found[look] = str(error)
        return found

    def contrasts(self) -> list[Contrast]:
        """Return how text, bylines and accents stand out from the paper, with a look's own colours where
        the settings name none."""
        found = []
        for look in self.looks:
            stock = _stock_colours(look)
            for name in ("ink", "muted", "accent"):
                for prefix in ("", "dark_"):
                    keys = (prefix + name, f"{prefix}paper")
                    own = [getattr(self._look, key) for key in keys]
                    pair = [getattr(self._look, key) or stock.get(key, "") for key in keys]
                    if all(pair):
                        label = f"{prefix}{name} on {prefix}paper"
                        found.append(Contrast(look, label, contrast(*pair), any(own)))
        return found

    def _find_latest(self, session: Session) -> Edition | None:
        names = [(digest.name, cadence) for digest in self._settings.digests for cadence in digest.cadences]
        found = [archive.find_last(session, digest, cadence) for digest, cadence in names]
        return max((one for one in found if one), key=lambda one: one.deadline_at, default=None)


@lru_cache(maxsize=8)
def _renderer(own: Path | None, brand: Brand, _versions: tuple[tuple[str, int], ...]) -> Renderer:
    """Return a renderer; templates are compiled once as long as no file of one's own has changed."""
    return open_renderer(own, brand)


def _versions(own: Path | None) -> tuple[tuple[str, int], ...]:
    """Return the files of one's own templates with the times of their last change."""
    if own is None:
        return ()
    return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in own.iterdir() if path.is_file()))


def _stock_colours(look: str) -> dict[str, str]:
    """Return the colours that a look has where the settings name none; none for a look of their own."""
    path = bundled("templates") / "email" / f"{look}.css"
    if not path.is_file():
        return {}
    found = _STOCK.findall(path.read_text(encoding="utf-8"))
    return {(light or f"dark_{dark}"): (value or other) for light, value, dark, other in found}


def _sample(settings: Settings, digest: DigestSettings, now: datetime) -> Content:
    site = settings.site
    cards = [
        Card(
            id=number, form=Form.SUMMARY, title=title, url="https://articles.example/", summary=_OPENING,
            author="A. Clerk", section=section, published_at=now, reading_minutes=3, language="en",
        )
        for number, (section, title) in enumerate(_SAMPLES, 1)
    ]  # fmt: skip
    named: dict[str, list[Card]] = {}
    for card in cards[1:]:
        named.setdefault(card.section, []).append(card)
    return Content(
        publication=Publication(site.name, site.base_url, site.postal_address),
        digest=digest.name, title=digest.title, cadence=digest.default_cadence, period=now.date().isoformat(),
        dated_at=now, timezone=site.timezone, language=site.language, subject=digest.title, preheader="",
        look=digest.template, lead=cards[0],
        sections=tuple(Section(title.capitalize(), tuple(found)) for title, found in named.items()),
    )  # fmt: skip
