"""The process that draws a publication's own templates: what it is asked, and its work within bounds.

`Bounds` are set anew for each request, so that no template pays for another's.
"""

import contextlib
import faulthandler
import math
import os
import pickle
import resource
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, NoReturn

from digest.errors import SettingsError
from digest.mail.rendering.drawing import TemplateDocuments
from digest.mail.rendering.placeholders import TemplateInspectsValueError
from digest.mail.rendering.sandbox import (
    MOST_MEMORY,
    MOST_SECONDS,
    TemplateTooLargeError,
    memory_exceeded,
    time_exceeded,
)
from digest.models.look import Brand

_IDLE = 60.0
_GRACE = 1
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """What drawing one document may take: bytes of memory, seconds of the processor, and seconds in all.

    The last is large: a good template must not fail because the machine is busy.
    """

    memory: int = MOST_MEMORY
    seconds: float = MOST_SECONDS
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class DrawingRequest:
    """One method of TemplateDocuments with its arguments, the folders to draw from, and the bounds.

    `template` is named in errors where no better place is known.
    """

    folder: Path
    overrides: Path
    brand: Brand
    bounds: Bounds
    template: str
    method: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class DrawingFailure:
    """Why there is no document: an error in words, or None if the template inspects a reader's value."""

    error: str | None


def serve(requests: int, report: int) -> None:
    """Answer requests on a descriptor until its other end closes, or none has come for a minute.

    Where the process is in a template when it is ended is written to `report`.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the process that asks decides when to stop
        signal.signal(ignored, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _exceed)
    with open(report, "wb", buffering=0) as told, Connection(requests) as connection:
        faulthandler.enable(told, all_threads=False)
        for number in (signal.SIGPROF, signal.SIGXCPU):
            faulthandler.register(number, told, all_threads=False, chain=True)
        with contextlib.suppress(EOFError, ConnectionError):
            while connection.poll(_IDLE):
                request = pickle.loads(connection.recv_bytes())  # noqa: S301 - written by ourselves
                connection.send_bytes(_answer(request, told))


def _answer(request: DrawingRequest, report: IO[bytes]) -> bytes:
    """Draw, and return the document or the failure as bytes."""
    report.truncate(0)
    documents = _documents(request.folder, request.overrides, request.brand)
    try:
        with _bounded(request.bounds):
            return _packed(_draw(documents, request))
    except (MemoryError, TemplateTooLargeError) as error:
        # Outside of any template: while styles are inlined, or the document is encoded.
        said = error if isinstance(error, TemplateTooLargeError) else memory_exceeded()
        return _packed(DrawingFailure(f"template {request.template}: {said}"))


def _draw(documents: TemplateDocuments, request: DrawingRequest) -> object:
    if request.method == "line_of":
        return documents.templates.line_of(*request.values)  # type: ignore[arg-type]
    try:
        return getattr(documents, request.method)(*request.values)
    except TemplateInspectsValueError:
        return DrawingFailure(None)
    except SettingsError as error:
        return DrawingFailure(str(error))


def _packed(answer: object) -> bytes:
    return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)


@lru_cache(maxsize=_KEPT)
def _documents(folder: Path, overrides: Path, brand: Brand) -> TemplateDocuments:
    return TemplateDocuments(folder, overrides, brand)


@contextlib.contextmanager
def _bounded(bounds: Bounds) -> Iterator[None]:
    """Limit memory and the processor's time inside the block, beside what the process has used before.

    A timer interrupts what runs in Python, where the template's line is known. The system ends what does not
    return from a call within a second more.
    """
    used = time.process_time()
    _limit(resource.RLIMIT_CPU, math.ceil(used + bounds.seconds) + _GRACE)
    size = _size()
    if size:
        _limit(resource.RLIMIT_AS, size + bounds.memory)
    signal.setitimer(signal.ITIMER_PROF, bounds.seconds, _GRACE / 4)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS):
            _limit(kind, resource.RLIM_INFINITY)


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY and (most == resource.RLIM_INFINITY or most > hard):
        most = hard
    resource.setrlimit(kind, (most, hard))


def _size() -> int:
    """Return this process's address space in bytes; 0 where the system does not say, as on macOS."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _exceed(*_: Any) -> NoReturn:
    raise time_exceeded()
