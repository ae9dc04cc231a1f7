"""How editors arrange an edition: the order of articles, which are left out, and which are added.

An article is either placed by hand or free. `order` is a list of places: an id at index 2 stands third, and 0
leaves a place to the free articles, which the rule sorts. So `(0, 0, 7)` keeps article 7 in the third place,
whatever comes in above it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FREE = 0
"""A place that the rule fills: no article has this id."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What editors decided about an edition's articles.

    `added` says for each whether all readers get it; `sections` names the topic that an article is put under.
    """

    order: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    added: Mapping[int, bool] = field(default_factory=dict)
    sections: Mapping[int, str] = field(default_factory=dict)


UNSHAPED = Arrangement()


def arrange(order: Sequence[int], ranked: Sequence[int]) -> list[int]:
    """Put ids that the rule ranked into an editor's order; a placed one that is not there leaves no gap.

    `arrange((0, 0, 7), [1, 2, 3, 7])` is `[1, 2, 7, 3]`.
    """
    placed = set(order).intersection(ranked)
    if not placed:
        return list(ranked)
    free = iter([one for one in ranked if one not in placed])
    shown = [next(free, FREE) if one == FREE else one for one in order if one == FREE or one in placed]
    return [*(one for one in shown if one != FREE), *free]


def move(order: Sequence[int], shown: Sequence[int], article_id: int, position: int) -> list[int]:
    """Place an article at a position of the list as it is shown; others stay placed or free as they were.

    What the list does not show (articles that are hidden or gone) keeps a place at the end.
    """
    rest = [one for one in shown if one != article_id]
    position = max(0, min(position, len(rest)))
    return _placed([*rest[:position], article_id, *rest[position:]], {*order, article_id}, order, shown)


def leave_out(order: Sequence[int], shown: Sequence[int], article_id: int) -> list[int]:
    """Take an article out of the list as it is shown; those below it move up in their order."""
    rest = [one for one in shown if one != article_id]
    return _placed(rest, set(order) - {article_id}, [one for one in order if one != article_id], shown)


def _placed(target: Sequence[int], placed: set[int], order: Sequence[int], shown: Sequence[int]) -> list[int]:
    gone = [one for one in order if one != FREE and one not in shown]
    return [*_trimmed([one if one in placed else FREE for one in target]), *gone]


def pin(order: Sequence[int], shown: Sequence[int], article_id: int) -> list[int]:
    """Keep an article in the place in which it stands."""
    return move(order, shown, article_id, shown.index(article_id))


def append(order: Sequence[int], article_id: int) -> list[int]:
    """Place an article after all that are placed."""
    return [*free(order, article_id), article_id]


def free(order: Sequence[int], article_id: int) -> list[int]:
    """Make an article free again; all other places stay as they are."""
    return _trimmed([FREE if one == article_id else one for one in order])


def _trimmed(order: list[int]) -> list[int]:
    while order and order[-1] == FREE:
        order = order[:-1]
    return order
