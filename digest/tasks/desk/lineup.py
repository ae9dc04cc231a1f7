"""The line-up: an edition's articles in the order and under the sections that the message will have."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from digest.models import Article, Draft
from digest.models.row import row_id
from digest.rules.editions.sections import edition_topics, order_sections, place_blocks, section_title
from digest.rules.editions.selection import EVERY_TOPIC, Choice, Chosen, from_cohort_topics
from digest.settings import DigestSettings
from digest.store.articles import articles
from digest.store.editions import cadence_readers, cohorts
from digest.tasks.editions.candidates import BEGINNING, Selection
from digest.tasks.editions.preview import Viewer, choose_shown

SHOWN = 100
_ALL = 1_000_000
_MOST_COHORTS = 200
_MOST_DECISIONS = 200_000
_SAMPLE = 5_000
_MOST_GROUPS = 3
_EVERYTHING: Mapping[str, datetime] = {EVERY_TOPIC: BEGINNING}


@dataclass(frozen=True, slots=True)
class ReaderGroup:
    """Readers who chose the same topics: `("Science, World", 120)`."""

    title: str
    readers: int


@dataclass(frozen=True, slots=True)
class LineupArticle:
    """One article of the line-up.

    `readers` would get it if their editions had room; for those of `lacking`, by group, there is none.
    `changed` are the fields edited for this edition.
    """

    article: Article
    number: int
    section: str
    readers: int
    is_placed: bool
    is_pinned: bool
    lacking: tuple[ReaderGroup, ...] = ()
    added: str = ""
    changed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineupSection:
    """A section of the edition as the message shows it; the lead has one of its own, without a title."""

    topic: str
    title: str
    lines: tuple[LineupArticle, ...]


@dataclass(frozen=True, slots=True)
class Lineup:
    """The articles that some reader would get, and those that editors left out.

    `ids` are all of them in the order of the rules, `sections` what a reader of every topic gets, `beyond`
    the first that do not fit for such a reader; `readers` counts the readers, `sent_to_all` the candidates
    that everybody has already. `is_estimate` if the readers were counted by a sample. In one reader's line-up
    `left_out` counts the articles left for the next edition.
    """

    ids: tuple[int, ...] = ()
    sections: tuple[LineupSection, ...] = ()
    beyond: tuple[LineupArticle, ...] = ()
    hidden: tuple[Article, ...] = ()
    readers: int = 0
    sent_to_all: int = 0
    is_estimate: bool = False
    left_out: int = 0
    parts: tuple[tuple[int, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Note which ids stand in which part: a page asks for the neighbours of every line."""
        parts = (*(section.lines for section in self.sections), self.beyond)
        ids = tuple(tuple(row_id(line.article) for line in part) for part in parts)
        object.__setattr__(self, "parts", ids)

    @property
    def lines(self) -> tuple[LineupArticle, ...]:
        """Return the articles in the order of the page, from the lead on."""
        return (*(line for section in self.sections for line in section.lines), *self.beyond)

    def title(self, article_id: int) -> str:
        """Return an article's title, or its number if it is not in the line-up."""
        known = [*(line.article for line in self.lines), *self.hidden]
        return next((one.title for one in known if one.id == article_id), f"article {article_id}")

    def neighbour(self, article_id: int, by: int) -> int | None:
        """Return the article above (-1) or below (1) in the same section; for the lead, in any section."""
        parts = self.parts
        lead = parts[0][0] if parts[0] else None
        if article_id == lead:
            return self.ids[1] if by > 0 and len(self.ids) > 1 else None
        part = next((one for one in parts if article_id in one), ())
        at = part.index(article_id) + by if part else -1
        if 0 <= at < len(part):
            return part[at]
        is_below_lead = len(parts) > 1 and part == parts[1] and at < 0
        if by < 0 and part and part == parts[-1]:
            return self.ids[self.ids.index(article_id) - 1]
        return lead if is_below_lead else None

    def can_move(self, line: LineupArticle, by: int) -> bool:
        """Return whether an article has a neighbour to change places with."""
        return self.neighbour(row_id(line.article), by) is not None


@dataclass(frozen=True, slots=True)
class _Group:
    title: str
    topics: Mapping[str, datetime]
    history: frozenset[int]
    size: int
    room: int


def line_up(session: Session, digest: DigestSettings, draft: Draft, now: datetime) -> Lineup:
    """Return the line-up of a draft for all of its readers."""
    selection = Selection.read(session, digest, now, draft, most=_ALL)
    total = cadence_readers.count_readers(session, digest.name, draft.cadence)
    groups, is_estimate = _groups(session, digest, draft, selection, total)
    every = selection.choose(_EVERYTHING, frozenset())
    wanted, lacking = _count_wanting(groups, selection, every)
    nobodys = frozenset(one.id for one in selection.candidates if total and not wanted[one.id])
    choices = (selection.choose(_EVERYTHING, nobodys) if nobodys else every).choices
    fitting, beyond = choices[: digest.max_articles], choices[digest.max_articles : SHOWN]
    stored = articles.get_articles(
        session, [*(choice.article_id for choice in (*fitting, *beyond)), *draft.hidden]
    )

    def line(number: int, choice: Choice) -> LineupArticle:
        article = stored[choice.article_id]
        return LineupArticle(
            article=article,
            number=number,
            section=choice.section,
            readers=wanted[choice.article_id],
            is_placed=choice.article_id in draft.arranged,
            is_pinned=article.pinned_at is not None,
            lacking=_largest(lacking.get(choice.article_id, Counter())),
            added=draft.added.get(str(choice.article_id), ""),
            changed=draft.changes.get(str(choice.article_id), {}),
        )

    paper = _paper(fitting, edition_topics(digest.topics, draft.sections))
    numbered = {choice: n for n, choice in enumerate((one for _, part in paper for one in part), 1)}
    return Lineup(
        ids=tuple(choice.article_id for choice in choices),
        sections=tuple(_section(topic, [line(numbered[one], one) for one in part]) for topic, part in paper),
        beyond=tuple(line(n, one) for n, one in enumerate(beyond, len(fitting) + 1)),
        hidden=tuple(stored[key] for key in draft.hidden if key in stored),
        readers=total,
        sent_to_all=len(nobodys - selection.shape.hidden),
        is_estimate=is_estimate,
    )


def blocks_by_part(shown: Lineup, digest: DigestSettings, draft: Draft) -> list[list[int]]:
    """Return the numbers of the free blocks that follow the lead, and each section, of a line-up."""
    found = [section.topic for section in shown.sections[1:]]
    parts: list[list[int]] = [[] for _ in range(len(found) + 1)]
    places = [block["place"] for block in draft.blocks]
    for number, part in enumerate(place_blocks(places, found, edition_topics(digest.topics, draft.sections))):
        parts[part].append(number)
    return parts


def line_up_for(
    session: Session, digest: DigestSettings, draft: Draft, view: Viewer, now: datetime
) -> Lineup:
    """Return what one reader would get of a draft; raise InputError for an address without a subscription."""
    chosen = choose_shown(session, digest, view, now, draft)
    stored = articles.get_articles(session, [choice.article_id for choice in chosen.choices])
    paper = _paper(chosen.choices, edition_topics(digest.topics, draft.sections))
    numbered = {choice: n for n, choice in enumerate((one for _, part in paper for one in part), 1)}

    def line(choice: Choice) -> LineupArticle:
        article = stored[choice.article_id]
        is_placed = choice.article_id in draft.arranged
        return LineupArticle(
            article, numbered[choice], choice.section, 1, is_placed, article.pinned_at is not None,
            changed=draft.changes.get(str(choice.article_id), {}),
        )  # fmt: skip

    return Lineup(
        ids=tuple(choice.article_id for choice in chosen.choices),
        sections=tuple(_section(topic, [line(one) for one in part]) for topic, part in paper),
        readers=1,
        left_out=chosen.left_out,
    )


def _paper(choices: Sequence[Choice], topics: tuple[str, ...]) -> list[tuple[str, list[Choice]]]:
    """Group a list as the message does: the lead, then the sections."""
    if not choices:
        return []
    order = order_sections(tuple(choice.section for choice in choices), topics)
    rest = [(topic, [choices[number] for number in numbers]) for topic, numbers in order.sections]
    return [("", [choices[0]]), *rest]


def _section(topic: str, lines: Sequence[LineupArticle]) -> LineupSection:
    return LineupSection(topic, section_title(topic) if topic else "", tuple(lines))


def _groups(
    session: Session, digest: DigestSettings, draft: Draft, selection: Selection, total: int
) -> tuple[list[_Group], bool]:
    """Return the largest groups of readers by topics, and whether their sizes are estimates.

    Readers without a cohort yet count by the topics that they chose. If there are many of those, only the
    first are read, and the others counted in proportion.
    """
    most = max(1, min(_MOST_COHORTS, _MOST_DECISIONS // max(1, len(selection.candidates))))
    found = [
        _Group(
            _title(cohort.topics),
            from_cohort_topics(cohort.topics, BEGINNING),
            frozenset(cohort.history),
            size,
            _room(digest, cohort.max_articles),
        )
        for cohort, size in cadence_readers.list_sizes(session, digest.name, draft.cadence, most)
    ]
    others = total - sum(group.size for group in found)
    sample = cohorts.sample_unplaced(session, digest.name, draft.cadence, _SAMPLE) if others else []
    chosen = Counter((tuple(sorted(topics)), _room(digest, wanted)) for topics, wanted in sample)
    for (topics, room), count in chosen.most_common(most):
        size = round(count * others / len(sample))
        found.append(_Group(_title(topics), dict.fromkeys(topics, BEGINNING), frozenset(), size, room))
    return found, others > len(sample)


def _room(digest: DigestSettings, wanted: int | None) -> int:
    return digest.max_articles if wanted is None else min(wanted, digest.max_articles)


def _title(topics: Iterable[str]) -> str:
    names = sorted(topics)
    return "all topics" if EVERY_TOPIC in names else ", ".join(section_title(name) for name in names)


def _count_wanting(
    groups: Sequence[_Group], selection: Selection, every: Chosen
) -> tuple[Counter[int], dict[int, Counter[str]]]:
    """Count for each article the readers who would get it, and by group those whose edition has no room.

    `every` is what a new reader of every topic gets, which is what most groups get.
    """
    wanted: Counter[int] = Counter()
    lacking: dict[int, Counter[str]] = {}
    for group in groups:
        is_every = group.topics == _EVERYTHING and not group.history
        chosen = every if is_every else selection.choose(group.topics, group.history)
        for place, choice in enumerate(chosen.choices):
            wanted[choice.article_id] += group.size
            if place >= group.room:
                lacking.setdefault(choice.article_id, Counter())[group.title] += group.size
    return wanted, lacking


def _largest(lacking: Counter[str]) -> tuple[ReaderGroup, ...]:
    return tuple(ReaderGroup(title, readers) for title, readers in lacking.most_common(_MOST_GROUPS))
