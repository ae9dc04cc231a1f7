"""Export subscribers to a CSV file that a spreadsheet can open without running anything."""

import csv
import re
from typing import IO

from digest.models import Subscriber, Subscription
from digest.store.readers import subscribers
from digest.tasks.readers.readers import Readers

COLUMNS = ("email", "name", "language", "timezone", "cadence", "topics", "digest", "state", "confirmed_at")

_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def export_subscribers(readers: Readers, file: IO[str], digest: str | None = None) -> int:
    """Write every subscription of a digest, or of all, as one row; return how many.

    `import_subscribers` can read the file; open it with newline="".
    """
    if digest is not None:
        readers.settings.digest(digest)
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    with readers.database.read() as session:
        for subscriber, row in subscribers.list_readers(session, digest):
            writer.writerow([neutralise(cell) for cell in _cells(subscriber, row)])
            count += 1
    return count


def neutralise(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula (CWE-1236); the import removes
    it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cells(subscriber: Subscriber, row: Subscription) -> tuple[str, ...]:
    return (
        subscriber.address,
        subscriber.name,
        subscriber.language or "",
        subscriber.timezone or "",
        row.cadence,
        ";".join(sorted(row.topics)),
        row.digest,
        row.state,
        row.confirmed_at.isoformat() if row.confirmed_at else "",
    )
