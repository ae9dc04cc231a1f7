"""Export readers to a CSV file: a backup of all that is stored, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import IO

from digest.models import ListTransfer, TransferKind, TransferState
from digest.models.row import row_id
from digest.models.subscriber import ReaderFilter
from digest.store.readers import batches, listing, transfers, whole_readers
from digest.tasks.readers.lists.backup_rows import COLUMNS, Cells, write_ban, write_reader
from digest.tasks.readers.lists.list_rows import FORMULA_SIGNS
from digest.tasks.readers.readers import Readers

_PAGE = 500
_FORMULA = re.compile(rf"'*{FORMULA_SIGNS}")


def export_subscribers(readers: Readers, file: IO[str], digest: str | None = None) -> int:
    """Write every subscription with its state, choices and consent; return how many.

    Without a digest the file is a whole backup: readers without a subscription, and every suppression, as its
    keyed hash where no address is kept, with the key. `import_subscribers` restores it; open it with
    newline="".
    """
    if digest is not None:
        readers.settings.digest(digest)
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    written: set[str] = set()
    with readers.database.read() as session:
        if digest is None:
            writer.writerow(_cells({"hash_key": readers.suppression_key.hex()}))
        for page in whole_readers.list_whole(session):
            hashes = {one: readers.hash_address(one.person.address_key) for one in page}
            bans = batches.find_suppressions(session, list(hashes.values()))
            written.update(bans)
            for reader, hashed in hashes.items():
                for cells in write_reader(reader, bans.get(hashed), digest):
                    writer.writerow(_cells(cells))
                count += sum(digest in (None, row.digest) for row in reader.subscriptions)
        if digest is None:
            rest = (
                row for row in whole_readers.list_suppressions(session) if row.address_hash not in written
            )
            writer.writerows(_cells(write_ban(row)) for row in rest)
    return count


def export_matching(
    readers: Readers, wanted: ReaderFilter, name: str, who: str, now: datetime
) -> Iterator[str]:
    """Record that somebody exports the readers who match, and yield them as CSV, a page of readers at a time.

    The rows are those of a backup, so that `import_subscribers` reads them; the key of suppressions and bans
    without a reader are not among them. Each page is read by itself, so that nothing else waits.
    """
    transfer = ListTransfer(
        public_id=readers.new_id(), kind=TransferKind.EXPORT, who=who, at=now, changed_by=who, changed_at=now,
        name=name, options={key: value for key, value in asdict(wanted).items() if value},
        state=TransferState.FINISHED,
    )  # fmt: skip
    with readers.database.write() as session:
        transfers.insert(session, transfer)
    return _pages(readers, wanted, transfer.public_id, now)


def _pages(readers: Readers, wanted: ReaderFilter, public_id: str, now: datetime) -> Iterator[str]:
    yield _lines([list(COLUMNS)])
    last, count, digest = 0, 0, wanted.digest or None
    while True:
        with readers.database.read() as session:
            people = listing.list_matching(session, wanted, last, _PAGE)
            if not people:
                break
            last, page = row_id(people[-1]), whole_readers.find_whole(session, people).values()
            hashes = {one: readers.hash_address(one.person.address_key) for one in page}
            bans = batches.find_suppressions(session, list(hashes.values()))
            rows = [
                _cells(cells)
                for reader, hashed in hashes.items()
                for cells in write_reader(reader, bans.get(hashed), digest)
            ]
        count += len(people)
        yield _lines(rows)
    with readers.database.write() as session:
        transfers.note(session, public_id, now, {"rows": count})


def _lines(rows: list[list[str]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()


def neutralise(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula (CWE-1236); the import removes
    it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cells(cells: Cells) -> list[str]:
    return [neutralise(cells.get(name, "")) for name in COLUMNS]
