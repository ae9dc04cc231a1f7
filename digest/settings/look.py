"""`[look]`: a publication's own colours, fonts, logo and templates. Nothing here can break out of CSS."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from digest.errors import SettingsError
from digest.models.look import Brand, Colours, Logo
from digest.settings.error_messages import reword
from digest.settings.toml_text import toml_lines
from digest.settings.types import Table, Text

_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")
_FONT = re.compile(r"[A-Za-z][A-Za-z0-9 -]{0,49}")
_GENERIC = ("serif", "sans-serif", "monospace")
_LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3


def _colour(value: object) -> object:
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise ValueError('must be a colour such as "#962a1f"')
    return value.lower()


def _font(value: object) -> object:
    if not isinstance(value, str) or not _FONT.fullmatch(value):
        raise ValueError('must be the name of a font, as in "Georgia" or "sans-serif"')
    return value


def _picture(value: object) -> object:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    if parts.scheme != "https" or not parts.hostname or not str(value).isprintable() or " " in str(value):
        raise ValueError('must be an address such as "https://news.example.org/logo.png"')
    return value


Colour = Annotated[str, BeforeValidator(_colour)]
Font = Annotated[str, BeforeValidator(_font)]
Picture = Annotated[str, BeforeValidator(_picture)]


class LookSettings(Table):
    """`[look]`; anything left out comes from the look itself."""

    folder: Text | None = None
    background: Colour = ""
    paper: Colour = ""
    ink: Colour = ""
    muted: Colour = ""
    rule: Colour = ""
    accent: Colour = ""
    dark_background: Colour = ""
    dark_paper: Colour = ""
    dark_ink: Colour = ""
    dark_muted: Colour = ""
    dark_rule: Colour = ""
    dark_accent: Colour = ""
    heading_font: tuple[Font, ...] = ()
    body_font: tuple[Font, ...] = ()
    small_font: tuple[Font, ...] = ()
    logo: Picture | None = None
    logo_alt: str = Field(default="", max_length=200)
    logo_width: int = Field(default=240, ge=16, le=576)
    reply_link: bool = False

    @model_validator(mode="after")
    def _logo_is_told(self) -> "LookSettings":
        if self.logo and not self.logo_alt.strip():
            raise ValueError("logo needs logo_alt, which stands for it where pictures are off")
        return self

    @model_validator(mode="after")
    def _can_be_read(self) -> "LookSettings":
        for ground, prefix in ((self.paper, ""), (self.dark_paper, "dark_")):
            for name in ("ink", "muted", "accent"):
                colour = getattr(self, prefix + name)
                if colour and ground and contrast(colour, ground) < _LEAST_CONTRAST:
                    found = f"{int(contrast(colour, ground) * 10) / 10:.1f}"  # never rounded up to the limit
                    raise ValueError(
                        f'{prefix}{name} "{colour}" on {prefix}paper "{ground}" has a contrast of {found};'
                        f" below {_LEAST_CONTRAST} many cannot read it"
                    )
        return self

    @property
    def brand(self) -> Brand:
        """Return the values that templates show."""
        names = [field.name for field in fields(Colours)]
        return Brand(
            light=Colours(**{name: getattr(self, name) for name in names}),
            dark=Colours(**{name: getattr(self, f"dark_{name}") for name in names}),
            heading_font=_css_fonts(self.heading_font),
            body_font=_css_fonts(self.body_font),
            small_font=_css_fonts(self.small_font),
            logo=Logo(self.logo, self.logo_alt, self.logo_width) if self.logo else None,
        )


def try_look(running: LookSettings, values: Mapping[str, Any]) -> LookSettings:
    """Return the look with other values; an empty one is that of the template.

    Raise SettingsError with a line for each that is refused.
    """
    kept = {name: getattr(running, name) for name in running.model_fields_set if name not in values}
    try:
        return LookSettings(**kept, **{name: value for name, value in values.items() if value})
    except ValidationError as error:
        lines = []
        for item in error.errors():
            said = reword(item["type"], str(item["msg"]), item.get("ctx", {}))
            name = str(item["loc"][0]) if item["loc"] else ""
            given = f' = "{values[name]}"' if isinstance(values.get(name), str | int) else ""
            lines.append(f"{name}{given}: {said}" if name else said)
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None


def look_lines(look: LookSettings) -> str:
    """Return the `[look]` of config.toml that has these values; what is left at its default is left out."""
    defaults = LookSettings()
    values = ((name, getattr(look, name)) for name in LookSettings.model_fields)
    return toml_lines("look", [(name, value) for name, value in values if value != getattr(defaults, name)])


def _css_fonts(names: tuple[str, ...]) -> str:
    return ", ".join(name if name in _GENERIC else f"'{name}'" if " " in name else name for name in names)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
