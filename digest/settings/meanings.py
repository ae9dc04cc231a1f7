"""What each setting means: the comments of config.example.toml, so that a page says what the file says."""

import re
from collections.abc import Iterator
from functools import cache

from digest.resources import bundled

_TABLE = re.compile(r"^(?:# )?\[\[?([a-z_]+(?:\.[^\]]+)?)\]\]?$")
_KEY = re.compile(r"^(?:# )?([a-z_0-9]+) = ")
_SHARED = {"relays": ("smtp",)}
"""The tables of named tables whose keys are explained in another table."""


@cache
def meanings() -> dict[tuple[str, ...], str]:
    """Return the meaning of each key by its place: `("web", "port")`; `("inbound",)` is a table's own.

    A key with no comment of its own belongs to the group above it and has that group's.
    """
    found: dict[tuple[str, ...], str] = {}
    for place, comment in _commented(bundled("config.example.toml").read_text(encoding="utf-8")):
        found.setdefault(place, comment)
    return found


def meaning_of(place: tuple[str, ...]) -> str:
    """Return what the key at a place means; names of named tables in it are not looked at."""
    known = meanings()
    shared = _SHARED.get(place[1]) if len(place) > 3 else None
    if shared and (*shared, place[-1]) in known:
        return known[*shared, place[-1]]
    for length in range(len(place), 1, -1):
        if place[:length] in known:
            return known[place[:length]]
    return known.get((place[0],), "") if len(place) > 2 else ""


def _commented(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each key's place with the comment above it; a comment ends at an empty line."""
    table: tuple[str, ...] = ()
    comment: list[str] = []
    last = ""
    for line in text.splitlines():
        key, head = _KEY.match(line), _TABLE.match(line)
        if head:
            table = tuple(head[1].split(".")[:2]) if head[1] != "site.names.de" else ("site", "names")
            last = " ".join(comment)
            yield table, last
            comment = []
        elif key and table:
            last = " ".join(comment) or last
            yield (*table, key[1]), last
            comment = []
        elif line.startswith("# "):
            comment.append(line[2:].strip())
        else:
            comment = []
