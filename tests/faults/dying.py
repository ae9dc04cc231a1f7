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

from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.orm import configure_mappers

from digest.cli import main
from digest.models import EditionState

PRELOADED = (
    "tests.faults.dying", "digest.cli.editions.send", "digest.bootstrap", "digest.sending", "digest.store.schema",
    "digest.tasks.delivery.loop", "alembic", "psycopg", "css_inline", "babel.dates", "tests.faults.warm",
)  # fmt: skip
configure_mappers()
STEPS = {
    "freeze": "digest.store.editions.editions:set_state",
    "claim": "digest.store.delivery.claims:claim",
    "mark": "digest.store.delivery.claims:mark_in_flight",
    "record": "digest.store.delivery.claims:record_accepted",
    "finish": "digest.store.delivery.deliveries:finish_editions",
    "commit": "",
}
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
        _wrap(DefaultDialect, "do_commit", counted, lambda _arguments: True)
        return
    module, name = STEPS[death.step].split(":")
    concerns = _freezes if death.step == "freeze" else lambda _arguments: True
    _wrap(importlib.import_module(module), name, counted, concerns)
    if death.when == "after":
        _die_after_the_next_commit(counted)


class _Counted:
    def __init__(self, death: Death) -> None:
        self.death = death
        self.left = death.number
        self.is_reached = False

    def reach(self) -> None:
        self.left -= 1
        self.is_reached = self.left <= 0


def _wrap(owner: Any, name: str, counted: _Counted, concerns: Callable[[tuple[Any, ...]], bool]) -> None:
    original = getattr(owner, name)
    death = counted.death

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if not concerns(arguments):
            return original(*arguments, **named)
        counted.reach()
        if counted.is_reached and death.when == "before":
            _die()
        result = original(*arguments, **named)
        if counted.is_reached and (death.when == "within" or death.step == "commit"):
            _die()
        return result

    setattr(owner, name, wrapped)


def _die_after_the_next_commit(counted: _Counted) -> None:
    original: Any = DefaultDialect.do_commit

    def commit(self: Any, connection: Any) -> None:
        original(self, connection)
        if counted.is_reached:
            _die()

    DefaultDialect.do_commit = commit  # type: ignore[method-assign]


def _freezes(arguments: tuple[Any, ...]) -> bool:
    return EditionState.FROZEN in arguments


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
