"""The dates and times of a cadence, and how they are written: in words, or as a cron expression.

07:00                                   every day
07:00, 17:00                            twice a day
Mon 07:00                               once a week
Mon-Fri 07:00        weekdays 07:00     on working days
Mon, Thu 18:00                          on some weekdays
every 2 weeks Mon 07:00 from 2026-11-30 once a fortnight, counted from that week
1 07:00              1, 15 07:00        on days of the month
last 07:00                              on the last day of the month
first Mon 07:00      last Fri 07:00     on a weekday of the month
30 6 * * 1-5                            a cron expression: minute, hour, day, month, weekday
at once                                 as news comes

Other usual forms are read as these: "weekdays at 7:30", "Mondays 07:00", "Mon/Wed/Fri 07:00", "2w Mon 07:00",
"fortnightly Mon 07:00", "monthly 07:00", "1st and 15th 07:00", "first Mon of the month 07:00", "Mon 7 am".
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
REMEDY = (
    'write "07:00" (every day), "07:00, 17:00" (twice a day), "Mon-Fri 07:00", "Mon, Thu 18:00", '
    '"1 07:00" or "last 07:00" (day of the month), "first Mon 07:00", '
    '"every 2 weeks Mon 07:00 from 2026-11-30", a cron expression such as "30 6 * * 1-5", or "at once"'
)
_MOST_TIMES = 48
_TIME = r"(?:(?:1[0-2]|0?[1-9])(?::[0-5]\d)?\s?[ap]m|(?:[01]?\d|2[0-3]):[0-5]\d)\b"
_WHOLE = re.compile(
    rf"(?P<days>.*?)\s*(?P<times>\b{_TIME}(?:(?:\s*(?:,|&|/|\band\b)\s*|\s+){_TIME})*)(?:\s+from\s+(?P<start>\S+))?",
    re.I,
)
_HALVES = re.compile(rf".*?\b{_TIME}(?=\s*(?:,|;|&|\band\b))", re.I)
_CRON = re.compile(r"[\d*/,#L-]+(?:\s+[\w*/,#-]+){4}", re.I)
_NO_WEEKDAY = re.compile(
    r"((?:every )?(?:\d{1,2} ?w(?:ee)?ks?|\d{1,2} ?w|week(?:ly)?|bi-?weekly|fortnight(?:ly)?)"
    r"|every (?:other|second|two) weeks?|first|second|third|fourth)(?: at)?"
)
_EVERY_WEEKS = re.compile(
    r"(?:every )?(?:(?P<weeks>\d{1,2}) ?w(?:ee)?ks?|(?P<short>\d{1,2}) ?w|week(?:ly)?"
    r"|(?P<other>bi-?weekly|fortnightly|fortnight)) (?P<day>\w+)"
    r"|every (?P<second>other|second|two) weeks? (?P<its_day>\w+)"
)
_COUNTED_FROM = date(2001, 1, 1).toordinal()
"""The Monday that weeks are counted from where no "from" names another."""

_ORDINALS = {
    "first": 1,
    "1st": 1,
    "second": 2,
    "2nd": 2,
    "third": 3,
    "3rd": 3,
    "fourth": 4,
    "4th": 4,
    "last": -1,
}
_SETS = {
    "": range(7), "daily": range(7), "day": range(7), "weekdays": range(5), "weekday": range(5),
    "workdays": range(5), "working days": range(5), "business days": range(5),
    "weekends": range(5, 7), "weekend": range(5, 7),
}  # fmt: skip
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Unit(StrEnum):
    """The calendar unit of an edition; one of "at once" has none, and is dated by the minute."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    NEWS = "news"


class Days(NamedTuple):
    """The dates of a cadence: a test, the unit of its periods, and the fixed day if there is one."""

    has: Callable[[date], bool]
    unit: Unit = Unit.DAY
    day: int | None = None


def read_cadence(text: str) -> tuple[Days, tuple[time, ...]]:
    """Parse a cadence's dates and times; raise ValueError saying what was understood and what was not."""
    written = " ".join(text.split())
    if written.lower() == "at once":
        return Days(lambda _day: True, Unit.NEWS), ()
    whole = _WHOLE.fullmatch(written)
    if whole is None and _CRON.fullmatch(written):
        return _read_cron(text, written)
    if whole is None:
        raise ValueError(_without_time(text, written))
    times = _read_times(text, whole["times"])
    return _read_days(text, whole["days"].rstrip(" ,").lower(), whole["start"], whole["times"]), times


def _without_time(text: str, written: str) -> str:
    """Return what is wrong with a text that has no time where one is looked for, at its end."""
    before, _, last = written.rpartition(" ")
    if any(character.isdigit() for character in last) and "-" not in last:
        days = re.sub(r"\s*\bat$|,$", "", before, flags=re.I)
        if not days or _are_days(text, days):
            understood = f'"{days}" is understood, ' if days else ""
            return (
                f'"{text}" is not a cadence: {understood}"{last}" is not a time;'
                f' write "{f"{days} 07:00".strip()}" or another hour'
            )
    if unsaid := _NO_WEEKDAY.fullmatch(written.lower()):
        return f'"{text}" is not a cadence: it has no weekday and no time; write "{unsaid[1]} Mon 07:00"'
    if not _are_days(text, written):
        return f'"{text}" is not a cadence: {REMEDY}'
    lacks = "it has days and no time" if written else "it is empty"
    return f'"{text}" is not a cadence: {lacks}; write "{f"{written} 07:00".strip()}"'


def _are_days(text: str, days: str) -> bool:
    try:
        _read_days(text, days.lower(), None, "07:00")
    except ValueError:
        return False
    return True


def _read_times(text: str, written: str) -> tuple[time, ...]:
    found = [_read_time(one.lower()) for one in re.findall(_TIME, written, re.I)]
    if len(set(found)) != len(found):
        raise ValueError(f'"{text}" names the same time twice')
    return tuple(sorted(found))


def _read_time(written: str) -> time:
    """Parse one time: `_read_time("7:30") == time(7, 30)`, `_read_time("12 am") == time(0)`."""
    hour, _, minute = written.rstrip("apm ").partition(":")
    number = int(hour)
    if written.endswith("m"):
        number = number % 12 + (12 if "p" in written else 0)
    return time(number, int(minute or 0))


def _usual(days: str) -> str:
    """Rewrite other usual forms as ours: `_usual("every 1st of the month at") == "1"`."""
    days = re.sub(r"\b(?:at|on|the)\b|\bof (?:the |each |every )?month\b", " ", days)
    days = re.sub(r"\s*[-\u2013]\s*", "-", days)
    days = re.sub(r"\s*[/+]\s*", ", ", " ".join(days.split()))
    if re.match(r"monthly\b|every month\b", days):
        days = re.sub(r"^(?:monthly|every month)\s*", "", days) or "1"
    if not _EVERY_WEEKS.fullmatch(days):
        days = re.sub(r"^(?:every|each) ", "", days)
    return re.sub(
        r"\b(\d{1,2})(?:st|nd|rd|th)\b(?! ?[a-z]+day\b| ?(?:mon|tue|wed|thu|fri|sat|sun)\b)", r"\1", days
    )


def _read_days(text: str, days: str, start: str | None, times: str) -> Days:
    if half := _HALVES.match(days):
        written = " ".join(text.split())
        first, second = written[: half.end()], written[half.end() :].strip(" ,;&")
        raise ValueError(
            f'"{text}" is not a cadence: one has the same times on all its days; make two of it,'
            f' such as "{first}" and "{second.removeprefix("and ")}"'
        )
    if unsaid := _NO_WEEKDAY.fullmatch(days):
        raise ValueError(
            f'"{text}" is not a cadence: "{unsaid[1]}" is understood, but no weekday is named;'
            f' write "{unsaid[1]} Mon {times}"'
        )
    days = _usual(days)
    if every := _EVERY_WEEKS.fullmatch(days):
        return _read_weeks(text, every, start)
    if start is not None:
        raise ValueError(f'"{text}": only "every 2 weeks Mon 07:00 from 2026-11-30" takes a "from"')
    if days in _SETS:
        return _on_weekdays(frozenset(_SETS[days]))
    if days == "last":
        return Days(lambda day: day.day == _last_of(day), Unit.MONTH)
    ordinal, _, rest = days.partition(" ")
    if ordinal in _ORDINALS and rest:
        return _on_nth(_ORDINALS[ordinal], _weekday(text, rest, times))
    parts = [part for part in re.split(r"\s*(?:,|\band\b|&)\s*|\s+", days) if part]
    if all(part.isdigit() or part == "last" for part in parts):
        return _on_month_days(text, parts)
    return _on_weekdays(frozenset(number for part in parts for number in _weekday_range(text, part, times)))


def _on_weekdays(numbers: frozenset[int]) -> Days:
    if len(numbers) == 1:
        (number,) = numbers
        return Days(lambda day: day.weekday() == number, Unit.WEEK, number)
    return Days(lambda day: day.weekday() in numbers)


def _weekday_range(text: str, part: str, times: str) -> range | list[int]:
    first, dash, last = part.partition("-")
    begin = _weekday(text, first.strip(), times)
    if not dash:
        return [begin]
    end = _weekday(text, last.strip(), times)
    return [number % 7 for number in range(begin, end + 1 if end >= begin else end + 8)]


def _weekday(text: str, word: str, times: str) -> int:
    short = [name.lower() for name in WEEKDAYS]
    for names in (short, _FULL):
        if word.removesuffix("s") in names:
            return names.index(word.removesuffix("s"))
    import difflib  # only to report a mistake

    shown = re.search(re.escape(word), text, re.I)
    near = difflib.get_close_matches(word, [*short, *_FULL], n=1)
    meant = f'; did you mean "{near[0].capitalize()}"?' if near else f": {REMEDY}"
    raise ValueError(
        f'"{text}" is not a cadence: "{times}" is understood, '
        f'"{shown[0] if shown else word}" is not a weekday{meant}'
    )


def _on_month_days(text: str, parts: list[str]) -> Days:
    numbers = frozenset(int(part) for part in parts if part != "last")
    for number in sorted(numbers):
        if not 1 <= number <= 28:
            hint = '; for the end of each month write "last 07:00"' if 28 < number < 32 else ""
            raise ValueError(f'"{text}" names day {number}: a monthly cadence takes days from 1 to 28{hint}')
    if len(parts) == 1:
        (number,) = numbers
        return Days(lambda day: day.day == number, Unit.MONTH, number)
    has_last = "last" in parts
    return Days(lambda day: day.day in numbers or (has_last and day.day == _last_of(day)))


def _last_of(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _on_nth(nth: int, weekday: int) -> Days:
    def has(day: date) -> bool:
        if day.weekday() != weekday:
            return False
        return day.day + 7 > _last_of(day) if nth == -1 else (day.day + 6) // 7 == nth

    return Days(has, Unit.MONTH)


def _read_weeks(text: str, every: re.Match[str], start: str | None) -> Days:
    weeks = 2 if every["other"] or every["second"] else int(every["weeks"] or every["short"] or 1)
    weekday = _weekday(text, every["day"] or every["its_day"], "every week")
    if not 1 <= weeks <= 26:
        raise ValueError(f'"{text}" names {weeks} weeks: write 1 to 26')
    if weeks == 1 and start is None:
        return _on_weekdays(frozenset([weekday]))
    try:
        begins_on = date.fromisoformat(start).toordinal() if start is not None else _COUNTED_FROM
    except ValueError:
        raise ValueError(f'"{text}": "{start}" is not a date; write one such as 2026-11-30') from None
    monday = begins_on - (begins_on - 1) % 7

    def has(day: date) -> bool:
        past = day.toordinal() - day.weekday() - monday
        return day.weekday() == weekday and day.toordinal() >= begins_on and past % (7 * weeks) == 0

    return Days(has, Unit.WEEK)


def _read_cron(text: str, written: str) -> tuple[Days, tuple[time, ...]]:
    """Parse a cron expression as Debian's cron does (cronsim): day and weekday both count if one is a
    star."""
    from cronsim import CronSim, CronSimError

    try:
        found = CronSim(written, datetime(2000, 1, 1))  # noqa: DTZ001 - its clock is not used
    except CronSimError as error:
        raise ValueError(
            f'"{text}" is no cron expression: {error}'.replace("Bad ", "it cannot have this ")
        ) from None
    times = tuple(time(hour, minute) for hour in sorted(found.hours) for minute in sorted(found.minutes))
    if len(times) > _MOST_TIMES:
        raise ValueError(
            f'"{text}" has {len(times)} editions a day; {_MOST_TIMES} are allowed at most: '
            'for news as it comes write "at once"'
        )
    return Days(lambda day: day.month in found.months and found.match_day(day)), times
