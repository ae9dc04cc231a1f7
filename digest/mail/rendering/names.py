"""The names of digests, cadences and topics in a reader's language."""

from collections.abc import Mapping

from digest.mail.rendering.catalogues import Translator
from digest.mail.rendering.language_tags import base
from digest.rules.editions.sections import section_title


class Names:
    """Looks up names: those that `[site.names.LANGUAGE]` gives, else the usual words, else those of the
    settings.

    With `names = Names({"de": {"world": "Welt"}})`, `names.topic("de", "world")` is "Welt" and
    `names.topic("fr", "city-hall")` "City hall".
    """

    def __init__(self, names: Mapping[str, Mapping[str, str]]) -> None:
        self._names = names

    def text(self, language: str, text: str) -> str:
        """Return a title or a line of the settings in a language, unchanged if no translation is given."""
        return self._table(language).get(text, text)

    def topic(self, language: str, topic: str) -> str:
        """Return a topic's name."""
        return self._table(language).get(topic) or section_title(topic)

    def cadence(self, words: Translator, cadence: str) -> str:
        """Return a cadence's name as it is used inside a sentence of mail: "daily", "täglich"."""
        found = self.given(words.language, cadence)
        if found:
            return found
        return words.phrases.get(f"cadence_{cadence}") or cadence.replace("-", " ")

    def given(self, language: str, name: str) -> str:
        """Return the name that the settings give in a language; "" if they give none."""
        return self._table(language).get(name, "")

    def _table(self, language: str) -> Mapping[str, str]:
        return self._names.get(language) or self._names.get(base(language), {})
