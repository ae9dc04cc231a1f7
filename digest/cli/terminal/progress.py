"""Progress of a run: a bar on a terminal, a line a minute elsewhere, nothing with --quiet.

The library for bars is imported only where one is drawn.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from digest.cli.terminal.output import say
from digest.tasks.delivery.run import Tally

_BAR_EVERY = 0.1
_LINE_EVERY = 60.0


@dataclass(slots=True)
class ProgressTicker:
    """Reports the progress of a run, no more often than every few seconds."""

    show: Callable[[int, int, str], None]
    every: float
    _began: float = 0
    _last: float = 0

    def __call__(self, tally: Tally, total: int) -> None:
        """Show a run's tally out of what was due when it began."""
        now = time.monotonic()
        self._began = self._began or now
        self._last = self._last or now
        if now - self._last >= self.every:
            self._last = now
            self.show(tally.closed, total, describe(tally, total, now - self._began))


def describe(tally: Tally, total: int, seconds: float) -> str:
    """Describe in one line what was sent, at what rate, and the time remaining."""
    rate = tally.closed / seconds if seconds > 0 else 0
    left = max(total - tally.closed, 0)
    text = (
        f"{tally.closed:,} of {max(total, tally.closed):,}: accepted {tally.accepted:,},"
        f" deferred {tally.deferred:,}, failed {tally.failed:,}; {rate:,.0f} a second"
    )
    return f"{text}, {_spell(left / rate)} left" if rate and left else text


def _spell(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextmanager
def pulse(*, quiet: bool) -> Iterator[ProgressTicker | None]:
    """Yield a function that shows the progress of a run, or None with --quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as shown:
            yield shown
    else:
        yield ProgressTicker(lambda _done, _total, line: say(line), _LINE_EVERY)


@contextmanager
def _bar() -> Iterator[ProgressTicker]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(), BarColumn(bar_width=24), TaskProgressColumn(),
        TextColumn("{task.description}", markup=False), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fetching and compiling", total=None)
        yield ProgressTicker(
            lambda done, total, line: bar.update(
                task, completed=done, total=max(total, done), description=line
            ),
            _BAR_EVERY,
        )


@contextmanager
def counted(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on a terminal; yield None elsewhere, or with --quiet."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
