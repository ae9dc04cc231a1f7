"""Commands of the demo: demo, catch."""

import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from starlette.staticfiles import StaticFiles

from digest.bootstrap import Application
from digest.cli.terminal.common import DEFAULT, Common
from digest.cli.terminal.output import say, warn
from digest.clock import utc_now
from digest.demo.catcher import Catcher, create_pages
from digest.demo.loader import Loaded, free_port, load, prepare, start_catcher
from digest.errors import UsageError
from digest.settings import load_settings
from digest.web.app import create_app
from digest.web.server import Server


def demo(
    *,
    dir_: Annotated[Path, Parameter(name="--dir")] = Path("digest-demo"),
    serve: Annotated[bool, Parameter(negative="--no-serve")] = True,
    common: Common = DEFAULT,
) -> None:
    """Run everything on sample data: a newsroom, its readers, a first edition.

    Parameters
    ----------
    dir_:
        The folder for all files; a demo that is there already is continued.
    serve:
        Serve the pages and the caught mail until Ctrl-C; off if standard output is not a terminal.
    """
    settings = prepare(dir_, secrets.token_urlsafe(32), utc_now())
    catcher, settings = start_catcher(settings, dir_)
    app = Application(settings)
    try:
        loaded = load(app, dir_)
        for line in _summary(loaded, dir_):
            say(line, quiet=common.quiet)
        for line in loaded.sent.trouble:
            warn(line)
        if serve and sys.stdout.isatty():
            _serve(app, dir_, common)
        if loaded.sent.trouble:
            sys.exit(1)
    finally:
        catcher.stop()
        app.close()


def catch(
    *, dir_: Annotated[Path, Parameter(name="--dir")], port: int | None = None, common: Common = DEFAULT
) -> None:
    """Run the mail catcher: SMTP in, pages out, messages as files.

    Parameters
    ----------
    dir_:
        Where to store the messages.
    port:
        The SMTP port; else the one of DIR/config.toml, else 2525.
    """
    config = dir_ / "config.toml"
    wanted = port or (load_settings(config).smtp.port if config.exists() else 2525)
    if free_port(wanted) != wanted:
        raise UsageError(f"port {wanted} is taken; name another with --port")
    catcher = Catcher(dir_ / "outbox", port=wanted)
    catcher.start()
    pages = Server(create_pages(dir_ / "outbox"), "127.0.0.1", free_port(8025))
    pages.start()
    say(f"catching at 127.0.0.1:{catcher.port}; mail: http://localhost:{pages.port}/", quiet=common.quiet)
    try:
        listen_for_end().wait()
    finally:
        pages.stop()
        catcher.stop()


def listen_for_end() -> threading.Event:
    """Return what SIGINT and SIGTERM set from now on, in place of ending the process."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _serve(app: Application, folder: Path, common: Common) -> None:
    pages = create_app(app.readers, app.settings, desk=app.desk)
    pages.mount("/pictures", StaticFiles(directory=folder / "newsroom" / "pictures", check_dir=False))
    web = Server(pages, "127.0.0.1", free_port(app.settings.web.port))
    mail = Server(create_pages(folder / "outbox"), "127.0.0.1", free_port(8025))
    web.start()
    mail.start()
    say(f"caught mail:   http://localhost:{mail.port}/", quiet=common.quiet)
    say(f"sign-up page:  http://localhost:{web.port}/", quiet=common.quiet)
    say(f"editors' desk: http://localhost:{web.port}/desk, once somebody may open it:", quiet=common.quiet)
    say(
        f"  digest editors add you@example.org --role operator --config {folder / 'config.toml'}",
        quiet=common.quiet,
    )
    say("Ctrl-C ends it", quiet=common.quiet)
    try:
        listen_for_end().wait()
    finally:
        web.stop()
        mail.stop()


def _summary(loaded: Loaded, folder: Path) -> list[str]:
    tally, held = loaded.sent.tally, loaded.contents
    return [
        f"{held.articles} articles from 2 sources, {held.readers} readers",
        f"{tally.accepted} messages accepted, {tally.failed} failed; {held.variants} variants",
        f"each message is a file: {folder / 'outbox'} ({loaded.messages} in all)",
        f"go on with: digest audit --config {folder / 'config.toml'}",
    ]
