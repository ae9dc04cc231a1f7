"""Parse the times in feeds, pages and files to aware UTC."""

# ruff: noqa: E501 - a pattern stands in one line

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from html import unescape
from unicodedata import decimal

from digest.articles.text.calendar_names import CalendarName, find_name
from digest.articles.text.zones import MOST_AHEAD, UnknownZoneError, split_zone

_EARLIEST = 1970
_NO_TIME = datetime(1970, 1, 1)  # noqa: DTZ001 - what programs write for no time, in any zone
_LONGEST = 100
_ENGLISH = dict(zip(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), range(1, 13), strict=True))  # fmt: skip
# What most feeds write (RFC 5322 3.3), by one pattern.
_MAIL = re.compile(
    r"(?:[A-Za-z]{3}, )?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))?(?: (?:([+-])(\d\d)(\d\d)|GMT|UTC|UT|Z))"
)
_CLOCK = re.compile(
    r"(?<![\d.:])(\d{1,2})(?:\s?(?:[:h]|uhr)\s?(\d{1,2})|\.(\d\d))(?:[:.](\d{1,2})(?:[.,]\d+)?)?(?![\d:])"
    r"(?:\s*([ap])\.?\s?m\b\.?|\s*(am|pm|πμ|μμ|π\.μ\.|μ\.μ\.))?",
    re.I,
)
_HOUR = re.compile(r"(?<![\d.:])(\d{1,2})\s?([ap])\.?\s?m\b\.?", re.I)
_WHOLE_HOUR = re.compile(
    r"(?<![\d.:])(\d{1,2})\s?(?:uhr\b|h\b(?!\s?\d)|o['’]clock\b)|\b(12)\s(?=noon\b)", re.I
)
_HALVES = (
    (re.compile(r"(?:上午|午前|오전)\s*(\d{1,2}:\d\d(?::\d\d)?)"), r" \1 am"),
    (re.compile(r"(?:下午|午後|오후|晚上)\s*(\d{1,2}:\d\d(?::\d\d)?)"), r" \1 pm"),
)
_EASTERN = re.compile(r"((?:19|20)\d\d)\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号]")
_EASTERN_CLOCK = re.compile(r"(\d{1,2})\s?[時时시点點]\s?(\d{1,2})\s?[分분](?:\s?(\d{1,2})\s?[秒초])?")
_VIETNAMESE = re.compile(r"(\d{1,2})\s*(?:tháng|thg)\.?\s*(\d{1,2})\s*(?:,|năm)?\s*((?:19|20)\d\d)", re.I)
# "20 11月 2026", as programs put the month's name of Japanese, Chinese and Korean into an RFC 5322 date
_NUMBERED_MONTH = re.compile(r"(?<!\d)(\d{1,2})\s+(\d{1,2})\s?[月월]\s+((?:19|20)\d\d)(?!\d)")
_UNIX = re.compile(r"(\d{1,2}:\d\d(?::\d\d)?)\s+([A-Z]{1,5}|[+-]\d{4})\s+((?:19|20)\d\d)\Z")
_NO_YEAR = re.compile(r"(?<![\d+-])000\d\b")  # what databases write for no date
# Seconds or milliseconds since 1970; "@..." as GNU date writes it, "/Date(...)/" as ASP.NET does.
_EPOCH = re.compile(r"(?:/Date\()?@?(\d{9,10}(?:\d{3})?(?:\.\d+)?)(?:[+-]\d{4})?(?:\)/)?")
_COMPACT = re.compile(r"((?:19|20)\d{6})(\d{4}(?:\d\d)?)")  # "20261124090000"
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)\s?([/.-])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)T?")
_PARTED = re.compile(r"(?<![\d:])(\d{1,2})\s?([/.-])\s?(\d{1,2})\s?\2\s?((?:19|20)?\d\d)(?![\d:])")
_SPACED = re.compile(r"(?<![\d:])(\d{1,2})( )(\d{1,2}) ((?:19|20)\d\d)(?![\d:])")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|re|ère|ème|º|ª|\.º)(?![^\W\d_])", re.I)
_NUMBER = re.compile(r"(?<!\d)(\d{1,2}|(?:19|20|25)\d\d)(?!\d)")
_WORD = re.compile(r"[^\s\d,;:()/|\[\]+\u2013-]+")
_SHORT_WEEKDAY = re.compile(r"[^\W\d_]{2}[.,]")
_DIGITS = re.compile(r"(?![0-9])\d")
_MARKS = ".'’׳\"॰"
_JOINERS = re.compile("[\u200c\u200d]")
_BUDDHIST = 543  # years ahead, in Thai dates
_AMERICAN = ("en-us", "en-ph", "fil", "tl")

Reading = tuple[int, int, int]


def parse_date(value: object) -> datetime | None:
    """Return an ISO 8601 text, a date or a time as aware UTC; None for anything else, or a time not after
    the first instant of 1970, which stands for none.

    A time without a zone is taken as UTC.
    """
    try:
        read = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(read, date) and not isinstance(read, datetime):
            read = datetime(read.year, read.month, read.day)  # noqa: DTZ001 - the zone is set below
        if not isinstance(read, datetime) or read.year < _EARLIEST:
            return None
        if read.replace(tzinfo=None) == _NO_TIME:
            return None
        if abs(read.utcoffset() or timedelta()) > MOST_AHEAD:
            return None
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_feed_date(text: str, language: str | None = None) -> datetime | None:
    """Return the time in a feed: ISO 8601, RFC 5322, seconds since 1970, or words of many languages.

    The language of the feed (RFC 5646), or a weekday beside the date, decides what languages or countries
    read differently. If the time stays ambiguous, such as `01/02/2026` or the zone `IST`, the result is None:
    no date is better than a wrong one.
    """
    line = " ".join(text.split())
    if "&#" in line:
        line = unescape(line)  # "&#43;0100", escaped twice
    if len(line) > 2 * _LONGEST:
        return None
    if not line.isascii():
        line = _DIGITS.sub(lambda digit: str(decimal(digit[0])), line)
    return _mail_moment(line) or _line_moment(line, (language or "").replace("_", "-").lower())


def _mail_moment(line: str) -> datetime | None:
    match = _MAIL.fullmatch(line)
    month = _ENGLISH.get(match[2].lower()) if match else None
    if match is None or month is None:
        return None
    zone = UTC
    if match[7]:
        ahead = timedelta(hours=int(match[8]), minutes=int(match[9]))
        if ahead > MOST_AHEAD:
            return None
        zone = timezone(ahead if match[7] == "+" else -ahead)
    try:
        day, hour, minute, second = int(match[1]), int(match[4]), int(match[5]), int(match[6] or 0)
        return parse_date(datetime(int(match[3]), month, day, hour, minute, min(second, 59), tzinfo=zone))
    except ValueError:
        return None


@lru_cache(256)
def _line_moment(line: str, language: str) -> datetime | None:
    if not line or len(line) > _LONGEST or _NO_YEAR.search(line):
        return None
    if compact := _COMPACT.fullmatch(line):
        return parse_date(f"{compact[1]}T{compact[2]}")
    if epoch := _EPOCH.fullmatch(line):
        seconds = float(epoch[1])
        return parse_date(datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, UTC))
    try:
        return parse_date(line) or _by_parts(_westernised(line), language)
    except UnknownZoneError:
        return None


def _westernised(line: str) -> str:
    line = _EASTERN_CLOCK.sub(r" \1:\2", _EASTERN.sub(r"\1-\2-\3 ", _JOINERS.sub("", line)))
    line = _NUMBERED_MONTH.sub(r"\3-\2-\1", _VIETNAMESE.sub(r"\3-\2-\1", line))
    for pattern, form in _HALVES:
        line = pattern.sub(form, line)
    return _UNIX.sub(r"\3 \1 \2", line)


def _by_parts(line: str, language: str) -> datetime | None:
    """Find zone, date and clock wherever they are, the month by number or by name."""
    line, zone = split_zone(line, language)
    line = _ORDINAL.sub("", line)
    names = _names_in(line, language)
    numbered, rest = _numbered(line, names, language)
    if numbered is None and rest == line:
        clock, rest = _clock(line)
        numbered = _named(rest, names, language)
    else:
        clock, _ = _clock(rest)
    if numbered is None or clock is None:
        return None
    try:
        read = datetime(*numbered, *clock, tzinfo=zone or UTC)
    except ValueError:
        return _end_of_day(numbered, zone) if clock[0] == 24 else None
    return parse_date(read)


def _end_of_day(day: Reading, zone: object) -> datetime | None:
    """Read hour 24 of a day (ISO 8601:2004, 4.2.3) as the beginning of the next."""
    try:
        start = datetime(*day, tzinfo=zone if isinstance(zone, timezone) else UTC)
    except ValueError:
        return None
    return parse_date(start + timedelta(days=1))


def _names_in(line: str, language: str) -> list[CalendarName]:
    """Return the meanings of a date's words, in order.

    A weekday of two letters counts at the beginning (`Mo, 23.11.`) or in the feed's language: `on` is one
    too.
    """
    words = [word.strip(_MARKS).casefold() for word in _WORD.findall(line)]
    found: list[CalendarName] = []
    at = 0
    while at < len(words):
        pair = find_name(" ".join(words[at : at + 2])) if at + 1 < len(words) else None
        name = pair or (find_name(words[at]) if len(words[at]) > 1 else None)
        is_short = len(words[at]) == 2 and not (at == 0 and _SHORT_WEEKDAY.match(line))
        if name and is_short and not name.months and not _speaks(name.weekdays.values(), language):
            name = None
        if name:
            found.append(name)
        at += 2 if pair else 1
    return found


def _speaks(languages: Iterable[set[str]], language: str) -> bool:
    return any(language.partition("-")[0] in spoken for spoken in languages)


def _numbered(line: str, names: list[CalendarName], language: str) -> tuple[Reading | None, str]:
    """Return the date that is written in digits alone, and the rest of the line; the line unchanged if
    there is none."""
    if match := _YEAR_FIRST.search(line):
        return (int(match[1]), int(match[3]), int(match[4])), _without(line, match)
    match = _PARTED.search(line) or _SPACED.search(line)
    if match is None:
        return None, line
    readings = [one for one in _orders(match) if _is_date(one)]
    days = [weekday for name in names if not name.months for weekday in name.weekdays]
    fitting = [one for one in readings if not days or date(*one).weekday() in days] or readings
    if len(set(fitting)) > 1:
        fitting = [one for one in fitting if one == _usual_order(match, language)]
    return (fitting[0] if len(set(fitting)) == 1 else None), _without(line, match)


def _orders(match: re.Match[str]) -> Iterator[Reading]:
    """Return the possible readings of three numbers: with dots the day comes first, otherwise the month
    may."""
    first, second, last = int(match[1]), int(match[3]), match[4]
    year = _whole_year(last)
    yield year, second, first
    if match[2] == "." and _is_date((year, second, first)):
        return
    yield year, first, second
    if len(last) == 2:
        yield _whole_year(match[1]), second, int(last)


def _usual_order(match: re.Match[str], language: str) -> Reading | None:
    """Return the usual reading in the feed's country; None if that is unknown."""
    first, second, year = int(match[1]), int(match[3]), _whole_year(match[4])
    if match[2] == " ":
        return year, second, first
    if language.startswith(_AMERICAN):
        return year, first, second
    return (year, second, first) if language and language != "en" else None


def _named(line: str, names: list[CalendarName], language: str) -> Reading | None:
    """Return the date whose month is a word: the reading in which each other word is a weekday."""
    numbers = _NUMBER.findall(line)
    parted = _day_and_year(numbers, any("th" in spoken for name in names for spoken in name.months.values()))
    if parted is None:
        return None
    day, year = parted
    readings: list[tuple[bool, bool, Reading]] = []
    for at, name in enumerate(names):
        others = [other for number, other in enumerate(names) if number != at]
        if any(not other.weekdays for other in others):
            continue
        for month, spoken in name.months.items():
            reading = (year, month, day)
            if _is_date(reading):
                fits = all(date(*reading).weekday() in other.weekdays for other in others)
                readings.append((fits, _speaks([spoken], language), reading))
    for wanted in ((True, True), (True, False), (False, True), (False, False)):
        best = {reading for fits, speaks, reading in readings if (fits, speaks) == wanted}
        if best:
            return best.pop() if len(best) == 1 else None
    return None


def _day_and_year(numbers: list[str], is_thai: bool) -> tuple[int, int] | None:
    """Return day and year; a two-digit year comes after the day (RFC 822 5)."""
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) < 4]
    if years and len(days) == 1:
        year = int(years[0]) - (_BUDDHIST if is_thai and years[0].startswith("25") else 0)
        return int(days[0]), year
    return (int(days[0]), _whole_year(days[1])) if len(days) == 2 and not years else None


def _whole_year(written: str) -> int:
    """Return a year in full; two digits are read as in RFC 5322 (4.3)."""
    year = int(written)
    return year if len(written) == 4 else year + (2000 if year < 50 else 1900)


def _is_date(reading: Reading) -> bool:
    try:
        date(*reading)
    except ValueError:
        return False
    return True


def _clock(line: str) -> tuple[tuple[int, int, int] | None, str]:
    """Return the time of day and the rest of the line; midnight if there is none, None if it is invalid."""
    if match := _CLOCK.search(line):
        hour, minute, second = int(match[1]), int(match[2] or match[3]), int(match[4] or 0)
        half = (match[5] or match[6] or "").lower()
        rest = _without(line, match)
    elif match := _HOUR.search(line):
        hour, minute, second, half = int(match[1]), 0, 0, match[2].lower()
        rest = _without(line, match)
    elif match := _WHOLE_HOUR.search(line):
        hour, minute, second, half = int(match[1] or match[2]), 0, 0, ""
        rest = _without(line, match)
    else:
        return (0, 0, 0), line
    if half and hour <= 12:
        hour = hour % 12 + (12 if half[0] in "pμ" else 0)
    return ((hour, minute, min(second, 59)) if minute < 60 and second < 61 else None), rest


def _without(line: str, match: re.Match[str]) -> str:
    return f"{line[: match.start()]} {line[match.end() :]}"
