"""What a command prints: facts on standard output (none with --quiet), problems on standard error."""

import json
import sys

from digest.safe_text import printable


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 warning`, `2 warnings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say(text: str = "", *, quiet: bool = False) -> None:
    """Print one line of facts."""
    if not quiet:
        sys.stdout.write(printable(text) + "\n")
        sys.stdout.flush()


def warn(text: str) -> None:
    """Print a problem on standard error, even with --quiet: cron mails it."""
    for line in text.splitlines():
        sys.stderr.write(printable(line) + "\n")


def show_json(facts: object) -> None:
    """Print facts as JSON."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2, default=str) + "\n")
