"""The command line: `digest COMMAND`.

Open command_table.py first.
"""

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from digest import __version__
from digest.cli.command_table import COMMANDS, GROUPS, Command
from digest.cli.help_page import is_asked_for, print_overview
from digest.errors import DigestError

if TYPE_CHECKING:
    from cyclopts import App, CycloptsError

_USAGE = 2
_INTERRUPTED = 130  # the exit status of shells for SIGINT
_ENDED_IN_ORDER = ("run", "worker", "web", "send", "catch")


def build() -> "App":
    """Build the tree of commands from the command table."""
    from cyclopts import App, Parameter

    app = App(
        name="digest",
        default_parameter=Parameter(show_default=_shown_default),
        help="Articles go in; each reader's own digest comes out by e-mail: on time, once, and proven.",
        version=__version__,
        version_flags=["--version"],
    )
    _add(app, COMMANDS)
    for name, help_, commands in GROUPS:
        app.command(_add(App(name=name, help=help_), commands))
    return app


def _shown_default(value: object) -> str | None:
    """Return a default as help shows it; None for one that says nothing, such as that of a flag."""
    says_nothing = value is None or value is False or value in ("", ())
    return None if says_nothing else str(value)


def _add(app: "App", commands: Sequence[Command]) -> "App":
    for command in commands:
        app.command(f"digest.cli.{command.place}", name=command.name, help=command.summary)
    return app


def _with_list(given: list[str]) -> list[str]:
    """Let `digest sources` alone, or with options only, list them."""
    rest = given[1:2]
    alone = not rest or (rest[0].startswith("-") and rest[0] not in ("--help", "-h", "--version"))
    return ["sources", "list", *given[1:]] if given[:1] == ["sources"] and alone else given


def _print_status(given: Sequence[str], *, ends: bool = False) -> bool:
    """Do `digest status` without the parser of options; return False for any other arguments.

    `ends` if the process ends with the command, so that it need not look for garbage any more.
    """
    if given[:1] != ["status"]:
        return False
    flags, config, edition, rest = set(), None, None, list(given[1:])
    while rest:
        one = rest.pop(0)
        if one in ("--json", "--quiet"):
            flags.add(one)
        elif one == "--config" and rest and not rest[0].startswith("-"):
            config = Path(rest.pop(0))
        elif edition is None and not one.startswith("-"):
            edition = one
        else:
            return False
    from digest.cli.editions.status_lines import StatusOptions, print_noted

    options = StatusOptions("--json" in flags, "--quiet" in flags, config)
    if edition is None and print_noted(options):
        return True
    gc.disable()  # what imports build stays: to look for garbage takes a third of a status's time
    try:
        from digest.cli.editions.status import print_status

        print_status(edition, options)
    finally:
        if not ends:
            gc.enable()
    return True


def _run_command(given: list[str]) -> None:
    """Run the command that the arguments name; exit 2 if they are wrong."""
    from cyclopts import CycloptsError

    from digest.cli.terminal.output import warn

    try:
        build()(_with_list(given), exit_on_error=False, print_error=False)
    except CycloptsError as error:
        warn(f"{_describe_misuse(error)}; see `digest --help`")
        sys.exit(_USAGE)


def _describe_misuse(error: "CycloptsError") -> str:
    """Describe wrong arguments; the library's own words for what is left over are those of its parser."""
    from cyclopts import UnusedCliTokensError

    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f"not understood here: {' '.join(error.unused_tokens)}"
    return " ".join(str(error).split()).rstrip(".")


def _end(_number: int, _frame: FrameType | None) -> None:
    """End a process whose command has nothing under way yet; one that has handles the signal by itself."""
    sys.exit(0)


def _open_streams() -> None:
    """Let each standard stream be there, also one that was closed (`>&-`), and write any text.

    What is read by a program is UTF-8, whatever the locale; a terminal that cannot show a character shows
    its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def _is_foreign(error: UnicodeEncodeError) -> bool:
    """Return whether a text has bytes of an argument or of the input that are not UTF-8 (PEP 383)."""
    return any("\udc80" <= sign <= "\udcff" for sign in str(error.object)[error.start : error.end])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command: exit 0 done or nothing to do, 1 failed, 2 bad usage or settings."""
    if arguments is None:
        _open_streams()
        atexit.register(gc.freeze)  # to look for garbage as the process ends takes 0.2 s for what is imported
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and given[:1] and given[0] in _ENDED_IN_ORDER:
        signal.signal(signal.SIGTERM, _end)  # by default a service that is stopped as it starts would fail
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
    from digest.cli.terminal.output import warn

    try:
        if not _print_status(given, ends=arguments is None):
            _run_command(given)
    except DigestError as error:
        warn(str(error))
        sys.exit(error.exit_code)
    except UnicodeEncodeError as error:
        if not _is_foreign(error):
            raise
        warn("an argument, or what was read, is not UTF-8: set the terminal to UTF-8 and type it again")
        sys.exit(_USAGE)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        warn(f"{place}{(error.strerror or str(error)).lower()}; check the path, its mode and the free space")
        sys.exit(1)
