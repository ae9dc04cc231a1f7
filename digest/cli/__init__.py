"""The command line: `digest COMMAND`."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from digest import __version__
from digest.cli.output import warn
from digest.errors import DigestError

_USAGE = 2


def build() -> App:
    """Build the tree of commands; each is imported only when it is called, so that a command starts fast."""
    app = App(
        name="digest",
        help="Articles go in, each reader's own digest comes out by e-mail, on time, once, and proven.",
        version=__version__,
        version_flags=["--version"],
    )
    for name, command in (
        ("demo", "digest.cli.setting_up:demo"),
        ("init", "digest.cli.setting_up:init"),
        ("fetch", "digest.cli.sending:fetch"),
        ("preview", "digest.cli.sending:preview"),
        ("send", "digest.cli.sending:send"),
        ("run", "digest.cli.serving:run"),
        ("web", "digest.cli.serving:web"),
        ("status", "digest.cli.reporting:status"),
        ("audit", "digest.cli.reporting:audit"),
        ("why", "digest.cli.reporting:why"),
        ("resume", "digest.cli.resuming:resume"),
        ("schedule", "digest.cli.reporting:schedule"),
        ("sources", "digest.cli.articles:sources"),
        ("catch", "digest.cli.setting_up:catch"),
    ):
        app.command(command, name=name)
    app.command(_articles())
    app.command(_subscribers())
    return app


def _articles() -> App:
    group = App(name="articles", help="The article store: add, list, show, hide, pin.")
    group.command("digest.cli.articles:add", name="add")
    group.command("digest.cli.articles:list_", name="list")
    group.command("digest.cli.articles:show", name="show")
    group.command("digest.cli.articles:hide", name="hide")
    group.command("digest.cli.articles:pin", name="pin")
    return group


def _subscribers() -> App:
    group = App(name="subscribers", help="The readers: import, add, show, erase, list, export.")
    group.command("digest.cli.subscribers:import_", name="import")
    group.command("digest.cli.subscribers:add", name="add")
    group.command("digest.cli.subscribers:show", name="show")
    group.command("digest.cli.subscribers:erase", name="erase")
    group.command("digest.cli.subscribers:list_", name="list")
    group.command("digest.cli.subscribers:export", name="export")
    return group


def _load(app: App) -> None:
    """Import every command, for a help page that says what each does."""
    for name in app:
        if not name.startswith("-"):
            assert app[name] is not None  # noqa: S101 - looking it up is what imports it


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command: exit 0 done or nothing to do, 1 failed, 2 bad usage or settings."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app = build()
        if not given or given[0] in ("--help", "-h"):
            _load(app)
        app(given, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        warn(f"{' '.join(str(error).split())}; see `digest --help`")
        sys.exit(_USAGE)
    except DigestError as error:
        warn(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
