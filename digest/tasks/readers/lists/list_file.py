"""The file of a list: opened in its encoding, read record by record with line numbers."""

import codecs
import csv
import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from digest.errors import InputError
from digest.rules.readers.code_pages import guess_code_page

_SAMPLE_LINES = 300
_SAMPLE_BYTES = 1 << 16
_LONGEST_LINE = 1 << 20
_MOST_LINES = 20  # of one record; a quotation that is open for longer was not meant as one

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of an old kind"),
    (b"\x1f\x8b", "compressed"),
    (b"%PDF", "a PDF"),
)
# Read as CSV, some of these would have addresses in the wrong places: "dn: cn=Ann,mail=ann@a.example".
_EXPORT = "export the list as CSV (UTF-8)"
_OTHER_FORMATS = (
    (re.compile(rb"BEGIN:VCARD\b", re.I), "a vCard address book", _EXPORT),
    (re.compile(rb"(?:version:\s*\d+\s+|#[^\n]*\n\s*)*dn::?\s", re.I), "an LDIF directory", _EXPORT),
    (re.compile(rb"\[\s*[\[{]?\s*\"|\{\s*\"|[\[{]\s*[\]}]"), "JSON", _EXPORT),
    (re.compile(rb"<(?:!doctype|\?xml|html|head|body|table)\b", re.I), "a web page or XML", _EXPORT),
    (re.compile(rb"\{\\rtf"), "a word processor's text", _EXPORT),
    (
        re.compile(
            rb"(?:\s|--[^\n]*\n|#[^\n]*\n|/\*[^*]*\*/;?|SET\b[^;\n]*;|USE\b[^;\n]*;)*"
            rb"(?:INSERT\s+INTO|CREATE\s+(?:TABLE|DATABASE)|DROP\s+TABLE|PRAGMA|BEGIN\s+TRANSACTION|COPY\s[\w.\"]+\s*\(|LOCK\s+TABLES"
            rb"|SELECT\s+pg_catalog)\b",
            re.I,
        ),
        "a dump of a database",
        "load it into a database and export the readers' table as CSV (UTF-8)",
    ),
    (
        # A line of a mail's header, perhaps below others, that no list has.
        re.compile(
            rb"(?:>?From [^\n]*\n)?(?:[!-9;-~]{1,60}:[^\n]*\n(?:[ \t][^\n]*\n){0,50}){0,50}?"
            rb"(?:Message-ID|MIME-Version|Return-Path|Received|Delivered-To|DKIM-Signature):\s",
            re.I,
        ),
        "a mail",
        "save the list that is attached to it, or export the list as CSV (UTF-8)",
    ),
    (
        re.compile(
            rb"(?:\s|#[^\n]*\n)*(?:%YAML\b|---\s*\n\s*(?:-\s|[\w-]+:\s)|-\s+\"?[\w-]+\"?:\s"
            rb"|[\w-]+:[ \t]*\r?\n[ \t]*-\s)"
        ),
        "YAML",
        _EXPORT,
    ),
    (
        re.compile(
            rb"(?:\s|#[^\n]*\n)*(?:\[\[?[\w.\"-]+\]?\]\s*\r?\n\s*)?[\w-]+[ \t]*=[ \t]*(?:\[\s*)?[\"'{]"
        ),
        "TOML",
        _EXPORT,
    ),
)

_ENCLOSED = re.compile(r"\s*\"((?:[^\"]|\"\")*+)\"[\s,;]*")

Record = tuple[int, list[str]]
Refuse = Callable[[int, str], None]


@dataclass(slots=True)
class ListFile:
    """An open list: its first lines for detection, then all of them as records."""

    sample: list[str]
    encoding: str
    _lines: Iterator[str]

    def records(self, delimiter: str, first: int, refuse: Refuse) -> Iterator[Record]:
        """Read records after the `first` lines; an unclosed quotation mark costs only its own line."""
        lines = _CsvLines(itertools.islice(itertools.chain(self.sample, self._lines), first, None), first + 1)
        while True:
            for line in lines.unquoted():
                yield lines.first, line.rstrip("\r\n").split(delimiter)
            lines.begin()
            line = next(lines, "")
            if not line:
                return
            cells = self._quoted(lines, line, delimiter, refuse)
            if cells is not None:
                yield lines.first, cells

    def _quoted(self, lines: "_CsvLines", line: str, delimiter: str, refuse: Refuse) -> list[str] | None:
        try:
            cells = next(csv.reader(itertools.chain([line], lines), delimiter=delimiter), [])
        except csv.Error as error:
            refuse(lines.first, f"this line is not CSV: {error}")
            return None
        if lines.ended and _quote_is_open(lines.taken, delimiter):
            refuse(lines.first, "a quotation mark opens here and is never closed")
            lines.put_back()
            return None
        return cells


@contextmanager
def open_list(path: Path, encoding: str | None = None) -> Iterator[ListFile]:
    """Open a list in the given encoding, or else in the detected one.

    Without a byte order mark a file is UTF-8; lines that are not are in a code page that is guessed from
    them, and then `encoding` says which. Raise InputError for what cannot be read or is no text.
    """
    found = _find_encoding(path, encoding)
    # Universal newlines, so that line numbers do not depend on who wrote the file.
    opened = (
        "utf-8-sig"
        if found in ("utf-8", "utf-8-sig") or (encoding is None and not _is_wide(found))
        else found
    )
    errors = "strict" if _is_wide(opened) else "surrogateescape" if opened == "utf-8-sig" else "replace"
    try:
        with path.open(encoding=opened, errors=errors) as file:
            lines: Iterator[str] = iter(file)
            if opened != found:
                lines = (_decode(line, found) for line in lines)
            sample = list(itertools.islice(lines, _SAMPLE_LINES))
            if _are_enclosed(sample):
                sample, lines = list(map(_disclosed, sample)), map(_disclosed, lines)
            yield ListFile(sample, found, lines)
    except UnicodeError:
        raise InputError(f"{path} is not in {found} throughout: save it as UTF-8") from None


def _are_enclosed(lines: list[str]) -> bool:
    """Return whether each line is one quoted cell with a whole row in it, as a sheet of CSV in one column is
    exported."""
    found = [_ENCLOSED.fullmatch(line) for line in lines if line.strip()]
    return all(found) and any(one is not None and re.search("[,;\t]", one[1]) for one in found[:1])


def _disclosed(line: str) -> str:
    enclosed = _ENCLOSED.fullmatch(line)
    return enclosed[1].replace('""', '"') + "\n" if enclosed else line


def _decode(line: str, encoding: str) -> str:
    if line.isascii():
        return line
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape").decode(encoding, "replace")
    return line


def _is_wide(encoding: str) -> bool:
    return encoding.startswith(("utf-16", "utf-32"))


def _find_encoding(path: Path, named: str | None) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            for mark, what in _NO_TEXT:
                if head.startswith(mark):
                    raise InputError(f"{path} is {what}, not CSV: save the sheet as CSV (UTF-8)")
            _refuse_other_format(path, head)
            if named is not None:
                return _known_encoding(named)
            for mark, encoding in _MARKS:
                if head.startswith(mark):
                    return encoding
            wide = _unmarked_utf16(head)
            if wide is not None:
                return wide
            file.seek(0)
            odd = _not_utf8(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    return guess_code_page(odd) if odd else "utf-8"


def _refuse_other_format(path: Path, head: bytes) -> None:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip(b"\xff\xfe").replace(b"\0", b"").lstrip()
    for beginning, what, remedy in _OTHER_FORMATS:
        if beginning.match(text):
            raise InputError(f"{path} is {what}, not CSV: {remedy}")


def _known_encoding(named: str) -> str:
    try:
        return codecs.lookup(named).name
    except LookupError:
        raise InputError(
            f'"{named}" is not an encoding: write a name such as utf-8, cp1252 or mac_roman'
        ) from None


def _unmarked_utf16(head: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by its zeros: Western letters have one in each pair."""
    pairs = len(head) // 2
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if pairs and zeros[:pairs].count(0) > pairs * 0.6:
            return encoding
    return None


def _not_utf8(file: BinaryIO) -> bytes:
    """Collect the lines that are not UTF-8, as many as a guess needs."""
    odd = bytearray()
    while (line := file.readline(_LONGEST_LINE)) and len(odd) < _SAMPLE_BYTES:
        if not line.isascii() and not _is_utf8(line):
            odd += line
    return bytes(odd)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.start >= _LONGEST_LINE - 4  # cut from an endless line, not an error
    return True


def _quote_is_open(taken: list[str], delimiter: str) -> bool:
    """Return whether a record's lines end inside quotes: then one more quotation mark closes it."""
    try:
        return len(list(csv.reader([*taken, '"\n'], delimiter=delimiter))) == 1
    except csv.Error:
        return False


class _CsvLines:
    """The lines of a file, as many as a record needs, with a way to put them back."""

    def __init__(self, lines: Iterator[str], number: int) -> None:
        self._lines = lines
        self._waiting: list[str] = []
        self._next = number
        self.begin()

    def begin(self) -> None:
        """Begin a record here."""
        self.first, self.taken, self.ended = self._next, list[str](), False

    def unquoted(self) -> Iterator[str]:
        """Read the lines that are a record each, up to one with a quotation mark, which stays to be read."""
        while True:
            line = self._waiting.pop(0) if self._waiting else next(self._lines, None)
            if line is None:
                return
            if '"' in line:
                self._waiting.insert(0, line)
                return
            self.first = self._next
            self._next += 1
            yield line

    def put_back(self) -> None:
        """Put all lines of the record but its first back."""
        self._waiting = self.taken[1:] + self._waiting
        self._next = self.first + 1

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str:
        if len(self.taken) < _MOST_LINES:
            line = self._waiting.pop(0) if self._waiting else next(self._lines, None)
            if line is not None:
                self.taken.append(line)
                self._next += 1
                return line
        self.ended = bool(self.taken)
        raise StopIteration
