"""Draw a publication's own templates in a process whose memory and time are bounded.

A sandbox cannot bound what an expression takes: any filter or method may turn a little into much. The
operating system can. One process draws for all threads of this one; it is started when it is needed,
and ends after a minute without a request, or with this process.
"""

import atexit
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

import digest
from digest.errors import SettingsError
from digest.mail.rendering.content import Content
from digest.mail.rendering.drawing import CutDocument, Notice, PartTemplates
from digest.mail.rendering.placeholders import TemplateInspectsValueError
from digest.mail.rendering.renderer import Renderer
from digest.mail.rendering.sandbox import memory_exceeded, time_exceeded
from digest.mail.rendering.skeleton import EncodedSegment, Frame
from digest.models.look import Brand
from digest.resources import bundled
from digest.tasks.composing.drawing_process import Bounds, DrawingFailure, DrawingRequest

_MOST_BYTES = 32_000_000
_MOST_REPORTED = 100_000
_NO_ANSWER = object()
_PROGRAM = (
    "import sys; from digest.tasks.composing.drawing_process import serve; serve(*map(int, sys.argv[1:]))"
)
_PLACE = re.compile(r'File "([^"\n]+\.(?:j2|css))", line (\d+)')
_ENDED_FROM_OUTSIDE = (0, 1, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP)
_SETTINGS = "DIGEST_"
"""Environment variables with this prefix are settings, secrets among them; templates have no use for them."""


def open_renderer(own: Path | None, brand: Brand) -> Renderer:
    """Return a renderer of the shipped templates, or one that draws with bounds where some are replaced."""
    folder = bundled("templates") / "email"
    documents = BoundedDocuments(folder, own, brand) if own is not None else None
    return Renderer(folder, own, brand, documents)


class BoundedDocuments:
    """Draws documents as `TemplateDocuments` does, in a process with bounds.

    A template that takes more raises SettingsError: `template front-page.html.j2, line 12: it takes more than
    4 seconds of the processor; check it for a loop or for a text that grows`.
    """

    def __init__(self, folder: Path, overrides: Path, brand: Brand, bounds: Bounds | None = None) -> None:
        self._folders = folder, overrides, brand
        self._bounds = bounds or Bounds()

    def draw(self, part: PartTemplates, content: Content) -> Frame:
        """Render a list with placeholders for a reader's values."""
        frame: Frame = self._ask(part.document, "draw", part, content)
        return frame

    def draw_for(self, part: PartTemplates, content: Content, reader: Mapping[str, str]) -> EncodedSegment:
        """Render a list with one reader's values."""
        whole: EncodedSegment = self._ask(part.document, "draw_for", part, content, dict(reader))
        return whole

    def cut(self, part: PartTemplates, content: Content) -> CutDocument | None:
        """Render a list and cut out its cards; return None if the document depends on more than its
        shape."""
        found: CutDocument | None = self._ask(part.document, "cut", part, content)
        return found

    def draw_notice(self, name: str, language: str, values: Mapping[str, object]) -> Notice:
        """Render a message to one person."""
        notice: Notice = self._ask(f"{name}.html.j2", "draw_notice", name, language, dict(values))
        return notice

    def check(self, name: str) -> str:
        """Return what is wrong with a template as written, or that compiling it takes too much."""
        try:
            wrong: str = self._ask(name, "check", name)
        except SettingsError as error:
            return str(error)
        return wrong

    def _ask(self, template: str, method: str, *values: object) -> Any:
        answer = _PROCESS.ask(DrawingRequest(*self._folders, self._bounds, template, method, values))
        if isinstance(answer, DrawingFailure):
            if answer.error is None:
                raise TemplateInspectsValueError
            raise SettingsError(answer.error)
        return answer


class _DrawingProcess:
    """The process that draws, for one thread at a time; it is started again where it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], Connection, IO[bytes]] | None = None

    def ask(self, request: DrawingRequest) -> Any:
        """Return the answer to a request; a failure if the process had to be ended for it."""
        with self._lock:
            for _ in range(2):
                answer = self._exchange(request)
                if answer is not _NO_ANSWER:
                    return answer
                status, told = self._end()
                if status not in _ENDED_FROM_OUTSIDE:
                    break  # it would end a second one
            return DrawingFailure(f"template {self._place(request, told)}: {_why(status, told)}")

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _exchange(self, request: DrawingRequest) -> Any:
        """Send a request and return its answer; `_NO_ANSWER` if the process has ended."""
        process, connection, _ = self._running or self._start()
        try:
            connection.send_bytes(pickle.dumps(request, pickle.HIGHEST_PROTOCOL))
            if connection.poll(request.bounds.patience):
                return pickle.loads(connection.recv_bytes(_MOST_BYTES))  # noqa: S301 - written by ourselves
        except (EOFError, ConnectionError):
            return _NO_ANSWER
        except OSError:  # longer than it may be
            process.kill()
            said = f"its document has more than {_MOST_BYTES // 1_000_000} MB"
        else:
            process.kill()
            said = f"it is not drawn within {request.bounds.patience:g} seconds"
        self._end()
        return DrawingFailure(f"template {request.template}: {said}; check it for a loop")

    def _start(self) -> tuple[subprocess.Popen[bytes], Connection, IO[bytes]]:
        ours, theirs = Pipe()
        report = tempfile.TemporaryFile()  # noqa: SIM115 - closed where the process ends
        with theirs:
            numbers = theirs.fileno(), report.fileno()
            process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-c", _PROGRAM, *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=report,
                pass_fds=numbers,
                env=_environment(),
            )
        self._running = process, ours, report
        return self._running

    def _end(self) -> tuple[int, str]:
        """Wait until the process has ended; return its status and what it reported."""
        if self._running is None:
            return 0, ""
        (process, connection, report), self._running = self._running, None
        connection.close()
        status = process.wait()
        with report:
            report.seek(0)
            return status, report.read(_MOST_REPORTED).decode("utf-8", "replace")

    def _place(self, request: DrawingRequest, told: str) -> str:
        """Return the file and line of a template in which a process was ended, as far as it is known."""
        found = _PLACE.search(told)
        if found is None:
            return request.template
        path = Path(found[1])
        asked = DrawingRequest(
            request.folder, request.overrides, request.brand, request.bounds, path.name, "line_of",
            (path, int(found[2])),
        )  # fmt: skip
        line = self._exchange(asked)
        return f"{path.name}, line {line}" if isinstance(line, int) else path.name


def _why(status: int, told: str) -> str:
    if -status in (signal.SIGXCPU, signal.SIGPROF):
        return str(time_exceeded())
    if -status in (signal.SIGABRT, signal.SIGSEGV):
        return str(memory_exceeded())
    last = told.strip().rpartition("\n")[2]
    return f"what draws it ended with status {status}{last and f' ({last})'}; try again"


def _environment() -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    package = str(Path(digest.__file__).parent.parent)
    return known | {"PYTHONPATH": os.pathsep.join(filter(None, (package, known.get("PYTHONPATH"))))}


_PROCESS = _DrawingProcess()
atexit.register(_PROCESS.close)
