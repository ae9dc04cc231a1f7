"""The words around the articles, in the reader's language."""

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

from digest.errors import SettingsError

FALLBACK = "en"
_PLACE = re.compile(r"\{(\w+)\}")
_RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "dv", "ckb"})


class Phrases:
    """The phrases of every language, read once from a TOML file with a table a language."""

    def __init__(self, path: Path) -> None:
        try:
            self._known: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from None
        for name, phrases in self._known.items():
            missing = sorted(self._known.get(FALLBACK, {}).keys() - phrases.keys())
            if missing:
                raise SettingsError(f"{path}, [{name}]: {', '.join(missing)} missing")

    def __contains__(self, language: str) -> bool:
        return base(language) in self._known

    def say(self, language: str, key: str, /, **values: object) -> str:
        """Return a phrase with its values, in English where the language is not known."""
        phrase = self._known.get(base(language), self._known[FALLBACK])[key]
        if not values:
            return phrase
        return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), phrase)


@lru_cache(maxsize=256)
def base(language: str) -> str:
    """Return a language tag's first part: what phrases are chosen by."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def strong_direction(text: str) -> str:
    """Return the direction of the first strong letter, as `dir="auto"` does (HTML 3.2.6.4); "" for none."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return ""


def direction(language: str) -> str:
    """Return the direction that a language is written in."""
    return "rtl" if base(language) in _RIGHT_TO_LEFT else "ltr"
