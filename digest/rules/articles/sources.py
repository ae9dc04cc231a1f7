"""Which sources there are: those of config.toml and those added at the desk, joined.

config.toml wins: where it has a source of the same name or the same address, the desk's one is overruled. It
is kept, shown as such, and not read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from digest.models import DeskSource
from digest.settings import SourceSettings

BY_HAND = "added"
"""The source of articles that an editor adds: adding by hand may change any article."""

LETTERS = "letters"
"""The source of readers' letters that became articles."""

API = "api"
"""The source of articles for which the program that sent them names none."""

NOT_FETCHED = (BY_HAND, LETTERS, API)
"""The names of what no fetch brings; no source may have them."""


class SourceClash(NamedTuple):
    """Why a source cannot be added: another one has the same name, or the same address."""

    source: str
    same: str

    def __str__(self) -> str:
        return f'the name "{self.source}"' if self.same == "name" else f'this address, as "{self.source}"'


@dataclass(frozen=True, slots=True)
class SourceIndex:
    """The names of sources, and their names by the keys that addresses are compared by."""

    names: frozenset[str]
    by_address: Mapping[str, str]

    @classmethod
    def of(cls, sources: Iterable[tuple[str, str]]) -> "SourceIndex":
        """Index pairs of name and address key."""
        pairs = list(sources)
        return cls(frozenset(name for name, _ in pairs), {key: name for name, key in reversed(pairs)})

    def find(self, name: str, address_key: str | None) -> SourceClash | None:
        """Find the source that has this name or this address."""
        if name in self.names:
            return SourceClash(name, "name")
        other = self.by_address.get(address_key or "")
        return SourceClash(other, "address") if other is not None else None


def find_overruled(configured: SourceIndex, added: Sequence[DeskSource]) -> dict[str, SourceClash]:
    """Return which of the desk's sources config.toml overrules, by name, each with the source that does."""
    found = ((one.name, configured.find(one.name, one.address_key)) for one in added)
    return {name: taken for name, taken in found if taken is not None}


def to_settings(added: DeskSource, private_origins: Sequence[str]) -> SourceSettings:
    """Return a source of the desk as config.toml would have it.

    Its address may be private only where the operator named its origin: who signs in at the desk must not
    reach what the server alone can.
    """
    return SourceSettings.model_construct(
        name=added.name,
        url=added.url,
        topics=tuple(added.topics),
        every=timedelta(seconds=added.every),
        allow_private=may_be_private(added.url, private_origins),
        title=added.title,
        max_new=added.max_new,
        settle=timedelta(seconds=added.settle),
        language=added.language,
    )


def may_be_private(url: str, private_origins: Sequence[str]) -> bool:
    """Return whether the settings name the origin of an address (`[fetch] private_sources`)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}" in private_origins
