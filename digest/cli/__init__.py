"""The command line: `digest COMMAND`.

Open command_table.py first.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from digest import __version__
from digest.cli.command_table import COMMANDS, GROUPS, Command
from digest.cli.overview import is_asked_for, print_overview
from digest.errors import DigestError

if TYPE_CHECKING:
    from cyclopts import App

_USAGE = 2
_INTERRUPTED = 130  # the exit status of shells for SIGINT


def build() -> "App":
    """Build the tree of commands from the command table."""
    from cyclopts import App

    app = App(
        name="digest",
        help="Articles go in, each reader's own digest comes out by e-mail, on time, once, and proven.",
        version=__version__,
        version_flags=["--version"],
    )
    _add(app, COMMANDS)
    for name, help_, commands in GROUPS:
        app.command(_add(App(name=name, help=help_), commands))
    return app


def _add(app: "App", commands: Sequence[Command]) -> "App":
    for command in commands:
        app.command(f"digest.cli.{command.place}", name=command.name, help=command.summary)
    return app


def _with_list(given: list[str]) -> list[str]:
    """Let `digest sources` alone, or with options only, list them."""
    rest = given[1:2]
    alone = not rest or (rest[0].startswith("-") and rest[0] not in ("--help", "-h", "--version"))
    return ["sources", "list", *given[1:]] if given[:1] == ["sources"] and alone else given


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command: exit 0 done or nothing to do, 1 failed, 2 bad usage or settings."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["receive"]:  # one process for each message: nothing else is imported
        from digest.cli.inbound.pipe import receive_quickly

        code = receive_quickly(given[1:])
        if code is not None:
            sys.exit(code)
    if given[:1] == ["send"]:  # from cron each minute, and mostly for nothing
        from digest.cli.editions.idle import end_if_idle

        if end_if_idle(given):
            return
    if is_asked_for(given):
        print_overview()
        return
    from cyclopts import CycloptsError

    from digest.cli.terminal.output import warn

    try:
        app = build()
        app(_with_list(given), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        warn(f"{' '.join(str(error).split())}; see `digest --help`")
        sys.exit(_USAGE)
    except DigestError as error:
        warn(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        warn(f"{place}{(error.strerror or str(error)).lower()}; check the path, its mode and the free space")
        sys.exit(1)
