"""Do the slow part of many things in parallel, and return the results one by one."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from threading import Lock
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PARSING = Lock()
"""Held while bytes are parsed: in parallel that would only be slower and larger; only the network is
waited for."""


def in_parallel(act: Callable[[T], R], items: Iterable[T], width: int) -> Iterator[tuple[T, R]]:
    """Yield each item with its result as it arrives; at most twice `width` are held at a time.

    A single item is processed in this thread: another would bring a heap of its own.
    """
    rest = iter(items)
    first = list(islice(rest, 2))
    if len(first) < 2:
        yield from ((item, act(item)) for item in first)
        return
    waiting: dict[Future[R], T] = {}
    with ThreadPoolExecutor(width, thread_name_prefix="fetch") as pool:
        for item in chain(first, rest):
            waiting[pool.submit(act, item)] = item
            if len(waiting) >= 2 * width:
                yield from _done(waiting)
        while waiting:
            yield from _done(waiting)


def _done(waiting: dict[Future[R], T]) -> Iterator[tuple[T, R]]:
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        yield waiting.pop(future), future.result()
