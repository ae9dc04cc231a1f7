"""Run a command that is killed at a step of its own, as `kill -9` would: what the steps are, and where they lie.

A step is a function that is called, or a commit; it dies before the call, within its transaction, or after
its commit. It runs in a process of its own, forked from one that has everything imported.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import configure_mappers

from digest.cli import main
from digest.models import EditionState
from tests.faults.commits import watch_commits

PRELOADED = (
    "tests.faults.dying", "digest.cli.editions.send", "digest.bootstrap", "digest.sending", "digest.store.schema",
    "digest.tasks.delivery.loop", "alembic", "psycopg", "css_inline", "babel.dates", "tests.faults.warm",
)  # fmt: skip
configure_mappers()
STEPS = {
    "freeze": "digest.store.editions.editions:set_state",
    "claim": "digest.store.delivery.claims:claim digest.store.delivery.turns:Turn.finish",
    "mark": "digest.store.delivery.claims:mark_in_flight digest.store.delivery.turns:Turn.read_marks",
    "record": "digest.store.delivery.claims:record_accepted digest.store.delivery.turns:Turn.finish",
    "finish": "digest.store.delivery.deliveries:finish_editions",
    "commit": "",
}
"""The functions of each step; PostgreSQL takes a turn of the loop whole, and has a step where it is read."""
WHENS = ("before", "within", "after")


@dataclass(frozen=True)
class Death:
    """At which step a process dies, when exactly, and at which of its occurrences."""

    step: str
    when: str
    number: int = 1


def run(arguments: Sequence[str], output: str, environment: dict[str, str], death: Death | None) -> None:
    """Run one command, what it prints going to a file, and die where it is to."""
    os.environ.update(environment)
    with open(output, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if death is not None:
        arm(death)
    main(arguments)
    sys.exit(0)


def arm(death: Death) -> None:
    """Lay the trap."""
    counted = _Counted(death)
    if death.step == "commit":
        early = death.when == "before"

        def before() -> None:
            counted.reach()
            counted.die_if(early)

        watch_commits(before, lambda: counted.die_if(not early))
        return
    for step in STEPS[death.step].split():
        module, name = step.split(":")
        owner: Any = importlib.import_module(module)
        *within, name = name.split(".")
        for one in within:
            owner = getattr(owner, one)
        _wrap(owner, name, counted, _CONCERNS.get((name, death.step), lambda _arguments: True))
    if death.when == "after":
        watch_commits(after=lambda: counted.die_if(True))


class _Counted:
    def __init__(self, death: Death) -> None:
        self.death = death
        self.left = death.number
        self.is_reached = False

    def reach(self) -> None:
        self.left -= 1
        self.is_reached = self.left <= 0

    def die_if(self, is_time: bool) -> None:
        if self.is_reached and is_time:
            _die()


def _wrap(owner: Any, name: str, counted: _Counted, concerns: Callable[[tuple[Any, ...]], bool]) -> None:
    original = getattr(owner, name)
    death = counted.death

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if not concerns(arguments):
            return original(*arguments, **named)
        counted.reach()
        counted.die_if(death.when == "before")
        result = original(*arguments, **named)
        counted.die_if(death.when == "within")
        return result

    setattr(owner, name, wrapped)


def _freezes(arguments: tuple[Any, ...]) -> bool:
    return EditionState.FROZEN in arguments


_CONCERNS: dict[tuple[str, str], Callable[[tuple[Any, ...]], bool]] = {
    ("set_state", "freeze"): _freezes,
    ("read_marks", "mark"): lambda arguments: arguments[0].marks,
    ("finish", "record"): lambda arguments: arguments[0].replies > 0,
    ("finish", "claim"): lambda arguments: arguments[0].claims,
}
"""Which calls are the step, where others are not."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
