"""The order of an edition's sections: the digest's topics in its own order, then all others as they occur."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_KEPT_ORDERS = 4_096


def order_topics(found: Iterable[str], topics: Sequence[str]) -> list[str]:
    """Sort section topics: those of the digest in its order, the others last, as they occur.

    `order_topics(["sport", "world"], ("world", "science"))` is `["world", "sport"]`.
    """
    return sorted(found, key=lambda topic: topics.index(topic) if topic in topics else len(topics))


def edition_topics(topics: Sequence[str], own: Sequence[str]) -> tuple[str, ...]:
    """Return the order of an edition's sections: its own, then the digest's."""
    return tuple(dict.fromkeys([*own, *topics]))


AFTER_LEAD, AT_END = "*lead", "*end"
"""Places of a free block that name no section."""


def place_blocks(places: Sequence[str], shown: Sequence[str], topics: Sequence[str]) -> list[int]:
    """Return for each block after which part of a list it stands: 0 is the lead, 1 the first section.

    `shown` are the sections of the list, `topics` the order of all. A block of a section that a reader does
    not get stands where that would end: `place_blocks(["science"], ["world", "sport"], ("world", "science",
    "sport"))` is `[1]`.
    """
    return [_part_before(place, shown, topics) for place in places]


def _part_before(place: str, shown: Sequence[str], topics: Sequence[str]) -> int:
    if place == AFTER_LEAD:
        return 0
    if place in shown:
        return shown.index(place) + 1
    if place not in topics:
        return len(shown)
    at = topics.index(place)
    return sum(topic in topics and topics.index(topic) < at for topic in shown)


def section_title(topic: str) -> str:
    """Return the heading of a topic: `City hall` of `city-hall`."""
    return topic.replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True)
class SectionOrder:
    """The order in which a list's cards are shown, and the topic that each comes under.

    The first card leads and has no section. Lists of one `shape` have as many cards under the same topics.
    """

    shown: Sequence[int]
    sections: Sequence[tuple[str, Sequence[int]]]
    shape: Hashable


@lru_cache(maxsize=_KEPT_ORDERS)
def order_sections(sections: tuple[str, ...], topics: tuple[str, ...]) -> SectionOrder:
    """Order a list whose cards have these sections.

    `order_sections(("world", "sport", "world"), ("world",))` shows cards 0, 2, 1: the lead, World, Sport.
    """
    found: dict[str, list[int]] = {}
    for index, section in enumerate(sections[1:], 1):
        found.setdefault(section, []).append(index)
    order = order_topics(found, topics)
    shown = [*range(len(sections[:1])), *(index for topic in order for index in found[topic])]
    shape = len(shown), tuple([(topic, len(found[topic])) for topic in order])
    return SectionOrder(shown, [(topic, found[topic]) for topic in order], shape)
