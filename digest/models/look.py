"""A publication's own look: the colours, fonts and logo that its templates show. Every value is valid CSS.

Example: `Brand(light=Colours(accent="#962a1f"), heading_font="Georgia, serif")` changes the accent colour and
the font of headlines; everything else stays as in the template.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours as CSS writes them; an empty one keeps the template's own."""

    background: str = ""
    paper: str = ""
    ink: str = ""
    muted: str = ""
    rule: str = ""
    accent: str = ""


@dataclass(frozen=True, slots=True)
class Logo:
    """An image shown in place of the publication's name; `width` is in CSS pixels."""

    url: str
    alt: str
    width: int


@dataclass(frozen=True, slots=True)
class Brand:
    """What a publication changes in the templates; fonts are lists as CSS writes them."""

    light: Colours = field(default_factory=Colours)
    dark: Colours = field(default_factory=Colours)
    heading_font: str = ""
    body_font: str = ""
    small_font: str = ""
    logo: Logo | None = None


OURS = Brand()
"""The templates unchanged."""
