"""The articles of an edition in the order in which they would go, as the desk shows them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.models import Article, Draft
from digest.rules.editions.selection import EVERY_TOPIC, Choice, unsettle_topics
from digest.settings import DigestSettings
from digest.store.articles import articles
from digest.store.editions import cohorts
from digest.tasks.editions.candidates import BEGINNING, Selection

SHOWN = 100
_ALL = 1_000_000
_MOST_COHORTS = 200
_MOST_DECISIONS = 200_000


@dataclass(frozen=True, slots=True)
class LineupArticle:
    """One article of the line-up, with how many readers would get it as far as there is room.

    `fits` tells whether a reader who would get all of the line-up gets this one.
    """

    article: Article
    number: int
    section: str
    readers: int
    is_placed: bool
    is_pinned: bool
    fits: bool
    added: str = ""


@dataclass(frozen=True, slots=True)
class Lineup:
    """What an edition holds that somebody would get, and what editors left out.

    `ids` are all of it in order, `lines` the first of them; `readers` is how many there are; `everybodys`
    counts the candidates that nobody lacks any more.
    """

    ids: tuple[int, ...] = ()
    lines: tuple[LineupArticle, ...] = ()
    hidden: tuple[Article, ...] = ()
    readers: int = 0
    everybodys: int = 0

    def title(self, article_id: int) -> str:
        """Return an article's title, or its number where it is not in the line-up."""
        known = [*(line.article for line in self.lines), *self.hidden]
        return next((one.title for one in known if one.id == article_id), f"article {article_id}")


def line_up(session: Session, digest: DigestSettings, draft: Draft, now: datetime) -> Lineup:
    """Return the line-up of a draft."""
    selection = Selection.read(session, digest, now, draft, most=_ALL)
    total = cohorts.count_readers(session, digest.name, draft.cadence)
    reached = _reached(session, digest, draft, selection, total)
    nobodys = frozenset(one.id for one in selection.candidates if total and not reached[one.id])
    chosen = selection.choose({EVERY_TOPIC: BEGINNING}, nobodys)
    shown = chosen.choices[:SHOWN]
    stored = articles.get_articles(session, [*(choice.article_id for choice in shown), *draft.hidden])
    return Lineup(
        ids=tuple(choice.article_id for choice in chosen.choices),
        lines=tuple(_line(n, one, stored, draft, digest, reached) for n, one in enumerate(shown, 1)),
        hidden=tuple(stored[key] for key in draft.hidden if key in stored),
        readers=total,
        everybodys=len(nobodys - selection.shape.hidden),
    )


def _reached(
    session: Session,
    digest: DigestSettings,
    draft: Draft,
    selection: Selection,
    total: int,
) -> Counter[int]:
    """Count for each article the readers who would get it, by the largest cohorts.

    Readers whom no cohort stands for yet are taken as having every topic and nothing so far.
    """
    found, reached = selection.candidates, Counter[int]()
    most = max(1, min(_MOST_COHORTS, _MOST_DECISIONS // max(1, len(found))))
    placed = 0
    for cohort, size in cohorts.list_sizes(session, digest.name, draft.cadence, most):
        topics, history = unsettle_topics(cohort.topics, BEGINNING), frozenset(cohort.history)
        placed += size
        for one in found:
            if selection.why_not(one, topics, history) is None:
                reached[one.id] += size
    for one in found if total > placed else ():
        if selection.why_not(one, {EVERY_TOPIC: BEGINNING}, frozenset()) is None:
            reached[one.id] += total - placed
    return reached


def _line(
    number: int,
    choice: Choice,
    stored: Mapping[int, Article],
    draft: Draft,
    digest: DigestSettings,
    reached: Mapping[int, int],
) -> LineupArticle:
    article = stored[choice.article_id]
    return LineupArticle(
        article=article,
        number=number,
        section=choice.section,
        readers=reached.get(choice.article_id, 0),
        is_placed=choice.article_id in draft.arranged,
        is_pinned=article.pinned_at is not None,
        fits=number <= digest.max_articles,
        added=draft.added.get(str(choice.article_id), ""),
    )
