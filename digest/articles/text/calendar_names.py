"""The names of months and weekdays in the languages of feeds."""

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

_SHORTEST_PREFIX = 3


@dataclass(slots=True)
class CalendarName:
    """What a word may mean: months (1 to 12) and weekdays (0 is Monday), each with its languages."""

    months: dict[int, set[str]] = field(default_factory=dict)
    weekdays: dict[int, set[str]] = field(default_factory=dict)


def find_name(word: str) -> CalendarName | None:
    """Return the meaning of a word: in full, abbreviated, cut (`Septem`), or without accents (`fevrier`)."""
    names, ordered = _names()
    for form in (word, _folded(word), word.removeprefix("ב")):  # Hebrew writes "in November" as one word
        if found := names.get(form):
            return found
    if len(word) < _SHORTEST_PREFIX:
        return None
    cut, at = CalendarName(), bisect_left(ordered, word)
    while at < len(ordered) and ordered[at].startswith(word):
        _merge(cut, names[ordered[at]])
        at += 1
    return cut if cut.months or cut.weekdays else None


@lru_cache(1)
def _names() -> tuple[dict[str, CalendarName], list[str]]:
    """Load the table; words that several languages share keep all their meanings."""
    names: dict[str, CalendarName] = {}
    table = (files(__package__) / "calendar_names.txt").read_text(encoding="utf-8")
    for line in table.splitlines():
        language, _, rest = line.partition(" | ")
        months, _, weekdays = rest.partition(" | ")
        if line.startswith("#") or not rest:
            continue
        for number, forms in enumerate(months.split(), 1):
            for form in _forms(forms):
                names.setdefault(form, CalendarName()).months.setdefault(number, set()).add(language)
        for number, forms in enumerate(weekdays.split()):
            for form in _forms(forms):
                names.setdefault(form, CalendarName()).weekdays.setdefault(number, set()).add(language)
    return names, sorted(names)


def _forms(forms: str) -> set[str]:
    written = {form.replace("_", " ") for form in forms.split("/") if form != "-"}
    return written | {_folded(form) for form in written}


def _folded(word: str) -> str:
    """Return a Latin word without accents, and any other word unchanged."""
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return plain if len(plain) == len(word) else word


def _merge(into: CalendarName, name: CalendarName) -> None:
    for number, languages in name.months.items():
        into.months.setdefault(number, set()).update(languages)
    for number, languages in name.weekdays.items():
        into.weekdays.setdefault(number, set()).update(languages)
