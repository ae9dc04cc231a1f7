"""How editors arrange an edition: the order of articles, which are left out, and which are added.

An article is either placed by hand, and comes before all others in the given order, or free, and comes where
the rule puts it. So an article that arrives later never moves what an editor has placed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What editors decided about an edition's articles; `added` says for each whether all readers get it."""

    order: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    added: Mapping[int, bool] = field(default_factory=dict)

    def place_of(self, article_id: int) -> int:
        """Return where an article was placed; all free articles share the place after the last."""
        return self.order.index(article_id) if article_id in self.order else len(self.order)


UNSHAPED = Arrangement()


def move(order: Sequence[int], shown: Sequence[int], article_id: int, position: int) -> list[int]:
    """Place an article at a position of the list as it is shown; those above it are placed with it.

    What the list does not show (articles that are hidden or gone) keeps its place at the end.
    """
    rest = [one for one in shown if one != article_id]
    position = max(0, min(position, len(rest)))
    arranged = [*rest[:position], article_id, *rest[position:]]
    placed = sum(one in order for one in rest)
    upto = max(position, placed) + 1
    return [*arranged[:upto], *(one for one in order if one not in shown)]


def pin(order: Sequence[int], article_id: int) -> list[int]:
    """Place an article after all that are placed."""
    return [*(one for one in order if one != article_id), article_id]


def free(order: Sequence[int], article_id: int) -> list[int]:
    """Make an article free again."""
    return [one for one in order if one != article_id]
