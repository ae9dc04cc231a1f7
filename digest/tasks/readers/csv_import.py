"""Subscribers out of a CSV file: ours, or the export of another tool."""

import csv
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

from digest.errors import InputError
from digest.rules.readers.address import normalise
from digest.rules.readers.consent import EVERY_TOPIC
from digest.settings import DigestSettings
from digest.tasks.readers.enrolment import Enrolled, NewReader, Terms, enrol
from digest.tasks.readers.readers import Readers
from digest.tasks.readers.sign_up import Choices, check_choices

_BATCH = 1000
_MOST_LINES = 20  # of one record; a quote that is open longer was never meant as one
_LONGEST_NAME = 200

_COLUMNS = {
    "email": "email", "emailaddress": "email", "subscribedaddress": "email", "address": "email",
    "mail": "email", "subscriberemail": "email", "emailaddresses": "email",
    "name": "name", "fullname": "name", "displayname": "name", "subscribername": "name",
    "firstname": "first", "givenname": "first", "lastname": "last", "surname": "last",
    "familyname": "last", "language": "language", "lang": "language", "locale": "language",
    "preferredlanguage": "language", "timezone": "timezone", "tz": "timezone",
    "cadence": "cadence", "frequency": "cadence", "topics": "topics", "topic": "topics",
    "state": "state", "status": "state", "subscriptionstatus": "state",
}  # fmt: skip

_INACTIVE = {
    "archived", "blocked", "blocklisted", "bounced", "cleaned", "complained", "deleted", "disabled",
    "ended", "inactive", "nonsubscribed", "paused", "pending", "suppressed", "unconfirmed", "unsubscribed",
}  # fmt: skip

_NEUTRALISED = re.compile(r"'+[=+\-@\t\r]")

Record = tuple[int, list[str]]


@dataclass(slots=True)
class ImportReport:
    """What became of a file: how many readers each way, and each row that was not taken, with its line."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    asked: int = 0
    suppressed: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    encoding: str = "utf-8"

    def count(self, result: Enrolled) -> None:
        """Count one reader."""
        setattr(self, result.value, getattr(self, result.value) + 1)


def import_subscribers(
    readers: Readers,
    path: Path,
    digest: str,
    confirmed_wording: str | None,
    now: datetime,
    *,
    progress: Callable[[int], None] = lambda rows: None,
) -> ImportReport:
    """Take in a file's readers, confirmed with this wording or, without one, to be asked first.

    A bad row is set aside with its line number and never stops the rest; a thousand rows share a commit,
    so a run that was broken off is simply run again. Raise InputError for a file that has no addresses.
    """
    settings = readers.settings.digest(digest)
    terms = Terms(settings, confirmed_wording, {"import": path.name}, now)
    encoding = _find_encoding(path)
    report = ImportReport(encoding=encoding)
    batch: list[NewReader] = []
    with _opened(path, encoding) as file:
        for newcomer in _read_newcomers(file, path, settings, report):
            batch.append(newcomer)
            if len(batch) == _BATCH:
                _store(readers, batch, terms, report)
                progress(len(batch))
                batch = []
    _store(readers, batch, terms, report)
    progress(len(batch))
    return report


def _store(readers: Readers, batch: list[NewReader], terms: Terms, report: ImportReport) -> None:
    if not batch:
        return
    with readers.database.write() as session:
        results = enrol(session, readers, batch, terms)
    for result in results:
        report.count(result)


def _read_newcomers(
    file: TextIO, path: Path, digest: DigestSettings, report: ImportReport
) -> Iterator[NewReader]:
    header = next(iter(file), "")
    delimiter, columns = _read_header(header, path)
    reader = _RowReader(columns, digest)
    seen: set[int] = set()  # hashes, not addresses: a million of them stay small
    for line, cells in _records(file, delimiter, report):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            newcomer = reader.read(cells)
        except InputError as error:
            report.rejected.append((line, str(error)))
            continue
        if (mark := hash(newcomer.address.key)) not in seen:
            seen.add(mark)
            yield newcomer


def _read_header(header: str, path: Path) -> tuple[str, list[str]]:
    """Find the delimiter under which the first line names an address column."""
    found: list[str] = []
    for delimiter in ",;\t|":
        names = next(csv.reader([header], delimiter=delimiter), [])
        columns = [_COLUMNS.get(re.sub(r"[\W_]+", "", name.casefold()), "") for name in names]
        if "email" in columns:
            return delimiter, columns
        found = max(found, [name.strip() for name in names], key=len)
    shown = ", ".join(f'"{_printable(name)}"' for name in found[:20]) or "none"
    raise InputError(f'{path}, line 1: no column is named "email"; the columns are {shown}')


def _records(file: TextIO, delimiter: str, report: ImportReport) -> Iterator[Record]:
    """Read records with the line where each begins; a quote that is never closed costs only its own line."""
    lines = _CsvLines(file)
    while True:
        lines.begin()
        try:
            cells = next(csv.reader(lines, delimiter=delimiter), None)
        except csv.Error as error:
            cells = []
            report.rejected.append((lines.first, f"this line is no CSV: {error}"))
        if cells is None:
            return
        if lines.ended and _quote_is_open(lines.taken, delimiter):
            report.rejected.append((lines.first, "a quotation mark opens here and is never closed"))
            lines.put_back()
            continue
        yield lines.first, cells


def _quote_is_open(taken: list[str], delimiter: str) -> bool:
    """Tell whether a record's lines end inside quotes: then one more quotation mark closes it."""
    try:
        return len(list(csv.reader([*taken, '"\n'], delimiter=delimiter))) == 1
    except csv.Error:
        return False


class _CsvLines:
    """The lines of a file after its header, as many as a record needs, with a way back."""

    def __init__(self, file: TextIO) -> None:
        self._file = iter(file)
        self._waiting: list[str] = []
        self._next = 2
        self.begin()

    def begin(self) -> None:
        """Begin a record here."""
        self.first, self.taken, self.ended = self._next, list[str](), False

    def put_back(self) -> None:
        """Give back all lines of the record but its first."""
        self._waiting = self.taken[1:] + self._waiting
        self._next = self.first + 1

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str:
        if len(self.taken) < _MOST_LINES:
            line = self._waiting.pop(0) if self._waiting else next(self._file, None)
            if line is not None:
                self.taken.append(line)
                self._next += 1
                return line
        self.ended = bool(self.taken)
        raise StopIteration


class _RowReader:
    """Reads a row's cells by the file's columns and the digest's offers."""

    def __init__(self, columns: list[str], digest: DigestSettings) -> None:
        self._columns = columns
        self._digest = digest
        self._zones = {zone.casefold(): zone for zone in available_timezones()}
        self._languages: dict[str, str] = {}

    def read(self, cells: list[str]) -> NewReader:
        """Give the newcomer of a row; raise InputError naming the first cell that cannot be taken."""
        row: dict[str, str] = {}
        for column, cell in zip(self._columns, cells, strict=False):
            if column and not row.get(column):
                row[column] = (cell[1:] if _NEUTRALISED.match(cell) else cell).strip()
        if not row.get("email"):
            raise InputError("this row has no address")
        address = normalise(row["email"])
        if re.sub(r"[\W_]+", "", row.get("state", "").casefold()) in _INACTIVE:
            raise InputError(f'this row\'s state is "{row["state"]}": only active readers are taken')
        cadence, topics = self._cadence(row.get("cadence", "")), self._topics(row.get("topics", ""))
        check_choices(self._digest, Choices(cadence or "", topics or ()))
        name = row.get("name") or f"{row.get('first', '')} {row.get('last', '')}"
        return NewReader(
            address,
            name=" ".join(_printable(name).split())[:_LONGEST_NAME] or None,
            language=self._language(row.get("language", "")),
            timezone=self._timezone(row.get("timezone", "")),
            cadence=cadence,
            topics=topics,
        )

    def _cadence(self, cell: str) -> str | None:
        return _printable(cell).lower() or None

    def _topics(self, cell: str) -> tuple[str, ...] | None:
        parts = (_printable(part).strip().lower() for part in re.split(r"[;|,]", cell))
        topics = tuple(dict.fromkeys(part for part in parts if part))
        return (EVERY_TOPIC,) if EVERY_TOPIC in topics else topics or None

    def _timezone(self, cell: str) -> str | None:
        if cell and cell.casefold() not in self._zones:
            raise InputError(
                f'"{_printable(cell)}" is no time zone: write a name such as "Europe/Paris", or nothing'
            )
        return self._zones[cell.casefold()] if cell else None

    def _language(self, cell: str) -> str | None:
        if cell and cell not in self._languages:
            try:
                self._languages[cell] = str(Locale.parse(cell.replace("-", "_"))).replace("_", "-")
            except (UnknownLocaleError, ValueError):
                raise InputError(
                    f'"{_printable(cell)}" is no language: write a code such as "en" or "pt-BR", or nothing'
                ) from None
        return self._languages[cell] if cell else None


def _printable(text: str) -> str:
    """Take out what could forge a line or a command where the text is shown."""
    return "".join(char if char.isprintable() else " " for char in text)[:500]


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    # Universal newlines, so that lines count alike whoever wrote the file.
    with path.open(encoding=encoding) as file:
        yield file


def _find_encoding(path: Path) -> str:
    """Find the first encoding that the whole file is in; UTF-8 is tried before those that take anything."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if head.startswith(b"PK\x03\x04"):
        raise InputError(f"{path} is no CSV file: save the sheet as CSV")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return next((name for name in ("utf-8-sig", "cp1252") if _decodes(path, name)), "latin-1")


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding) as file:
            while file.read(1 << 16):
                continue
    except UnicodeDecodeError:
        return False
    return True
