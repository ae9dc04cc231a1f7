"""Commands of the demo: demo, catch."""

import secrets
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, Common, Port
from digest.cli.terminal.logs import set_up_logging
from digest.cli.terminal.output import say, warn
from digest.clock import utc_now
from digest.config_path import find_config
from digest.demo.catcher import Catcher, create_pages
from digest.demo.loader import EDITOR, Loaded, free_port, load, password_of, prepare, start_catcher
from digest.demo.stories import add_stories
from digest.errors import UsageError
from digest.scheduler import Ticker
from digest.settings import Settings, load_settings
from digest.tasks.doctor.scope import is_loopback
from digest.web.app import create_app
from digest.web.server import Server

_TICK = timedelta(seconds=2)


def demo(
    *,
    dir_: Annotated[Path, Parameter(name="--dir")] = Path("digest-demo"),
    serve: Annotated[bool, Parameter(negative="--no-serve")] = True,
    port: Port | None = None,
    common: Common = DEFAULT,
) -> None:
    """Run everything on sample data: a newsroom, readers, an edition to read and one to shape.

    While it serves, it does what is due every two seconds: who signs up gets their mail at once.

    Parameters
    ----------
    dir_:
        The folder for all files; a demo that is there already is continued.
    serve:
        Serve the pages and the caught mail until Ctrl-C; off if standard output is not a terminal.
    port:
        The port of the pages, and the next one of the caught mail; else that of DIR/config.toml, else 8000.
        Naming it serves also where standard output is no terminal.
    """
    settings = prepare(dir_, secrets.token_urlsafe(32), utc_now(), port)
    set_up_logging(settings.log, settings.folder)
    catcher, settings = start_catcher(settings, dir_)
    app = Application(settings)
    try:
        loaded = load(app, dir_)
        for line in _summary(loaded, dir_):
            say(line, quiet=common.quiet)
        for line in loaded.sent.trouble:
            warn(line)
        if serve and (sys.stdout.isatty() or port is not None):
            _serve(app, dir_, common)
        if loaded.sent.trouble:
            sys.exit(1)
    finally:
        catcher.stop()
        app.close()


def catch(
    *,
    dir_: Annotated[Path, Parameter(name="--dir")],
    port: Port | None = None,
    web_port: Port | None = None,
    common: Common = DEFAULT,
) -> None:
    """Run the mail catcher: SMTP in, pages out, messages as files.

    Parameters
    ----------
    dir_:
        Where to store the messages.
    port:
        The SMTP port; else [smtp] port of DIR/config.toml or of the settings file, else 2525.
    web_port:
        The port of the pages that show the mail; else the one after [web] port there, else 8025.
    """
    settings = _find_settings(dir_, common)
    wanted = _require_free(port or (settings.smtp.port if settings else 2525), "--port")
    shown_at = _require_free(web_port or (settings.web.port + 1 if settings else 8025), "--web-port")
    catcher = Catcher(dir_ / "outbox", port=wanted)
    catcher.start()
    pages = Server(create_pages(dir_ / "outbox"), "127.0.0.1", shown_at)
    pages.start()
    say(f"catching at 127.0.0.1:{catcher.port}; mail: http://localhost:{pages.port}/", quiet=common.quiet)
    try:
        listen_for_end().wait()
    finally:
        pages.stop()
        catcher.stop()


def _find_settings(folder: Path, common: Common) -> Settings | None:
    """Return the settings that send mail here: the folder's own, as the demo's, else the publication's.

    Those of a relay elsewhere say nothing about ports of this machine.
    """
    for config in (folder / "config.toml", find_config(common.config)):
        if config.exists():
            settings = load_settings(config)
            return settings if is_loopback(settings.smtp.host) else None
    return None


def listen_for_end() -> threading.Event:
    """Return what SIGINT and SIGTERM set from now on, in place of ending the process."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _require_free(port: int, option: str) -> int:
    if free_port(port) != port:
        raise UsageError(f"port {port} is taken; name another with {option}")
    return port


def _serve(app: Application, folder: Path, common: Common) -> None:
    pages = create_app(app.readers, app.settings, desk=app.desk)
    add_stories(pages, app, folder)
    web = Server(pages, "127.0.0.1", app.settings.web.port)
    mail = Server(create_pages(folder / "outbox"), "127.0.0.1", free_port(app.settings.web.port + 1))
    ended = listen_for_end()
    ticker = Ticker(app, _TICK)
    web.start()
    mail.start()
    ticker.start()
    for line in _where(app, web.port, mail.port):
        say(line, quiet=common.quiet)
    try:
        ended.wait()
    finally:
        ticker.stop()
        web.stop()
        mail.stop()


def _where(app: Application, web: int, mail: int) -> list[str]:
    return [
        f"caught mail:   http://localhost:{mail}/",
        f"sign-up page:  http://localhost:{web}/",
        f"editors' desk: http://localhost:{web}/desk",
        f"  sign in as {EDITOR} with {password_of(app.settings)}",
        "  a second edition waits: shape it, and press Publish now",
        "Ctrl-C ends it",
    ]


def _summary(loaded: Loaded, folder: Path) -> list[str]:
    tally, held = loaded.sent.tally, loaded.contents
    return [
        f"{held.articles} articles from 2 sources, {held.readers} readers",
        f"{tally.accepted} messages accepted, {tally.failed} failed; {held.variants} variants",
        f"each message is a file: {folder / 'outbox'} ({loaded.messages} in all)",
        f"next: digest audit --config {folder / 'config.toml'}",
    ]
