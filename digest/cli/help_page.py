"""What `digest --help` prints: the commands by purpose.

It imports no library, so it starts at once.
"""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from digest.cli.command_table import COMMANDS, GROUPS

_ABOUT = "Articles go in; each reader's own digest comes out by e-mail: on time, once, and proven."
_HEADINGS = (
    ("Set up", ("demo", "init", "doctor", "dkim", "editors", "catch", "move")),
    ("Articles", ("fetch", "articles", "sources")),
    ("Editions", ("schedule", "preview", "preflight", "hold", "release", "send", "pause", "resume")),
    ("Processes", ("run", "worker", "web")),
    ("Readers and their mail", ("subscribers", "embed", "letters", "bounces", "receive")),
    ("What happened", ("status", "audit", "why")),
)
_MORE = "More"
_LONGEST_LINE = 100
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def is_asked_for(given: Sequence[str]) -> bool:
    """Return whether the arguments ask for the overview: none at all, or `--help` alone."""
    return list(given) in ([], ["--help"], ["-h"], ["help"])


def print_overview() -> None:
    """Print the overview as wide as the terminal, with bold headings on one."""
    width = min(shutil.get_terminal_size().columns, _LONGEST_LINE)
    is_terminal = sys.stdout.isatty()
    sys.stdout.write("\n".join(lines(width, bold=is_terminal)) + "\n")


def lines(width: int, *, bold: bool = False) -> Iterator[str]:
    """Yield the lines of the overview, wrapped at `width` between words."""
    summaries = {command.name: command.summary for command in COMMANDS}
    summaries |= {name: summary for name, summary, _ in GROUPS}
    column = max(map(len, summaries)) + 4
    yield "Usage: digest COMMAND [OPTIONS]"
    yield ""
    yield from textwrap.wrap(_ABOUT, width)
    for heading, names in _parts(summaries):
        yield ""
        yield f"{_BOLD}{heading}{_PLAIN}" if bold else heading
        for name in names:
            first = f"  {name}".ljust(column)
            yield from textwrap.wrap(
                summaries[name], max(width, column + 20), initial_indent=first, subsequent_indent=" " * column
            )
    yield ""
    yield from textwrap.wrap(
        "digest COMMAND --help explains one. All take --config PATH (else $DIGEST_CONFIG, else ./config.toml)"
        " and --quiet; those that print facts take --json. digest --version prints the version.",
        width,
    )


def _parts(summaries: dict[str, str]) -> list[tuple[str, Sequence[str]]]:
    """Return the headings with the existing commands; those without a heading come under the last."""
    known = {name for _, names in _HEADINGS for name in names}
    parts: list[tuple[str, Sequence[str]]] = [
        (heading, [name for name in names if name in summaries]) for heading, names in _HEADINGS
    ]
    others = sorted(summaries.keys() - known)
    return [*parts, (_MORE, others)] if others else parts
