"""The words of readers' pages and notices: gettext catalogues, one .po file a language (Babel reads them).

The English text is the key, as gettext has it. Adding a language is adding a file; no step compiles anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

from digest.mail.rendering.phrases import FALLBACK, base, direction

_MOST_RANGES = 20


@dataclass(frozen=True, slots=True)
class Translator:
    """One language's words; call it with the English text and the values of its {names}.

    Example: Translator("de", {"Page {number}": "Seite {number}"})("Page {number}", number=2) is "Seite 2".
    A value that is Markup makes the result Markup, with the text and all other values escaped.
    """

    language: str
    words: Mapping[str, str]

    @property
    def direction(self) -> str:
        """Return "rtl" or "ltr"."""
        return direction(self.language)

    def __call__(self, text: str, /, **values: object) -> str:
        found = self.words.get(text) or text
        if not values:
            return found
        if any(isinstance(value, Markup) for value in values.values()):
            return Markup(escape(found)).format(**values)  # noqa: S704 - the text is escaped
        return found.format(**values)


ENGLISH = Translator(FALLBACK, {})


class Catalogues:
    """The catalogues of a folder, each read when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in sorted(folder.glob("*.po"))}
        self.languages = tuple(sorted({FALLBACK, *self._files}))

    def find(self, language: str | None) -> str | None:
        """Return the catalogue that a language tag is served by; None where there is none."""
        name = base(language or "")
        return name if name in self.languages else None

    def choose(self, wanted: Iterable[str | None]) -> Translator:
        """Return the translator of the first language that there is a catalogue for, else English."""
        found = (self.find(language) for language in wanted)
        return self.translator(next((name for name in found if name), FALLBACK))

    @lru_cache(maxsize=64)  # noqa: B019 - as long as the process
    def translator(self, language: str) -> Translator:
        """Return the translator of a language that `languages` names."""
        if language not in self._files:
            return ENGLISH
        from babel.messages.pofile import read_po  # here: most commands show no page

        with self._files[language].open("rb") as file:
            catalogue = read_po(file, locale=language)
        words = {str(one.id): str(one.string) for one in catalogue if one.id and one.string}
        return Translator(language, words)


def accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, best first (RFC 9110, section 12.5.4)."""
    ranges: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:_MOST_RANGES]):
        tag, _, parameter = part.strip().partition(";")
        _, _, quality = parameter.partition("q=")
        try:
            weight = float(quality or "1")
        except ValueError:
            continue
        if 0 < weight <= 1 and tag.strip().replace("-", "").isalnum():
            ranges.append((-weight, place, tag.strip()))
    return [tag for _, _, tag in sorted(ranges)]
