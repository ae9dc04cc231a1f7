"""The statements that reach a database, with their times: how many there are tells what a page costs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, event


class Statement(NamedTuple):
    """A statement as the driver got it, its values, and the seconds until it had an answer."""

    seconds: float
    text: str
    values: Any


@contextmanager
def recorded(engine: Engine) -> Iterator[list[Statement]]:
    """Record each statement that an engine executes."""
    found: list[Statement] = []

    def before(*given: Any) -> None:
        given[4].began = time.perf_counter()

    def after(*given: Any) -> None:
        found.append(Statement(time.perf_counter() - given[4].began, given[2], given[3]))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)
