"""The program's log: to standard error, or to a file that rotating programs may move; as text or as JSON."""

import json
import logging
import logging.handlers
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from digest.errors import SettingsError
from digest.private_files import MODE
from digest.settings.site import LogSettings

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_BRIEF = "%(levelname)s %(name)s: %(message)s"


class LogFile(logging.handlers.WatchedFileHandler):
    """The file of `[log]`; one that was moved away is opened anew, as logrotate expects."""


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
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging(settings: LogSettings, folder: Path) -> None:
    """Send every record where `[log]` says, and no longer where an earlier call sent it.

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
        formatter = logging.Formatter(_TEXT if settings.file else _BRIEF)
        formatter.converter = time.gmtime
        formatter.default_msec_format = "%s.%03dZ"
        handler.setFormatter(formatter)
    root.setLevel(settings.level.upper())
    root.addHandler(handler)


def _open(path: Path) -> LogFile:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, MODE))
        return LogFile(path, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise SettingsError(
            f'[log] file = "{path}" cannot be written: {reason}; name a file in a folder that exists'
        ) from None
