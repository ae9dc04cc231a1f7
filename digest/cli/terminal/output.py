"""What a command prints: facts on standard output, trouble on standard error, nothing with --quiet."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from digest.safe_text import printable


def say(text: str = "", *, quiet: bool = False) -> None:
    """Print one line of facts."""
    if not quiet:
        sys.stdout.write(printable(text) + "\n")
        sys.stdout.flush()


def warn(text: str) -> None:
    """Print trouble on standard error, also with --quiet: cron mails it."""
    for line in text.splitlines():
        sys.stderr.write(printable(line) + "\n")


def show_json(facts: object) -> None:
    """Print facts as JSON."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2, default=str) + "\n")


def show_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a table on a terminal, as tab-separated lines otherwise."""
    cells = [[printable(_cell(row.get(column))) for column in columns] for row in rows]
    if not sys.stdout.isatty():
        for line in (list(columns), *cells):
            sys.stdout.write("\t".join(line) + "\n")
        return
    # Most commands print no table, and are smaller and faster to begin without it.
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, header_style="bold")
    for line in cells:
        table.add_row(*line)
    Console(highlight=False, markup=False).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(str(key) for key in value)
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
