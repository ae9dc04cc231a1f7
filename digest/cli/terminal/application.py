"""The application, opened by its settings for one command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.bootstrap import Application
from digest.cli.terminal.logs import set_up_logging
from digest.config_path import find_config
from digest.settings import load_settings


@contextmanager
def open_application(config: Path | None) -> Iterator[Application]:
    """Open the application by its settings, and close it afterwards; None looks for the file as usual."""
    settings = load_settings(find_config(config))
    set_up_logging(settings.log, settings.folder)
    app = Application(settings)
    try:
        yield app
    finally:
        app.close()
