"""`digest subscribers import`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from digest.cli.readers.choices import private_csv
from digest.cli.terminal.common import DEFAULT, AsJson, Common, application
from digest.cli.terminal.output import say, show_json, warn
from digest.cli.terminal.progress import counted
from digest.errors import UsageError
from digest.rules.readers.row_states import ListState
from digest.tasks.readers.lists.csv_import import ImportOptions, import_subscribers
from digest.tasks.readers.lists.import_report import ImportReport, LineReport

_SAID = {
    "added": "{n:,} added",
    "asked": "{n:,} to be asked",
    "changed": "{n:,} changed",
    "unchanged": "{n:,} unchanged",
    "kept": "{n:,} known with other choices, which are kept (--update replaces them by the list's)",
    "limited": "{n:,} asked too recently to be asked again: import again in a day",
    "left": "{n:,} unsubscribed here before: not imported",
    "suppressed": "{n:,} suppressed already: not imported",
    "departed": "{n:,} left, bounced or complained there: suppressed, no mail goes to them",
    "merged": "{n:,} lines about a person of an earlier line: merged",
    "banned": "{n:,} suppressions without an address, restored",
    "others": "{n:,} rows about other digests: not imported",
    "rejected": "{n:,} refused",
}
_MOST_WARNINGS = 20

Flag = Annotated[bool, Parameter(negative="")]


def import_(
    file: Path,
    *,
    digest: str | None = None,
    confirmed: str | None = None,
    dry_run: Flag = False,
    update: Flag = False,
    report: Path | None = None,
    state: ListState | None = None,
    ignore: list[str] | None = None,
    encoding: str | None = None,
    json: AsJson = False,
    common: Common = DEFAULT,
) -> None:
    """Import readers from a CSV file.

    Parameters
    ----------
    file:
        The export of another tool, a list of addresses, or a file with the columns
        email,name,language,timezone,cadence,topics; email alone is enough. What
        `digest subscribers export` wrote is restored whole, with states, consent and suppressions.
    digest:
        The digest to subscribe them to; of a backup only that one.
    confirmed:
        The wording that they agreed to; without it each address is asked first.
    dry_run:
        Change nothing; say what would happen, with examples.
    update:
        Take over name, language, zone, cadence and topics for readers who are known already.
    report:
        Write every line that is not taken, with its number and the reason, to this CSV file.
    state:
        The state of every reader of a list that states none.
    ignore:
        A column that looks like a subscription's state and is about something else; may be repeated.
    encoding:
        The file's encoding, such as cp1252 or mac_roman, where the guess is wrong.
    """
    if state == ListState.UNKNOWN:
        raise UsageError("--state unknown says nothing: write active, pending, left, bounced or complained")
    with application(common) as app, _report_lines(report) as lines:
        options = ImportOptions(update, dry_run, state, tuple(ignore or ()), encoding, lines)
        alone = app.settings.digests[0].name if len(app.settings.digests) == 1 else None
        name = app.settings.digest(digest).name if digest else alone
        with counted("rows", quiet=common.quiet) as bar:
            done = import_subscribers(
                app.readers, file, name, confirmed, app.clock(), options=options, progress=_add_up(bar)
            )
    if json:
        show_json(done.facts | {"dry_run": dry_run})
    else:
        _describe(file, done, dry_run=dry_run, quiet=common.quiet)
    _warn(file, done, report)
    if done.rejected_count:
        sys.exit(1)


@contextmanager
def _report_lines(path: Path | None) -> Iterator[LineReport | None]:
    if path is None:
        yield None
        return
    with private_csv(path) as file:
        yield LineReport(file)


def _add_up(bar: Callable[[int, int], None] | None) -> Callable[[int], None]:
    rows = 0

    def progress(more: int) -> None:
        nonlocal rows
        rows += more
        if bar is not None:
            bar(rows, rows)

    return progress


def _describe(file: Path, done: ImportReport, *, dry_run: bool, quiet: bool) -> None:
    guessed = "" if done.encoding.startswith("utf") else " (a guess; --encoding names another)"
    tool = f"an export of {done.tool}" if done.tool else "a list of readers"
    if done.tool == "digest":
        tool = "a backup by `digest subscribers export`"
    say(f"{file}: {tool}, read as {done.encoding}{guessed}", quiet=quiet)
    if dry_run:
        columns = ", ".join(f'"{name}" is the {role}' for name, role in done.columns.items())
        say(f"columns: {columns}", quiet=quiet)
        states = ", ".join(f'"{name}"' for name in done.states) or "none"
        say(f"columns that say who wants mail: {states}", quiet=quiet)
    if done.unread:
        unread = ", ".join(f'"{name}"' for name in done.unread)
        say(f"columns that are not imported: {unread}", quiet=quiet)
    counts = done.counts
    for key, text in _SAID.items():
        if counts[key] or key == "added":
            say(text.format(n=counts[key]), quiet=quiet)
            for example in done.examples.get(key, ()) if dry_run else ():
                say(f"    {example}", quiet=quiet)
    if dry_run:
        say("nothing was changed (--dry-run)", quiet=quiet)
    elif done.asked:
        say("`digest send` or `digest run` mails the confirmations", quiet=quiet)


def _warn(file: Path, done: ImportReport, report: Path | None) -> None:
    for line, why in done.rejected[:_MOST_WARNINGS]:
        warn(f"{file}, line {line}: {why}")
    more = done.rejected_count - _MOST_WARNINGS
    if more > 0:
        where = f"{report} names them" if report else "--report FILE names them"
        warn(f"{file}: {more:,} more lines are refused; {where}")
