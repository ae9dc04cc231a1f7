"""The program's log: to standard error, or to a file that rotating programs may move; as text or as JSON."""

import contextlib
import json
import logging
import logging.handlers
import os
import re
import sys
import time
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from digest.errors import SettingsError
from digest.private_files import MODE
from digest.safe_text import one_line
from digest.settings.site import LogSettings

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_BRIEF = "%(levelname)s %(name)s: %(message)s"
_OURS = "digest"
_NOT_PLAIN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What ends a line for some readers or is no text, and JSON would leave as it is."""


class LogFile(logging.handlers.WatchedFileHandler):
    """The file of `[log]`; one that was moved away is opened anew, as logrotate expects.

    A file that cannot be written any more, because the disk is full or its folder is gone, ends no run: that
    is said once on standard error.
    """

    _is_told = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, to a new file if the old one was moved away."""
        try:
            super().emit(record)
        except OSError:  # it cannot be opened anew
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once why the file cannot be written."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_told and sys.stderr:
            self._is_told = True
            reason = (error.strerror or "unknown").lower()
            sys.stderr.write(f"the log {self.baseFilename} cannot be written: {reason}; its lines are lost\n")

    def close(self) -> None:
        """Close the file; lines that found no room are lost, as was said."""
        with contextlib.suppress(OSError):
            super().close()

    def _open(self) -> TextIOWrapper:
        """Open the file; one that is made anew is its owner's alone, too."""
        number = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, MODE)
        return TextIOWrapper(os.fdopen(number, "ab"), encoding="utf-8", errors="backslashreplace")


class TextFormatter(logging.Formatter):
    """Formats a record as one line, whatever is quoted in it, and a traceback below."""

    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line: what it quotes forges no other line and draws on no terminal."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Return a traceback, each of its lines printable."""
        return "\n".join(map(one_line, super().formatException(ei).split("\n")))


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON.

    `{"at": "2026-11-23T06:00:31.402Z", "level": "info", "logger": "digest.sending", "message": "..."}`; the
    record of a run also has "run", its counts.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if run := getattr(record, "run", None):
            line["run"] = run
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False, default=str)
        return _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def set_up_logging(settings: LogSettings, folder: Path) -> None:
    """Send every record where `[log]` says, and no longer where an earlier call sent it.

    The level is that of this program's records; of libraries, warnings and errors are recorded.

    A program that calls us and has handlers of its own keeps them: then nothing is added for standard error.
    The file is its owner's alone, since it may name what sources and servers said. Raise SettingsError where
    it cannot be opened.
    """
    root = logging.getLogger()
    for known in [one for one in root.handlers if isinstance(one, LogFile)]:
        root.removeHandler(known)
        known.close()
    if not settings.file and root.handlers:
        return
    handler: logging.Handler = _open(folder / settings.file) if settings.file else logging.StreamHandler()
    if settings.format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        formatter = TextFormatter(_TEXT if settings.file else _BRIEF)
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    logging.getLogger(_OURS).setLevel(settings.level.upper())
    # Libraries log whole addresses with the tokens in them, and headers, at their lower levels.
    root.setLevel("ERROR" if settings.level == "error" else "WARNING")
    root.addHandler(handler)


def _open(path: Path) -> LogFile:
    try:
        return LogFile(path)
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise SettingsError(
            f'[log] file = "{path}" cannot be written: {reason}; name a file in a folder that exists'
        ) from None
