"""A publication's own look: what its templates show of colours, fonts and logo. Every value is valid CSS."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours as CSS writes them; an empty one is the look's own."""

    background: str = ""
    paper: str = ""
    ink: str = ""
    muted: str = ""
    rule: str = ""
    accent: str = ""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that stands where the publication's name would."""

    url: str
    alt: str
    width: int


@dataclass(frozen=True, slots=True)
class Brand:
    """What a publication changes of the looks; fonts are lists as CSS writes them."""

    light: Colours = field(default_factory=Colours)
    dark: Colours = field(default_factory=Colours)
    heading_font: str = ""
    body_font: str = ""
    small_font: str = ""
    logo: Logo | None = None


OURS = Brand()
"""The looks as they come."""
