"""Export readers to a CSV file: a backup of all that is stored, safe to open in a spreadsheet."""

import csv
import re
from typing import IO

from digest.store.readers import batches, whole_readers
from digest.tasks.readers.lists.backup_rows import COLUMNS, Cells, write_ban, write_reader
from digest.tasks.readers.readers import Readers

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


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


def neutralise(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula (CWE-1236); the import removes
    it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cells(cells: Cells) -> list[str]:
    return [neutralise(cells.get(name, "")) for name in COLUMNS]
