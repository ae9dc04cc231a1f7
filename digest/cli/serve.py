"""Commands that stay: run and web."""

from digest.bootstrap import Application
from digest.cli.setup import wait_for_end
from digest.cli.terminal.common import DEFAULT, Common, application
from digest.cli.terminal.output import say
from digest.scheduler import Ticker
from digest.web.app import create_app
from digest.web.server import Server, limits_of


def run(*, common: Common = DEFAULT) -> None:
    """Run the daemon: scheduler, web pages and delivery in one process."""
    with application(common) as app:
        web = _server(app)
        ticker = Ticker(app)
        web.start()
        ticker.start()
        say(f"pages at http://{app.settings.web.host}:{web.port}/; Ctrl-C ends it", quiet=common.quiet)
        try:
            wait_for_end()
        finally:
            ticker.stop()
            web.stop()


def web(*, common: Common = DEFAULT) -> None:
    """Serve the web pages only."""
    with application(common) as app:
        server = _server(app)
        server.start()
        say(f"pages at http://{app.settings.web.host}:{server.port}/; Ctrl-C ends it", quiet=common.quiet)
        try:
            wait_for_end()
        finally:
            server.stop()


def _server(app: Application) -> Server:
    pages = create_app(app.readers, app.settings, desk=app.desk)
    return Server(pages, app.settings.web.host, app.settings.web.port, limits_of(app.settings.web))
