"""The command line: `digest COMMAND`."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from digest import __version__
from digest.cli import articles, reporting, sending, serving, setting_up, subscribers
from digest.cli.output import warn
from digest.errors import DigestError

_USAGE = 2


def build() -> App:
    """Build the tree of commands."""
    app = App(
        name="digest",
        help="Articles go in, each reader's own digest comes out by e-mail, on time, once, and proven.",
        version=__version__,
        version_flags=["--version"],
    )
    for name, command in (
        ("demo", setting_up.demo),
        ("init", setting_up.init),
        ("fetch", sending.fetch),
        ("preview", sending.preview),
        ("send", sending.send),
        ("run", serving.run),
        ("web", serving.web),
        ("status", reporting.status),
        ("audit", reporting.audit),
        ("why", reporting.why),
        ("schedule", reporting.schedule),
        ("sources", articles.sources),
        ("catch", setting_up.catch),
    ):
        app.command(command, name=name)
    app.command(_articles())
    app.command(_subscribers())
    return app


def _articles() -> App:
    group = App(name="articles", help="The article store: add, list, show, hide, pin.")
    group.command(articles.add, name="add")
    group.command(articles.list_, name="list")
    group.command(articles.show, name="show")
    group.command(articles.hide, name="hide")
    group.command(articles.pin, name="pin")
    return group


def _subscribers() -> App:
    group = App(name="subscribers", help="The readers: import, add, show, erase, list, export.")
    group.command(subscribers.import_, name="import")
    group.command(subscribers.add, name="add")
    group.command(subscribers.show, name="show")
    group.command(subscribers.erase, name="erase")
    group.command(subscribers.list_, name="list")
    group.command(subscribers.export, name="export")
    return group


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command: exit 0 done or nothing to do, 1 failed, 2 bad usage or settings."""
    try:
        build()(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        warn(f"{' '.join(str(error).split())}; see `digest --help`")
        sys.exit(_USAGE)
    except DigestError as error:
        warn(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
