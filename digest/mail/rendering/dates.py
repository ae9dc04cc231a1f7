"""Dates and hours as a language writes them, in a time zone."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.core import UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time

from digest.mail.rendering.language_tags import FALLBACK, base, locale_of


def format_day(moment: datetime, language: str, timezone: str, form: str = "long") -> str:
    """Return a moment's date in Babel's "long" or "full" form: "2 mars 2026" in French."""
    day = moment.astimezone(ZoneInfo(timezone)).date()
    return _in_a_known(language, lambda locale: format_date(day, form, locale), day)


def format_moment(moment: datetime, language: str, timezone: str, comma: str = ", ") -> str:
    """Return a moment's day, month and time, with the language's comma: "3 December, 01:01" in English."""
    local = moment.astimezone(ZoneInfo(timezone))
    own = locale_of(language)

    def said(locale: str) -> str:
        day = format_skeleton("MMMMd", local, locale=locale)
        return f"{day}{comma}{format_time(local.time(), 'short', locale=locale)}"

    return _in_a_known(own, said, local.date())


def _in_a_known(language: str, said: Callable[[str], str], otherwise: date) -> str:
    """Call a function with the language and its region, then without the region, then with English."""
    for locale in (language.replace("-", "_"), base(language), FALLBACK):
        try:
            return said(locale)
        except (UnknownLocaleError, ValueError):
            continue  # Babel has no calendar for this language
    return str(otherwise)
