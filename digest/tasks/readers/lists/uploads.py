"""Lists that are uploaded at the desk: tried first, imported once somebody confirms, and removed.

One thread of the process works on them, one after the other, so that pages go on being served. Who works on
a list holds a lock on a file beside it; a list that is said to be worked on and is not locked was broken off
with its process. Nothing but counts is kept of a list in the database: the file and its report, which name
readers, lie in a private folder and are removed.
"""

import contextlib
import fcntl
import json
import logging
import re
import shutil
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue
from typing import IO, Any

from digest.errors import DigestError, InputError, UsageError
from digest.models import ListTransfer, TransferKind, TransferState
from digest.private_files import open_private, write_private
from digest.rules.readers.row_states import ListState
from digest.store.readers import transfers
from digest.tasks.readers.lists.csv_import import ImportOptions, import_subscribers
from digest.tasks.readers.lists.import_report import ImportReport, LineReport
from digest.tasks.readers.readers import Readers

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024 * 1024
MOST_OPEN = 10
KEEP = timedelta(days=7)
"""How long a list and its report lie in the folder, if nobody removes them before."""

INTERRUPTED, ELSEWHERE = "interrupted", "elsewhere"
_WORKING = (TransferState.CHECKING, TransferState.IMPORTING)
_LONGEST_WORDING, _SHOWN = 500, 20
_ODD = re.compile(r"[^\w .()+-]")
_ID = re.compile(r"[a-z0-9]{1,64}")


class ListChanged(InputError):  # noqa: N818 - named for what happened
    """Nothing was done: somebody else has acted on the list since it was shown."""


@dataclass(frozen=True, slots=True)
class ListChoices:
    """How a list is to be imported; "" stands for what the file says by itself."""

    digest: str = ""
    wording: str = ""
    update: bool = False
    state: str = ""
    ignored: tuple[str, ...] = ()
    encoding: str = ""

    @classmethod
    def of(cls, transfer: ListTransfer) -> "ListChoices":
        """Return the choices that a transfer has."""
        values = dict(transfer.options)
        return cls(**{**values, "ignored": tuple(values.get("ignored", ()))})


@dataclass(frozen=True, slots=True)
class UploadedList:
    """A list as it stands: `state` is its own, or that its process ended, or that it lies elsewhere."""

    transfer: ListTransfer
    state: str
    report: Mapping[str, Any] = field(default_factory=dict)
    has_file: bool = False
    has_lines: bool = False


@dataclass(slots=True)
class ArrivingList:
    """A file that is being received: its place, and where its bytes go."""

    public_id: str
    name: str
    path: Path
    file: IO[bytes]


class ListUploads:
    """The lists of one publication."""

    def __init__(self, readers: Readers, now: Callable[[], datetime]) -> None:
        self._readers, self._now = readers, now
        self._folder = readers.settings.path(readers.settings.web.uploads)
        self._waiting: Queue[Callable[[], None]] = Queue()
        self._thread: threading.Thread | None = None
        self._starting, self._locking = threading.Lock(), threading.Lock()

    def receive(self, named: str) -> ArrivingList:
        """Open a private file for a list; raise InputError where it cannot be kept."""
        with self._readers.database.read() as session:
            if transfers.count_open(session) >= MOST_OPEN:
                raise InputError(f"{MOST_OPEN} lists wait to be imported: import or remove one of them first")
        public_id, name = self._readers.new_id(), tidy_file_name(named)
        path = self._folder / public_id / "file" / name
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.parent.mkdir(mode=0o700)
            path.parent.mkdir(mode=0o700)
            write_private(path, b"")
            return ArrivingList(public_id, name, path, path.open("r+b"))
        except OSError as error:
            raise InputError(f"the file cannot be kept in {self._folder.name}: {error.strerror}") from None

    def drop(self, arriving: ArrivingList) -> None:
        """Remove a file that did not arrive whole, or is not wanted."""
        arriving.file.close()
        shutil.rmtree(self._folder / arriving.public_id, ignore_errors=True)

    def begin(self, arriving: ArrivingList, choices: ListChoices, who: str) -> str:
        """Take a file that has arrived, and try it; return the id of its list."""
        arriving.file.close()
        try:
            self._check(choices)
            size = arriving.path.stat().st_size
            if not size:
                raise InputError(f"the file {arriving.name} is empty: choose the file of the list")
        except InputError:
            self.drop(arriving)
            raise
        now = self._now()
        transfer = ListTransfer(
            public_id=arriving.public_id, kind=TransferKind.IMPORT, who=who, at=now, changed_by=who,
            changed_at=now, name=arriving.name, place=socket.gethostname(), size=size,
            options=asdict(choices), state=TransferState.CHECKING,
        )  # fmt: skip
        lock = self._lock(arriving.public_id)
        try:
            with self._readers.database.write() as session:
                transfers.insert(session, transfer)
        except BaseException:
            lock.close()
            self.drop(arriving)
            raise
        self._submit(arriving.public_id, choices, who, lock, dry_run=True)
        return arriving.public_id

    def list_latest(self) -> Sequence[ListTransfer]:
        """List the latest imports and exports."""
        with self._readers.database.read() as session:
            return transfers.list_transfers(session, _SHOWN)

    def find(self, public_id: str) -> UploadedList | None:
        """Find an imported list."""
        if not _ID.fullmatch(public_id):
            return None
        # The lock is asked for first: who works writes the end before letting go of it.
        is_locked = self._is_locked(public_id)
        with self._readers.database.read() as session:
            transfer = transfers.find_transfer(session, public_id)
        if transfer is None or transfer.kind != TransferKind.IMPORT:
            return None
        folder, state = self._folder / public_id, transfer.state
        if state in _WORKING and not is_locked:
            state = INTERRUPTED if folder.is_dir() else ELSEWHERE
        report = _read_json(folder / "report.json") if state not in _WORKING else {}
        return UploadedList(
            transfer, state, report, (folder / "file").is_dir(), state not in _WORKING and _is_filled(folder)
        )

    def find_lines(self, public_id: str) -> Path | None:
        """Return the file of the lines that were not taken; None where there is none."""
        found = self.find(public_id)
        return self._folder / public_id / "lines.csv" if found and found.has_lines else None

    def check(self, public_id: str, seen: int, choices: ListChoices, who: str) -> None:
        """Try a list again, with other choices."""
        self._check(choices)
        values = {"state": TransferState.CHECKING, "options": asdict(choices)}
        self._go(public_id, seen, choices, who, values, dry_run=True)

    def start(self, public_id: str, seen: int, who: str) -> None:
        """Import a list as it was tried."""
        found = self.find(public_id)
        if found is None or found.transfer.state not in (TransferState.CHECKED, TransferState.IMPORTING):
            raise InputError("this list has not been tried as it is: check it first")
        choices = ListChoices.of(found.transfer)
        self._go(public_id, seen, choices, who, {"state": TransferState.IMPORTING}, dry_run=False)

    def remove(self, public_id: str, seen: int, who: str) -> None:
        """Remove a list's file and report; what was imported of it stays."""
        with self._held(public_id), self._readers.database.write() as session:
            found = transfers.find_transfer(session, public_id)
            ended = found is not None and found.state == TransferState.FINISHED
            values = {} if ended else {"state": TransferState.REMOVED}
            self._change(session, public_id, seen, who, values)
        shutil.rmtree(self._folder / public_id, ignore_errors=True)

    def wait(self) -> None:
        """Wait until every list that was begun is at its end."""
        self._waiting.join()

    def _check(self, choices: ListChoices) -> None:
        names = [digest.name for digest in self._readers.settings.digests]
        if choices.digest and choices.digest not in names:
            raise InputError(f'there is no digest "{choices.digest}"; there is {", ".join(names)}')
        states = [state for state in ListState if state != ListState.UNKNOWN]
        if choices.state and choices.state not in states:
            raise InputError(f'"{choices.state}" is not a state of a list; there are {", ".join(states)}')
        if len(choices.wording) > _LONGEST_WORDING:
            raise InputError(f"the wording has {len(choices.wording)} characters; {_LONGEST_WORDING} fit")

    def _go(
        self,
        public_id: str,
        seen: int,
        choices: ListChoices,
        who: str,
        values: Mapping[str, Any],
        *,
        dry_run: bool,
    ) -> None:
        if not (self._folder / public_id / "file").is_dir():
            raise InputError("the file of this list is not on this machine any more: upload it again")
        lock = self._lock(public_id)
        try:
            with self._readers.database.write() as session:
                cleared = {"rows": 0, "counts": {}, "error": "", "place": socket.gethostname()}
                self._change(session, public_id, seen, who, {**cleared, **values})
        except BaseException:
            lock.close()
            raise
        self._submit(public_id, choices, who, lock, dry_run=dry_run)

    def _change(self, session: Any, public_id: str, seen: int, who: str, values: Mapping[str, Any]) -> None:
        if not transfers.change(session, public_id, seen, who, self._now(), values):
            raise ListChanged("somebody else has acted on this list since you saw it")

    def _submit(
        self, public_id: str, choices: ListChoices, who: str, lock: IO[str], *, dry_run: bool
    ) -> None:
        def work() -> None:
            with lock:
                self._work(public_id, choices, who, dry_run=dry_run)

        self._waiting.put(work)
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="lists", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            work = self._waiting.get()
            try:
                work()
            except Exception:
                log.exception("a list of readers could not be worked on")
            finally:
                self._waiting.task_done()

    def _work(self, public_id: str, choices: ListChoices, who: str, *, dry_run: bool) -> None:
        folder = self._folder / public_id
        path = next((folder / "file").iterdir())
        try:
            report = self._import(public_id, path, choices, who, dry_run=dry_run)
        except UsageError:
            self._fail(public_id, "this list does not say for which digest it is: choose one")
            return
        except DigestError as error:
            self._fail(public_id, str(error).replace(str(path), path.name))
            return
        except Exception:
            if threading.main_thread().is_alive():
                self._fail(public_id, "it is a fault of the program; its log says more")
            raise
        write_private(folder / "report.json", json.dumps(report.facts).encode())
        ended = TransferState.CHECKED if dry_run else TransferState.FINISHED
        self._note(public_id, {"state": ended, "counts": report.counts})
        if not dry_run:
            shutil.rmtree(folder / "file", ignore_errors=True)

    def _import(
        self, public_id: str, path: Path, choices: ListChoices, who: str, *, dry_run: bool
    ) -> ImportReport:
        rows = 0

        def progress(more: int) -> None:
            nonlocal rows
            rows += more
            self._note(public_id, {"rows": rows})
            self._readers.database.give_way()

        with open_private(path.parent.parent / "lines.csv", newline="") as file:
            options = ImportOptions(
                choices.update, dry_run, ListState(choices.state) if choices.state else None,
                choices.ignored, choices.encoding or None, LineReport(file), {"desk": who},
            )  # fmt: skip
            return import_subscribers(
                self._readers, path, choices.digest or None, choices.wording or None, self._now(),
                options=options, progress=progress,
            )  # fmt: skip

    def _fail(self, public_id: str, why: str) -> None:
        self._note(public_id, {"state": TransferState.FAILED, "error": why})

    def _note(self, public_id: str, values: Mapping[str, Any]) -> None:
        with self._readers.database.write() as session:
            transfers.note(session, public_id, self._now(), values)

    @contextlib.contextmanager
    def _held(self, public_id: str) -> Any:
        """Hold the lock of a list whose folder may be gone."""
        if not (self._folder / public_id).is_dir():
            yield
            return
        with self._lock(public_id):
            yield

    def _lock(self, public_id: str) -> IO[str]:
        """Take the lock of a list; raise ListChanged where somebody works on it."""
        file = open_private(self._folder / public_id / "lock")
        try:
            with self._locking:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ListChanged("this list is being worked on: wait until that has ended") from None
        return file

    def _is_locked(self, public_id: str) -> bool:
        try:
            with self._locking, (self._folder / public_id / "lock").open("r") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False


def tidy_file_name(named: str) -> str:
    """Return a file's name without a folder and without what is no letter, digit or plain sign."""
    last = _ODD.sub("_", named.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, ending = last.rpartition(".")
    if not dot:
        stem, ending = last, ""
    return f"{stem[:60].strip() or 'list'}{dot}{ending[:10]}"


def forget_uploads(readers: Readers, now: datetime) -> int:
    """Remove the files of lists that nobody has touched for a week; return how many."""
    folder = readers.settings.path(readers.settings.web.uploads)
    if not folder.is_dir():
        return 0
    gone = 0
    for one in folder.iterdir():
        with readers.database.read() as session:
            transfer = transfers.find_transfer(session, one.name)
        touched = transfer.changed_at.timestamp() if transfer else one.stat().st_mtime
        if not one.is_dir() or now.timestamp() - touched < KEEP.total_seconds():
            continue
        if transfer is not None and transfer.state not in (TransferState.FINISHED, TransferState.FAILED):
            with readers.database.write() as session:
                transfers.note(session, one.name, now, {"state": TransferState.REMOVED})
        shutil.rmtree(one, ignore_errors=True)
        gone += 1
    return gone


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _is_filled(folder: Path) -> bool:
    """Return whether the file of lines has one besides its head."""
    try:
        with (folder / "lines.csv").open("rb") as file:
            return len(file.readlines(2_000)) > 1
    except FileNotFoundError:
        return False
