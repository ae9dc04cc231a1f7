"""Import subscribers from a list: a CSV file, ours or another tool's export, or addresses alone."""

import tomllib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from sqlmodel import Session

from digest.errors import InputError, UsageError
from digest.rules.readers.list_layout import (
    ListLayout,
    count_cells,
    first_names,
    looks_like_address,
    parted,
    read_layout,
    unlisted,
)
from digest.rules.readers.list_tools import ListCatalogue, ReadingPlan
from digest.rules.readers.row_states import GONE, ListState, RowVerdict, worse
from digest.tasks.readers.enrolment import Terms, enrol
from digest.tasks.readers.lists.backup_import import BackupIntake
from digest.tasks.readers.lists.backup_rows import is_backup
from digest.tasks.readers.lists.departures import DEPARTED, REASONS, Departure, suppress_departed
from digest.tasks.readers.lists.import_report import DryRunDone, ImportReport, LineReport
from digest.tasks.readers.lists.list_file import ListFile, open_list
from digest.tasks.readers.lists.list_rows import ListRow, RowReader, merge, printable
from digest.tasks.readers.lists.restored_readers import RestoreTerms
from digest.tasks.readers.lists.seen_addresses import SeenAddresses
from digest.tasks.readers.readers import Readers

_BATCH = 10_000
_AT_ONCE = 2  # PostgreSQL's server stores a batch in twice the time that reading it takes

# A quotation mark or delimiter in a name that its program did not quote moves all cells behind it by one: a
# column of states would be read from the wrong cells.
_TOO_WIDE = (
    "this row has {cells} cells where the header has {width}: put the cell with the delimiter in quotation"
    " marks, and double those inside it"
)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of an import.

    `state` is the state of every row that does not say a worse one; `ignored` names columns that look like
    a state and are none; a given `encoding` is not guessed. A `dry_run` changes nothing. `lines` gets every
    line that is refused. `by` says in the record of consent who imported.
    """

    update: bool = False
    dry_run: bool = False
    state: ListState | None = None
    ignored: tuple[str, ...] = ()
    encoding: str | None = None
    lines: LineReport | None = None
    by: Mapping[str, str] = field(default_factory=dict)


DEFAULTS = ImportOptions()


@cache
def load_catalogue() -> ListCatalogue:
    """Return the tools and words by which lists are read; the tables are loaded for the first list."""
    folder = files("digest.tasks.readers.lists")
    words = tomllib.loads((folder / "list_words.toml").read_text("utf-8"))
    return ListCatalogue(words, tomllib.loads((folder / "tools.toml").read_text("utf-8")))


def import_subscribers(
    readers: Readers,
    path: Path,
    digest: str | None,
    confirmed_wording: str | None,
    now: datetime,
    *,
    options: ImportOptions = DEFAULTS,
    progress: Callable[[int], None] = lambda rows: None,
) -> ImportReport:
    """Import a list's readers, confirmed with this wording or, without one, to be asked first.

    A row is imported only if nothing in it says otherwise, by the rules of its tool. Readers who left,
    bounced or complained there are suppressed here; unconfirmed ones are asked. A bad row is reported with
    its line number and never stops the rest; ten thousand rows share a commit, so an interrupted import is
    simply repeated. A backup of our own is restored instead, into the digests that it names itself. Raise
    InputError for a file without addresses.
    """
    report = ImportReport(lines=options.lines)
    catalogue = load_catalogue()
    with open_list(path, options.encoding) as file:
        layout = _find_layout(file, path, catalogue)
        if is_backup(layout.names or ()):
            if confirmed_wording is not None or options.state is not None:
                raise InputError(
                    f"{path} is a backup with states and consent: leave the wording and the state out"
                    " (--confirmed, --state)"
                )
            _restore(readers, file, layout, path, digest, now, options, progress, report)
            return report
        if digest is None:
            raise UsageError(f"name one with --digest: {', '.join(d.name for d in readers.settings.digests)}")
        settings = readers.settings.digest(digest)
        plan = _plan(catalogue, layout, path, options)
        _describe(report, file, layout, plan)
        origin = {"import": path.name} | ({"tool": plan.tool} if plan.tool else {})
        terms = Terms(settings, confirmed_wording, {**origin, **options.by}, now, update=options.update)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            intake = _Intake(readers, terms, report, options.dry_run, progress, threads)
            for row in _rows(file, layout, RowReader(plan, settings), report):
                intake.take(row)
            intake.finish()
    return report


def _restore(
    readers: Readers,
    file: ListFile,
    layout: ListLayout,
    path: Path,
    digest: str | None,
    now: datetime,
    options: ImportOptions,
    progress: Callable[[int], None],
    report: ImportReport,
) -> None:
    report.encoding, report.tool = file.encoding, "digest"
    terms = RestoreTerms({"import": path.name, **options.by}, now, update=options.update)
    intake = BackupIntake(readers, report, terms, digest, options.dry_run, progress)
    intake.take_all(file.records(layout.delimiter, layout.first, report.reject), layout.names or ())


def _find_layout(file: ListFile, path: Path, catalogue: ListCatalogue) -> ListLayout:
    layout = read_layout(file.sample, catalogue.addresses)
    if layout is None:
        shown = ", ".join(f'"{printable(name).strip()}"' for name in first_names(file.sample)[:20]) or "none"
        raise InputError(f"{path}: no column holds addresses; the columns of its first line are {shown}")
    return layout


def _plan(catalogue: ListCatalogue, layout: ListLayout, path: Path, options: ImportOptions) -> ReadingPlan:
    if layout.names is None:
        width = max((len(row) for row in layout.sample), default=1)
        plan = catalogue.bare(width, path.name)
    else:
        plan = catalogue.plan(layout.names, layout.address, path.name, layout.sample, options.ignored)
    if options.state is not None:
        return replace(plan, of_file=RowVerdict(options.state, "--state", options.state))
    told = catalogue.find_departure(path.stem)
    if (
        told is not None
        and plan.of_file.state == ListState.ACTIVE
        and not (layout.names and plan.told_states)
    ):
        raise InputError(
            f'{path}: the file\'s name says "{told}", and no column says anything else: add --state {told} to'
            " keep these addresses out, or --state active where they are readers"
        )
    return plan


def _describe(report: ImportReport, file: ListFile, layout: ListLayout, plan: ReadingPlan) -> None:
    """Report how the file is read."""
    names = layout.names or ()
    report.encoding, report.tool = file.encoding, plan.tool
    report.columns = {
        printable(names[place]).strip() if names else f"column {place + 1}": role
        for role, place in ({"email": layout.address} | dict(plan.roles)).items()
    }
    report.states = tuple(column.name.strip() for _, column in plan.told_states) if names else ()
    read = {layout.address, *plan.roles.values(), *(place for place, _ in plan.told_states)}
    report.unread = tuple(
        printable(name).strip() for place, name in enumerate(names) if place not in read and name.strip()
    )


def _rows(file: ListFile, layout: ListLayout, reader: RowReader, report: ImportReport) -> Iterator[ListRow]:
    width = layout.width if layout.names is not None else None
    for line, cells in file.records(layout.delimiter, layout.first, report.reject):
        if not any(map(str.strip, cells)):
            continue
        if width is not None and len(cells) > width and (filled := count_cells(cells)) > width:
            report.reject(line, _TOO_WIDE.format(cells=filled, width=width))
            continue
        try:
            if layout.names is None:
                yield from _bare(reader, line, cells, report)
            else:
                yield reader.read(line, cells)
        except InputError as error:
            report.reject(line, str(error))


def _bare(reader: RowReader, line: int, cells: list[str], report: ImportReport) -> Iterator[ListRow]:
    """Read a row of a list without a header: every cell is an address, or one of them is."""
    filled = [cell for cell in cells if cell.strip()]
    found = [one for cell in filled if looks_like_address(cell) for one in parted(unlisted(cell.strip()))]
    for cell in found or filled[:1]:
        try:
            yield reader.read_person(line, cells, cell)
        except InputError as error:
            report.reject(line, str(error))


_Stored = tuple[list[tuple[ListRow, str, str]], set[str]]


@dataclass(slots=True)
class _Intake:
    """Collects rows into batches of different people, and stores each batch in one transaction.

    Batches are stored by `threads`, which alone use the database, while the next one is read: one at a time
    on SQLite, which has one writer, two on PostgreSQL. A batch that has people of earlier ones is stored
    after them; the first one is stored alone, since it keeps the wording to which all others refer.
    """

    readers: Readers
    terms: Terms
    report: ImportReport
    dry_run: bool
    progress: Callable[[int], None]
    threads: ThreadPoolExecutor
    _storing: "deque[Future[_Stored]]" = field(default_factory=deque)
    _is_first: bool = True
    _batch: dict[str, ListRow] = field(default_factory=dict)
    _seen: SeenAddresses = field(default_factory=SeenAddresses)
    _again: set[str] = field(default_factory=set)

    def take(self, row: ListRow) -> None:
        """Add a row: judged, and merged with an earlier one about the same person."""
        key = row.address.key
        verdict = row.verdict
        if verdict.state == ListState.UNKNOWN:
            self.report.reject(row.line, _refuse(verdict, row.address.address))
            return
        if self._seen.add(key):
            self._batch[key] = row
        elif (earlier := self._batch.get(key)) is not None:
            self.report.count("merged", row.line, row.address.address, f"as line {earlier.line}")
            state = worse(earlier.verdict.state, verdict.state)
            self._batch[key] = merge(earlier, row, verdict if state == verdict.state else earlier.verdict)
        else:
            self.report.count("merged", row.line, row.address.address, "with an earlier line")
            self._again.add(key)
            self._batch[key] = row
        if len(self._batch) >= _BATCH:
            self.store()

    def store(self) -> None:
        """Hand the batch over to be stored, once there is room and those that it needs are stored."""
        if not self._batch:
            return
        is_alone = self._is_first or self._again or self.readers.database.is_sqlite
        self._wait(0 if is_alone else _AT_ONCE - 1)
        self._storing.append(self.threads.submit(self._write, list(self._batch.values()), self._again))
        if is_alone and not self.readers.database.is_sqlite:
            self._wait(0)
        self._batch, self._again, self._is_first = {}, set(), False

    def finish(self) -> None:
        """Store what is left."""
        self.store()
        self._wait(0)

    def _wait(self, most: int) -> None:
        """Wait until at most so many batches are being stored, and report what became of the others."""
        while len(self._storing) > most:
            counted, again = self._storing.popleft().result()
            for row, result, why in counted:
                if row.address.key not in again:
                    self.report.count(result, row.line, row.address.address, why)
            self.progress(len(counted))

    def _write(self, rows: list[ListRow], again: set[str]) -> "_Stored":
        """Store a batch; in a dry run, find out the result and roll back."""
        try:
            with self.readers.database.write() as session:
                counted = [*self._enrol(session, rows, again), *self._suppress(session, rows)]
                if self.dry_run:
                    raise DryRunDone
        except DryRunDone:
            pass
        return counted, again

    def _enrol(
        self, session: Session, rows: list[ListRow], again: set[str]
    ) -> Iterable[tuple[ListRow, str, str]]:
        staying = [row for row in rows if row.verdict.state not in GONE]
        newcomers = [
            replace(row.newcomer, pending=True) if row.verdict.state == ListState.PENDING else row.newcomer
            for row in staying
        ]
        if again:
            newcomers = [replace(one, again=True) if one.address.key in again else one for one in newcomers]
        found = enrol(session, self.readers, newcomers, self.terms) if newcomers else []
        return [(row, one.result.value, one.why) for row, one in zip(staying, found, strict=True)]

    def _suppress(self, session: Session, rows: list[ListRow]) -> Iterable[tuple[ListRow, str, str]]:
        gone = [row for row in rows if row.verdict.state in GONE]
        if not gone:
            return []
        departures = [Departure(row.address, REASONS[row.verdict.state], row.gone_at) for row in gone]
        found = suppress_departed(session, self.readers, departures, self.terms.origin, self.terms.now)
        return [
            (row, DEPARTED, _tell(row.verdict)) if one is None else (row, one.result.value, one.why)
            for row, one in zip(gone, found, strict=True)
        ]


def _tell(verdict: RowVerdict) -> str:
    """Return the column and cell that state a departure."""
    where = (
        f'{verdict.column} "{printable(verdict.cell)}"'
        if verdict.column
        else f'file "{printable(verdict.cell)}"'
    )
    return f"{verdict.state}: {where}"


def _refuse(verdict: RowVerdict, address: str) -> str:
    if not verdict.column:
        return f'{address}: the file "{printable(verdict.cell)}" does not say that this reader wants mail'
    column = printable(verdict.column).strip()
    return (
        f'{address}: {column} is "{printable(verdict.cell)}", which does not say that this reader wants mail;'
        f' if that column is about something else, add --ignore "{column}"'
    )
