"""A backup of readers, restored row by row; one that cannot be taken is refused by its line."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from digest.errors import InputError
from digest.models import SubscriptionState
from digest.store import keys
from digest.store.readers import whole_readers
from digest.tasks.readers.lists.backup_rows import BackupReader, BackupRow
from digest.tasks.readers.lists.import_report import DryRunDone, ImportReport
from digest.tasks.readers.lists.restored_readers import RestoredRow, RestoreTerms, restore_rows
from digest.tasks.readers.readers import Readers
from digest.tasks.readers.sign_up import Choices, check_choices

_BATCH = 500


@dataclass(slots=True)
class BackupIntake:
    """Collects the rows of a backup, and restores each batch in one transaction."""

    readers: Readers
    report: ImportReport
    terms: RestoreTerms
    digest: str | None = None
    dry_run: bool = False
    progress: Callable[[int], None] = lambda rows: None
    _batch: list[BackupRow] = field(default_factory=list)
    _has_other_key: bool = False

    def take_all(self, records: Iterable[tuple[int, list[str]]], names: Sequence[str]) -> None:
        """Restore every row."""
        reader = BackupReader(names)
        for line, cells in records:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                self._take(reader.read(line, cells))
            except InputError as error:
                self.report.reject(line, str(error))
        self._store()

    def _take(self, row: BackupRow) -> None:
        if row.hash_key:
            self._take_key(row.hash_key)
            return
        if row.address is None and self._has_other_key:
            raise InputError(
                "this suppression is kept as a hash under another database's key, which is taken over only"
                " where no reader and no suppression is kept yet"
            )
        if row.subscription is not None and self.digest not in (None, row.digest):
            self.report.count("others", row.line, row.person["address"], f"is about {row.digest}")
            return
        self._check_offers(row)
        self._batch.append(row)
        if len(self._batch) >= _BATCH:
            self._store()

    def _check_offers(self, row: BackupRow) -> None:
        """Raise InputError for a digest or cadence that the settings do not have.

        Who has left may have had what is no more, and so may anybody's topics: one that was retired matches
        nothing, which is no reason to lose the reader.
        """
        if row.subscription is None or row.subscription["state"] == SubscriptionState.ENDED:
            return
        offered = {one.name: one for one in self.readers.settings.digests}
        if row.digest not in offered:
            known = ", ".join(offered)
            raise InputError(f'"{row.digest}" is not a digest of the settings: they have {known}')
        check_choices(offered[row.digest], Choices(row.subscription["cadence"]))

    def _take_key(self, key: bytes) -> None:
        """Take over the key of the backup's suppressions, unless some are kept under another one here."""
        if key == self.readers.suppression_key:
            return
        with self.readers.database.write() as session:
            self._has_other_key = whole_readers.is_anything_kept(session)
            if not self._has_other_key and not self.dry_run:
                keys.replace_suppression_key(session, key)
        if not self._has_other_key:
            self.readers = replace(self.readers, suppression_key=key)

    def _store(self) -> None:
        rows, self._batch = self._batch, []
        if not rows:
            return
        done: list[RestoredRow] = []
        try:
            with self.readers.database.write() as session:
                done = restore_rows(session, self.readers, rows, self.terms)
                if self.dry_run:
                    raise DryRunDone
        except DryRunDone:
            pass
        for one in done:
            if one.result == "rejected":
                self.report.reject(one.row.line, one.why)
            elif one.result:
                self.report.count(one.result, one.row.line, one.row.person.get("address", ""), one.why)
        self.progress(len(rows))
