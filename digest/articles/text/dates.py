"""Read the times that feeds, pages and files state, as aware UTC."""

# ruff: noqa: E501 - a month's names in every language stand in one line

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache

_EARLIEST = 1970
_LONGEST = 100
_CLOCK = re.compile(r"\b(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?(?!\d)\s*([ap])?\.?m?\b\.?", re.I)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})\s*$")
_YEAR_FIRST = re.compile(r"\b((?:19|20)\d\d)[/.-](\d{1,2})[/.-](\d{1,2})\b")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[.-](\d{1,2})[.-]((?:19|20)\d\d)\b")
_SLASHED = re.compile(r"\b(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)\b")
_EASTERN = re.compile(r"((?:19|20)\d\d)\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号]")
_EASTERN_CLOCK = re.compile(r"(\d{1,2})\s?[時时시]\s?(\d{1,2})\s?[分분]")
_NO_YEAR = re.compile(r"(?<![\d+-])000\d\b")  # what a database writes for none
_EPOCH = re.compile(r"\d{9,10}(?:\d{3})?")
_NUMBER = re.compile(r"(?<![\d:.])(\d{1,2})(?![\d:h])")
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_WORD = re.compile(r"[^\W\d_]{3,}")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan gen ene янв sty led oca ianu січн ιαν հունվ يناي", "feb fév fev lut úno şub фев люто φεβ փետ فبرا",
            "mar mär mrt мар bře бере μαρ μάρ մարտ مارس", "apr avr abr апр kwi dub nis квіт απρ ապր أبري ابري",
            "may mai mei maj mag máj май мая kvě трав μαΐ μάι μαι մայ مايو",
            "jun juin giu июн cze čer haz iuni jún черв ιουν հունի يوني",
            "jul juil lug июл lip tem iuli júl липн ιουλ հուլ يولي",
            "aug aoû aou ago авг sie srp ağu серп αυγ αύγ օգո أغسط اغسط",
            "sep set сен wrz zář eyl syy вере σεπ սեպ سبتم", "oct okt ott out окт paź říj eki lok жовт οκτ հոկ أكتو اكتو",
            "nov ноя lis kas noie лист νοε νοέ նոյ نوفم", "dec dez déc dic дек gru pro ara jou dese груд δεκ դեկ ديسم",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip


def moment(value: object) -> datetime | None:
    """Give an ISO 8601 text, a date or a time as aware UTC; None for what is none, or is from before 1970.

    A time without a zone is taken as UTC.
    """
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(read, date) and not isinstance(read, datetime):
            read = datetime(read.year, read.month, read.day)  # noqa: DTZ001 - the zone is set below
        if not isinstance(read, datetime) or read.year < _EARLIEST:
            return None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def feed_moment(text: str) -> datetime | None:
    """Read a time as feeds write it: ISO 8601, RFC 822 with any weekday, seconds since 1970, or words."""
    line = " ".join(text.split())
    return _line_moment(line) if len(line) <= 2 * _LONGEST else None


@lru_cache(256)  # a feed's times are read when it is checked and when it is taken
def _line_moment(line: str) -> datetime | None:
    line = _EASTERN_CLOCK.sub(r"\1:\2", _EASTERN.sub(r"\1-\2-\3 ", line))
    if not line or len(line) > _LONGEST or _NO_YEAR.search(line):
        return None
    if _EPOCH.fullmatch(line):
        return moment(datetime.fromtimestamp(int(line) / (1000 if len(line) > 10 else 1), UTC))
    return moment(line) or _mail_moment(line) or _by_parts(line)


def _mail_moment(line: str) -> datetime | None:
    try:
        return moment(parsedate_to_datetime(line))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _by_parts(line: str) -> datetime | None:
    """Find day, month, year and hour wherever they stand, the month by number or by name."""
    day = _numbered(line) or _named(line)
    if day is None:
        return None
    try:
        read = datetime(*day, *_clock(line), tzinfo=UTC)
    except ValueError:
        return None
    offset = _OFFSET.search(line)
    if offset and _CLOCK.search(line):
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        zone = timezone(ahead if offset[1] == "+" else -ahead) if ahead < timedelta(days=1) else UTC
        read = read.replace(tzinfo=zone)
    return moment(read)


def _numbered(line: str) -> tuple[int, int, int] | None:
    if match := _YEAR_FIRST.search(line):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _DAY_FIRST.search(line):
        return int(match[3]), int(match[2]), int(match[1])
    if match := _SLASHED.search(line):  # the American order, where it can be
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        return (year, first, second) if first <= 12 else (year, second, first)
    return None


def _named(line: str) -> tuple[int, int, int] | None:
    year = _YEAR.search(line)
    rest = _CLOCK.sub(" ", _OFFSET.sub(" ", line))
    day = _NUMBER.search(rest)
    month = next((found for word in _WORD.findall(rest.lower()) if (found := _month(word))), None)
    return (int(year[1]), month, int(day[1])) if year and day and month else None


def _month(word: str) -> int | None:
    """Know a month by its first letters; a weekday that begins alike is told apart by its length."""
    if word in ("mar", "mardi", "martes", "martedì", "mercredi", "maandag", "marți"):
        return 3 if word == "mar" else None
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3])


def _clock(line: str) -> tuple[int, int, int]:
    for match in _CLOCK.finditer(_DAY_FIRST.sub(" ", line)):
        hour = int(match[1])
        if match[4]:
            hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
        return hour, int(match[2]), int(match[3] or 0)
    return 0, 0, 0
