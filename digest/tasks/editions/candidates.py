"""The input of selection: the stored articles, each with its duplicates, and the digest's limits."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlmodel import Session

from digest.models import Article, Draft, Edition, EditionState, Reach
from digest.models.row import row_id
from digest.rules.editions import selection
from digest.rules.editions.arrangement import UNSHAPED, Arrangement
from digest.rules.editions.selection import EVERY_TOPIC, Candidate, Chosen, Limits, from_cohort_topics
from digest.settings import DigestSettings
from digest.settings.site import LONGEST_SETTLE
from digest.store.articles import articles, duplicates
from digest.store.articles.articles import StoredCandidate
from digest.store.editions import cohorts

BEGINNING = datetime.min.replace(tzinfo=UTC)
"""A time before any candidate (see `to_cohort_topics`)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The input of one edition's selection, read once and used for each cohort or reader.

    Example: `Selection.read(session, digest, now, draft).choose(topics, history).choices`
    """

    candidates: tuple[Candidate, ...]
    limits: Limits
    shape: Arrangement
    freeze_at: datetime

    @classmethod
    def read(
        cls,
        session: Session,
        digest: DigestSettings,
        freeze_at: datetime,
        draft: Draft | None = None,
        *,
        most: int | None = None,
        counts_undated: bool = True,
    ) -> "Selection":
        """Read the candidates of an edition; `most` articles instead of the digest's own limit.

        Without `counts_undated`, articles without a date take no place.
        """
        shape = shape_of(draft)
        found = candidates(session, seen_from=freeze_at - digest.carry, seen_to=freeze_at, shape=shape)
        limits = limits_of(digest)
        most = limits.max_articles if most is None else most
        limits = replace(limits, max_articles=most, counts_undated=counts_undated)
        return cls(tuple(found), limits, shape, freeze_at)

    def only(self, ids: Collection[int]) -> "Selection":
        """Return the same selection from these articles alone."""
        return replace(self, candidates=tuple(one for one in self.candidates if one.id in ids))

    def choose(
        self,
        topics: Mapping[str, datetime],
        history: frozenset[int],
        most: int | None = None,
        fewest: int = 1,
    ) -> Chosen:
        """Choose articles for a reader with these topics, each with its `since`, and the articles of
        `history`.

        `most` is how many articles the reader wants, never more than the digest's limit. With fewer than
        `fewest` the list is empty, and waits.
        """
        limits = self.limits
        if most is not None and most < limits.max_articles:
            limits = replace(limits, max_articles=most)
        return selection.choose(self.candidates, topics, history, self.freeze_at, limits, self.shape, fewest)

    def choose_for_cohort(
        self,
        topics: Mapping[str, str],
        history: frozenset[int],
        most: int | None = None,
        fewest: int = 1,
    ) -> Chosen:
        """Choose for a cohort, whose topics are as `to_cohort_topics` returns them."""
        return self.choose(from_cohort_topics(topics, BEGINNING), history, most, fewest)

    def why_not(self, one: Candidate, topics: Mapping[str, datetime], history: frozenset[int]) -> str | None:
        """Return why an article is no candidate for a reader; None if it is one."""
        return selection.why_not(one, topics, history, self.freeze_at, self.limits, self.shape)


def candidates(
    session: Session, *, seen_from: datetime, seen_to: datetime, shape: Arrangement = UNSHAPED
) -> list[Candidate]:
    """List the candidates of an edition; a story has the topics of all its articles."""
    rows = articles.list_candidates(session, seen_from=seen_from, seen_to=seen_to, added=shape.added)
    told = duplicates.list_told_since(session, seen_from)
    told |= duplicates.list_told(session, list(shape.added)) if shape.added else {}
    return [to_candidate(row, told.get(row.id, ()), seen_to) for row in rows]


def first_news(
    session: Session, digest: DigestSettings, cadence: str, since: datetime, now: datetime
) -> datetime | None:
    """Return when the first article after `since` that a reader of the cadence wants became news."""
    found = candidates(session, seen_from=since - LONGEST_SETTLE, seen_to=now)
    matches = _wanted(session, digest, cadence)
    moments = [one.news_at for one in found if since < one.news_at <= now and matches(one.topics)]
    return min(moments, default=None)


def looked_to(last: Edition) -> datetime:
    """Return up to when articles were looked at for an edition: what was seen later is news after it.

    Its deadline has no seconds. A skipped one had no articles, so that what came since its deadline is news.
    """
    return last.deadline_at if last.state == EditionState.SKIPPED else max(last.deadline_at, last.freeze_at)


def is_wait_over(
    session: Session, digest: DigestSettings, cadence: str, last: Edition, now: datetime
) -> bool:
    """Return whether an article that waited for more at the last edition has waited for `max_wait` by now."""
    if not cohorts.does_any_wait(session, row_id(last)):
        return False
    earliest = last.freeze_at - digest.max_wait
    found = candidates(session, seen_from=earliest - LONGEST_SETTLE, seen_to=last.freeze_at)
    matches = _wanted(session, digest, cadence)
    return any(
        earliest < one.news_at <= min(last.freeze_at, now - digest.max_wait) and matches(one.topics)
        for one in found
    )


def _wanted(session: Session, digest: DigestSettings, cadence: str) -> Callable[[tuple[str, ...]], bool]:
    """Return what says whether a reader of a cadence wants one of an article's topics."""
    wanted = cohorts.list_wanted_topics(session, digest.name, cadence)

    def matches(topics: tuple[str, ...]) -> bool:
        offered = set(topics) & set(digest.topics) if digest.topics else set(topics)
        return bool(wanted & offered) or (EVERY_TOPIC in wanted and bool(offered or not digest.topics))

    return matches


def candidate(session: Session, article: Article, at: datetime) -> Candidate:
    """Return one article as selection sees it."""
    told = duplicates.list_told(session, [row_id(article)])
    return to_candidate(articles.to_stored_candidate(article), told.get(row_id(article), ()), at)


def to_candidate(stored: StoredCandidate, told: Sequence[duplicates.OtherSource], at: datetime) -> Candidate:
    """Return a stored article as selection sees it, with what had been folded into it by then."""
    topics = stored.topics
    if told:
        retold = [topic for one in told if one.folded_at <= at for topic in one.topics]
        topics = tuple(dict.fromkeys([*topics, *retold]))
    return Candidate(
        stored.id,
        topics,
        stored.first_seen_at,
        stored.published_at,
        stored.is_pinned,
        tuple(one.article_id for one in told),
        stored.settles_at,
    )


def shape_of(draft: Draft | None) -> Arrangement:
    """Return a draft's arrangement; without a draft nothing is arranged."""
    if draft is None:
        return UNSHAPED
    added = {int(key): reach == Reach.ALL for key, reach in draft.added.items()}
    sections = {int(key): one["section"] for key, one in draft.changes.items() if one.get("section")}
    return Arrangement(tuple(draft.arranged), frozenset(draft.hidden), added, sections)


def limits_of(digest: DigestSettings) -> Limits:
    """Return a digest's limits on selection."""
    return Limits(digest.topics, digest.max_articles, digest.carry, digest.form, digest.max_wait)
