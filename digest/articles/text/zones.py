"""Parse the time zone in a written time: an offset, an abbreviation or an IANA name."""

# ruff: noqa: E501 - a region's zones stand in one line

import re
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

MOST_AHEAD = timedelta(hours=14)
"""No zone is further from UTC (tz database: Pacific/Kiritimati)."""

# Offsets in hours from UTC. RFC 822 (5.1) fixes the American ones; the rest are in official or common use.
_OFFSETS = {
    "utc": 0, "gmt": 0, "ut": 0, "z": 0, "wet": 0, "west": 1, "azot": -1,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "ast": -4, "adt": -3,
    "nst": -3.5, "ndt": -2.5, "akst": -9, "akdt": -8, "hst": -10, "hast": -10, "hadt": -9, "chst": 10,
    "brt": -3, "brst": -2, "art": -3, "clt": -4, "clst": -3, "cot": -5, "pet": -5, "bot": -4, "vet": -4, "uyt": -3,
    "pyt": -3,
    "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "oez": 2,
    "oesz": 3, "msk": 3, "msd": 4, "trt": 3, "samt": 4, "yekt": 5, "omst": 6, "novt": 7, "krat": 7, "irkt": 8,
    "yakt": 9, "vlat": 10, "magt": 11, "pett": 12,
    "wat": 1, "cat": 2, "sast": 2, "eat": 3, "mut": 4,
    "idt": 3, "irst": 3.5, "irdt": 4.5, "gst": 4, "get": 4, "azt": 4, "aft": 4.5, "pkt": 5, "uzt": 5, "npt": 5.75,
    "bdt": 6, "mmt": 6.5, "ict": 7, "wib": 7, "wita": 8, "wit": 9, "hkt": 8, "sgt": 8, "myt": 8, "pht": 8, "jst": 9,
    "kst": 9,
    "awst": 8, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "fjt": 12,
}  # fmt: skip
# Zones in words, as American programs and papers write them behind a clock.
_IN_WORDS = {
    "eastern": "America/New_York", "central": "America/Chicago", "mountain": "America/Denver",
    "pacific": "America/Los_Angeles", "alaska": "America/Anchorage", "hawaii": "Pacific/Honolulu",
    "atlantic": "America/Halifax", "newfoundland": "America/St_Johns", "british": "Europe/London",
    "western european": "Europe/Lisbon", "central european": "Europe/Paris", "eastern european": "Europe/Athens",
    "moscow": "Europe/Moscow", "israel": "Asia/Jerusalem", "india": "Asia/Kolkata", "indian": "Asia/Kolkata",
    "japan": "Asia/Tokyo", "korea": "Asia/Seoul", "singapore": "Asia/Singapore", "hong kong": "Asia/Hong_Kong",
    "australian eastern": "Australia/Sydney", "australian central": "Australia/Adelaide",
    "australian western": "Australia/Perth", "new zealand": "Pacific/Auckland", "coordinated universal": "UTC",
    "universal": "UTC", "greenwich mean": "UTC",
}  # fmt: skip
_BY_DATE = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
    "aet": "Australia/Sydney", "nzt": "Pacific/Auckland",
}  # fmt: skip
# Letters that several countries use: the language and country of the feed decide, otherwise they are
# ambiguous.
_BY_LANGUAGE: Mapping[str, Mapping[str, float]] = {
    "ist": {"hi": 5.5, "bn-in": 5.5, "mr": 5.5, "gu": 5.5, "ta": 5.5, "te": 5.5, "kn": 5.5, "ml": 5.5, "pa": 5.5,
            "en-in": 5.5, "he": 2, "iw": 2, "en-il": 2, "ga": 1, "en-ie": 1},
    "amt": {"hy": 4, "pt": -4},
    "sst": {"en-sg": 8, "zh-sg": 8, "en-as": -11, "sm": -11},
    "cst": {"zh": 8},
    "ast": {"ar": 3},
    "bst": {"bn": 6},
}  # fmt: skip
_MILITARY = re.compile(r"[a-ik-y]")
_SIGNED = re.compile(
    r"\s*(?:\b(?:GMT|UTC?))?\s*-?([+\u2212-])(\d{1,2}):?(\d{2})?(?::?00)?\s*(?:Z|[A-Z]{1,5})?\s*(?:[(\[][^()\[\]]*[)\]])?\s*\Z",
    re.I,
)
_IANA = re.compile(
    r"[(\[]?\b([A-Z][A-Za-z_]{1,30}(?:/[A-Z][A-Za-z_+-]{1,30}){1,2}|[ECMP]ST[5-8][ECMP]DT)[)\]]?\s*\Z"
)
_NAMED = re.compile(r"(?<![^\W\d_])([A-Za-z]{1,5})\.?\s*(?:[(\[][^()\[\]]*[)\]])?\s*\Z")
_WORDED = re.compile(
    rf"\s*[(\[]?\b({'|'.join(sorted(_IN_WORDS, key=len, reverse=True))})"
    r"(?:\s+(?:(?:standard|daylight|summer)(?:\s+savings?)?\s+)?time)?[)\]]?\s*\Z",
    re.I,
)
_ENCLOSED = re.compile(r"[(\[]\s*((?:GMT|UTC)\s?[+\u2212-]\s?\d{1,2}(?::?\d{2})?)\s*[)\]]\s*\Z", re.I)
_NOUGHT = re.compile(r"(\d:\d\d(?::\d\d)?) 00\Z")  # an offset that lost its sign and two digits
_HAS_CLOCK = re.compile(r"\d\s?[:h.]\s?\d\d|\d\s*[ap]\.?\s?m\b", re.I)
_ENDS_IN_CLOCK = re.compile(r"\d[:.h]\d\d(?:[:.,]\d+)*\s*(?:[ap]\.?\s?m\.?)?\s*\Z", re.I)
_BEHIND_CLOCK = re.compile(
    r"(\d[:.h]\d\d(?::\d\d)?(?:\s*[AaPp]\.?\s?[Mm]\b\.?)?|\d\s?[AaPp]\.?[Mm]\b\.?)\s*\(?\b([A-Z]{1,5})\b\)?(?=[\s,]+\S)"
)
_APART = re.compile(r"(?:GMT|UTC?)?[+-]\d{4}\b|GMT|UTC", re.I)
_HALF_DAY = re.compile(r"[ap]\.?m?", re.I)
_BRACKETED = re.compile(r"\s*[(\[]([A-Za-z]{1,5})[)\]]\s*\Z")


class UnknownZoneError(ValueError):
    """A zone is stated, but it is unknown or ambiguous."""


def split_zone(line: str, language: str) -> tuple[str, tzinfo | None]:
    """Return a time without the zone at its end, and that zone; None if none is stated.

    Raise UnknownZoneError for letters that name no zone, or several. An offset counts before a name beside
    it.
    """
    line = _NOUGHT.sub(r"\1", line)
    if (enclosed := _ENCLOSED.search(line)) and _ENDS_IN_CLOCK.search(line[: enclosed.start()]):
        line = f"{line[: enclosed.start()]}{enclosed[1]}"
    match = _SIGNED.search(line)
    if match and (_HAS_CLOCK.search(line[: match.start()]) or _APART.match(match[0].strip())):
        return line[: match.start()], _offset(match[1], match[2], match[3])
    if match := _IANA.search(line):
        return line[: match.start()], _iana(match[1])
    if (match := _WORDED.search(line)) and _HAS_CLOCK.search(line[: match.start()]):
        return line[: match.start()], ZoneInfo(_IN_WORDS[match[1].lower()])
    match = _BRACKETED.search(line) or _NAMED.search(line)
    if match is None or _HALF_DAY.fullmatch(match[1]):
        return _split_behind_clock(line, language)
    before = line[: match.start()]
    is_behind_clock = _ENDS_IN_CLOCK.search(before) is not None
    if (match[1].isupper() or is_behind_clock) and (zone := _named(match[1], language)):
        return before, zone
    if match[1].isupper() and len(match[1]) > 1 and is_behind_clock:
        raise UnknownZoneError(match[1])
    return line, None


def _split_behind_clock(line: str, language: str) -> tuple[str, tzinfo | None]:
    """Split off a zone between clock and date: `9:00 AM EST, Tue November 24, 2026`."""
    match = _BEHIND_CLOCK.search(line)
    zone = _named(match[2], language) if match and len(match[2]) > 1 else None
    return (f"{line[: match.start(2)]} {line[match.end(2) :]}", zone) if match and zone else (line, None)


def _offset(sign: str, hours: str, minutes: str | None) -> tzinfo:
    ahead = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if ahead > MOST_AHEAD or int(minutes or 0) > 59:
        raise UnknownZoneError(f"{sign}{hours}{minutes or ''}")
    return timezone(ahead if sign == "+" else -ahead)


def _iana(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnknownZoneError(name) from None


def _named(letters: str, language: str) -> tzinfo | None:
    """Return the zone that letters name; military ones except Z have no meaning (RFC 5322 4.3) and count
    as UTC."""
    name = letters.lower()
    if by_language := _BY_LANGUAGE.get(name):
        hours = by_language.get(language, by_language.get(language.partition("-")[0], _OFFSETS.get(name)))
        if hours is None:
            raise UnknownZoneError(letters)
        return timezone(timedelta(hours=hours))
    if name in _BY_DATE and letters.isupper():
        return ZoneInfo(_BY_DATE[name])
    if name in _OFFSETS:
        return timezone(timedelta(hours=_OFFSETS[name]))
    return UTC if _MILITARY.fullmatch(name) and letters.isupper() else None
