"""The rows of a list, read by its plan: an address, a person's details, and their state."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.localedata import exists

from digest.clock import time_zones
from digest.errors import InputError
from digest.rules.readers.address import Address, normalise, tidy_name
from digest.rules.readers.consent import EVERY_TOPIC
from digest.rules.readers.list_layout import unlisted
from digest.rules.readers.list_tools import ReadingPlan
from digest.rules.readers.row_states import ListState, RowVerdict, judge_row
from digest.safe_text import one_line, plain_greek
from digest.settings import DigestSettings
from digest.tasks.readers.enrolment import NewReader
from digest.tasks.readers.sign_up import Choices, check_choices

_NAME_ALONE, _NAMES = {"name"}, {"name", "first", "last"}

FORMULA_SIGNS = r"[=+\-@\t\r\n＝＋－＠]"
"""What a cell begins with that a spreadsheet runs as a formula; an apostrophe in front keeps it from that."""
_NEUTRALISED = re.compile(rf"'+{FORMULA_SIGNS}")
_NAMED = re.compile(r"\s*\"?(?P<name>[^\"<>]*?)\"?\s*<(?P<address>[^<>]+)>\s*")
_FOLLOWED = re.compile(r"(?P<address>[^\s()<>]+@[^\s()<>,;]+)\s+(?P<name>[^@<>()]{1,100})")  # as Sympa dumps
_COMMENTED = re.compile(r"(?P<address>[^\s()]+@[^\s()]+)\s+\((?P<name>[^()]*)\)")  # RFC 5322, appendix A.6.3


@dataclass(slots=True)
class ListRow:
    """One person on one or more lines of a list; `gone_at` is when they left, if the list says so."""

    line: int
    newcomer: NewReader
    verdict: RowVerdict
    gone_at: datetime | None = None

    @property
    def address(self) -> Address:
        """Return the person's address."""
        return self.newcomer.address


class RowReader:
    """Reads the cells of a row by a file's plan and a digest's offers."""

    def __init__(self, plan: ReadingPlan, digest: DigestSettings) -> None:
        self._plan = plan
        self._roles = [(role, place) for role, place in plan.roles.items() if role != "email"]
        self._address = plan.roles.get("email")
        self._digest = digest
        self._zones = {zone.casefold(): zone for zone in time_zones()}
        self._languages: dict[str, str] = {}
        self._cadences: set[str] = {""}
        self._topics: dict[str, tuple[str, ...] | None] = {"": None}

    def read(self, line: int, cells: list[str]) -> ListRow:
        """Return the person of a row; raise InputError naming the first cell that is invalid."""
        place = self._address if self._address is not None else 0
        return self.read_person(line, cells, cells[place] if place < len(cells) else "")

    def read_person(self, line: int, cells: list[str], cell: str) -> ListRow:
        """Return the person of one cell of a row: `ann@a.example`, or `Ann <ann@a.example>`."""
        typed, name = _part(without_apostrophe(cell))
        if not typed:
            raise InputError("this row has no address")
        address = normalise(typed)
        plan, width = self._plan, len(cells)
        verdict = judge_row(plan.states, cells, plan.of_file) if plan.states else plan.of_file
        if address.key.rpartition("@")[2] in plan.deleted:
            verdict = RowVerdict(ListState.LEFT, "address", typed)
        row = {}
        for role, place in self._roles:
            if place < width and (value := without_apostrophe(cells[place])):
                row[role] = value
        newcomer = self._read_details(address, row, name) if row else NewReader(address, name or None)
        return ListRow(line, newcomer, verdict, _read_time(verdict.cell) if verdict.cell else None)

    def _read_details(self, address: Address, row: Mapping[str, str], name: str) -> NewReader:
        name = (_tidy(row["name"]) if row.keys() == _NAME_ALONE else _join_name(row)) or name
        if row.keys() <= _NAMES:
            return NewReader(address, name or None)
        return NewReader(
            address,
            name or None,
            self._language(row.get("language", "")),
            self._timezone(row.get("timezone", "")),
            self._cadence(row.get("cadence", "")),
            self._read_topics(row.get("topics", "")),
        )

    def _cadence(self, cell: str) -> str | None:
        if cell not in self._cadences:
            check_choices(self._digest, Choices(printable(cell).lower()))
            self._cadences.add(cell)
        return printable(cell).lower() or None

    def _read_topics(self, cell: str) -> tuple[str, ...] | None:
        if cell not in self._topics:
            topics = split_topics(cell)
            check_choices(self._digest, Choices(topics=topics))
            self._topics[cell] = (EVERY_TOPIC,) if EVERY_TOPIC in topics else topics or None
        return self._topics[cell]

    def _timezone(self, cell: str) -> str | None:
        if cell and cell.casefold() not in self._zones:
            raise InputError(
                f'"{printable(cell)}" is not a time zone: write a name such as "Europe/Paris", or nothing'
            )
        return self._zones[cell.casefold()] if cell else None

    def _language(self, cell: str) -> str | None:
        if cell and cell not in self._languages:
            try:
                name = cell.split("(")[0].strip().casefold()
                is_code = len(name) <= 3 or "-" in name or "_" in name
                code = cell if is_code else _language_codes().get(name, cell)
                self._languages[cell] = str(Locale.parse(code.replace("-", "_"))).replace("_", "-")
            except (UnknownLocaleError, ValueError):
                raise InputError(
                    f'"{printable(cell)}" is not a language: write a code such as "en" or "pt-BR", or nothing'
                ) from None
        return self._languages[cell] if cell else None


def merge(one: ListRow, other: ListRow, verdict: RowVerdict) -> ListRow:
    """Merge two lines about one person: the second fills what the first leaves open; topics add up."""
    first, second = one.newcomer, other.newcomer
    topics = first.topics
    if first.topics is not None and second.topics is not None:
        both = tuple(dict.fromkeys((*first.topics, *second.topics)))
        topics = (EVERY_TOPIC,) if EVERY_TOPIC in both else both
    elif first.topics is None:
        topics = second.topics
    newcomer = replace(
        first,
        name=first.name or second.name,
        language=first.language or second.language,
        timezone=first.timezone or second.timezone,
        cadence=first.cadence or second.cadence,
        topics=topics,
    )
    return replace(one, newcomer=newcomer, verdict=verdict, gone_at=one.gone_at or other.gone_at)


@cache
def _language_codes() -> Mapping[str, str]:
    """Return the codes of languages by their names, in English and in the language itself."""
    codes: dict[str, str] = {}
    for code, name in Locale("en").languages.items():
        if len(code) == 2 and exists(code):
            codes |= {name.casefold(): code, (Locale(code).get_language_name(code) or name).casefold(): code}
    return codes


def split_topics(text: str) -> tuple[str, ...]:
    """Split the topics in a cell or an option: separated by `;`, `|` or `,`."""
    parts = (plain_greek(printable(part).strip().lower()) for part in re.split(r"[;|,]", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def printable(text: str) -> str:
    """Remove what could forge a line or a command where the text is shown."""
    return one_line(text[:500])


def without_apostrophe(cell: str) -> str:
    """Remove spaces, and the apostrophe that keeps a spreadsheet from running a cell."""
    return (cell[1:] if cell.startswith("'") and _NEUTRALISED.match(cell) else cell).strip()


def _part(cell: str) -> tuple[str, str]:
    cell = unlisted(cell).rstrip(" ,;.")
    if len(cell) > 2 and cell[0] == cell[-1] == "'":
        cell = cell[1:-1]
    if "<" in cell and (match := _NAMED.fullmatch(cell)):
        return match["address"].removeprefix("mailto:").strip(), _tidy(match["name"])
    if cell.endswith(")") and (match := _COMMENTED.fullmatch(cell)):
        return match["address"].removeprefix("mailto:"), _tidy(match["name"])
    if match := _FOLLOWED.fullmatch(cell):
        return match["address"].removeprefix("mailto:"), _tidy(match["name"])
    return cell.removeprefix("mailto:"), ""


def _join_name(row: Mapping[str, str]) -> str:
    """Join a person's names: some tools call the given name "Name", and others the whole of it."""
    whole, first, last = (_tidy(row.get(part, "")) for part in ("name", "first", "last"))
    if not whole or (first and last):
        return _tidy(f"{first} {last}") or whole
    if first and first.casefold() not in whole.casefold():
        return f"{first} {whole}"
    if last and last.casefold() not in whole.casefold():
        return f"{whole} {last}"
    return whole


def _tidy(name: str) -> str:
    """Return a name of a list as it is kept; control characters in it are spaces."""
    return tidy_name(printable(name))


def _read_time(cell: str) -> datetime | None:
    """Return when somebody left, if the cell that says so is a time; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
