"""Do the slow part of many things side by side, and hand the results over one by one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

from digest.settings import SourceSettings

T = TypeVar("T")
R = TypeVar("R")

PARSING = Lock()
"""Held while bytes are parsed: side by side that only gets slower and larger; what waits is the network."""


def in_parallel(act: Callable[[T], R], items: Iterable[T], width: int) -> Iterator[tuple[T, R]]:
    """Give each item with its result as it comes; no more than twice `width` are held at a time.

    One alone is done in this thread: another would bring a heap of its own.
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


def mixed_by_host(sources: Sequence[SourceSettings]) -> list[SourceSettings]:
    """Order sources so that those of one host stand far apart: they wait for each other."""
    seen: defaultdict[str, int] = defaultdict(int)
    ranked = []
    for source in sources:
        host = _host(source.url)
        ranked.append((seen[host], source))
        seen[host] += bool(host)
    return [source for _, source in sorted(ranked, key=lambda item: item[0])]


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
