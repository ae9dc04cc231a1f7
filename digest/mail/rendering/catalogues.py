"""The texts of readers' pages and of all mail to readers: gettext catalogues, one .po file for each language.

On pages the key is the English text, as usual with gettext. In mail (`msgctxt "mail"`) the key is a short
name, `say("unsubscribe")`, so that a publication's own template keeps working when the English wording
changes; `en.po` has the English. To add a language, add a file: Babel reads it, and nothing has to be
compiled.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

from digest.errors import SettingsError
from digest.mail.rendering.language_tags import FALLBACK, base, direction

MAIL = "mail"
_MOST_RANGES = 20
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates into one language: call it with the English text and the values of its {names}.

    Example: Translator("de", {"Page {number}": "Seite {number}"})("Page {number}", number=2) is "Seite 2". If
    a value is Markup, so is the result, with the text and all other values escaped. `phrases` holds the
    phrases of mail by their short names.
    """

    language: str
    words: Mapping[str, str]
    phrases: Mapping[str, str] = field(default_factory=dict)

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

    def say(self, key: str, /, **values: object) -> str:
        """Return a phrase of mail with its values; raise KeyError if no phrase has this name.

        If a value is Markup, so is the result, with the phrase and all other values escaped.
        """
        phrase = self.phrases[key]
        if not values:
            return phrase
        # In one pass: a title may itself contain braces.
        if any(isinstance(value, Markup) for value in values.values()):
            safe = {name: escape(value) for name, value in values.items()}
            filled = _PLACE.sub(lambda place: str(safe.get(place[1], place[0])), escape(phrase))
            return Markup(filled)  # noqa: S704 - the phrase and its values are escaped
        return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), phrase)


def isolate(text: str) -> Markup:
    """Isolate a name or an address from the direction of the sentence around it: `<bdi>Ida</bdi>`."""
    return Markup("<bdi>{}</bdi>").format(text)


ENGLISH = Translator(FALLBACK, {})
"""The translator of the desk, which has no catalogue and sends no mail to readers."""


class Catalogues:
    """The catalogues of a folder, each read when it is first needed.

    With `de.po` in the folder, `find("de-AT")` is "de", and `choose(["fi", "de"])` returns the German
    Translator.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {path.stem: path for path in sorted(folder.glob("*.po"))}
        if FALLBACK not in self._files:
            raise SettingsError(f"{folder / FALLBACK}.po is missing: it has the English words of mail")
        self.languages = tuple(sorted(self._files))

    def find(self, language: str | None) -> str | None:
        """Return the language of the catalogue that serves a language tag; None if there is none."""
        name = base(language or "")
        return name if name in self._files else None

    def choose(self, wanted: Iterable[str | None]) -> Translator:
        """Return the translator of the first language that has a catalogue, else of English."""
        found = (self.find(language) for language in wanted)
        return self.translator(next((name for name in found if name), FALLBACK))

    def translator(self, language: str) -> Translator:
        """Return the translator of a language that `languages` lists.

        Raise SettingsError if its file cannot be read or lacks a phrase of mail.
        """
        return _read(self._files[language], self._files[FALLBACK])


@lru_cache(maxsize=64)
def _read(path: Path, english: Path) -> Translator:
    from babel.messages.pofile import PoFileError, read_po  # imported here: most commands show no page

    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem, abort_invalid=True)
    except (OSError, ValueError, PoFileError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    said = [(one.context, str(one.id), str(one.string)) for one in catalogue if one.id and one.string]
    words = {text: translated for context, text, translated in said if context is None}
    phrases = {key: phrase for context, key, phrase in said if context == MAIL}
    if path != english:
        missing = sorted(_read(english, english).phrases.keys() - phrases.keys())
        if missing:
            raise SettingsError(f"{path} lacks these phrases of mail: {', '.join(missing)}")
    return Translator(path.stem, words, phrases)


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
