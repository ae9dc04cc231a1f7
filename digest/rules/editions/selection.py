"""Which articles a cohort gets, and in which order: the rule of the product, as pure functions."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from digest.models import Form, MailForm
from digest.rules.editions.age import is_too_old
from digest.rules.editions.arrangement import UNSHAPED, Arrangement, arrange

EVERY_TOPIC = "*"


class Candidate(NamedTuple):
    """What selection needs of an article; `folded` are the articles of other sources that tell the same
    story. A page makes thousands, and a frozen dataclass takes three times as long."""

    id: int
    topics: tuple[str, ...]
    first_seen_at: datetime
    published_at: datetime | None = None
    pinned: bool = False
    folded: tuple[int, ...] = ()
    settles_at: datetime | None = None

    @property
    def news_at(self) -> datetime:
        """Return when the article became news: when it was first seen, or had been unchanged for long
        enough."""
        return max(self.first_seen_at, self.settles_at or self.first_seen_at)

    @property
    def dated_at(self) -> datetime:
        """Return the article's date: its published time, but never later than when it was first seen."""
        return min(self.published_at or self.first_seen_at, self.first_seen_at)


class Choice(NamedTuple):
    """One chosen article: how much of it is shown, and under which topic."""

    article_id: int
    form: Form
    section: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """A cohort's list; `left_out` is the number of candidates that did not fit and are carried over.

    `related` are older articles that are named as well, and do not count as delivered. `mail_form` is how the
    cohort's readers want their messages. `waits` tells that there are candidates, and too few of them yet.
    """

    choices: tuple[Choice, ...]
    left_out: int = 0
    related: tuple[int, ...] = ()
    mail_form: MailForm = MailForm.PICTURES
    waits: bool = False

    @property
    def key(self) -> str:
        """Return the key of the variant: equal for lists that are the same."""
        listed = [[c.article_id, c.form, c.section] for c in self.choices]
        return _hash([*listed, self.left_out, list(self.related), *_unusual(self.mail_form)])


@dataclass(frozen=True, slots=True)
class Limits:
    """A digest's own limits on selection; without `counts_undated`, what has no date takes no place."""

    topics: tuple[str, ...]
    max_articles: int
    carry: timedelta
    form: Form = Form.SUMMARY
    max_wait: timedelta = timedelta()
    counts_undated: bool = True


def why_not(
    article: Candidate,
    topics: Mapping[str, datetime],
    history: frozenset[int],
    freeze_at: datetime,
    limits: Limits,
    shape: Arrangement = UNSHAPED,
) -> str | None:
    """Return why an article is no candidate for a reader, or None if it is one.

    `topics` maps each chosen topic to `since`: only articles first seen after it count for that topic. An
    article that an editor added may be older than that, and go to all readers, but never to one who has it.
    """
    if article.id in history:
        return "the reader has it from an earlier edition"
    if not history.isdisjoint(article.folded):
        return "the reader has the same story of another source from an earlier edition"
    if article.first_seen_at > freeze_at:
        return "it was first seen after the freeze"
    if article.id in shape.hidden:
        return "an editor leaves it out of this edition"
    to_all = shape.added.get(article.id)
    if to_all:
        return None
    if to_all is None and article.news_at > freeze_at:
        return "it has not stood unchanged for as long as its source's `settle` asks"
    if to_all is None and is_too_old(article.dated_at, freeze_at, limits.carry):
        return f"it is older than {limits.carry.days} days"
    if to_all is None and limits.topics and set(limits.topics).isdisjoint(article.topics):
        return "none of its topics is one of the digest's"
    matching = _matching(article, topics)
    if not matching:
        return "none of its topics is one of the reader's"
    if to_all is None and all(article.first_seen_at <= topics[topic] for topic in matching):
        return "it was there before the reader chose its topic"
    return None


def choose(
    articles: Sequence[Candidate],
    topics: Mapping[str, datetime],
    history: frozenset[int],
    freeze_at: datetime,
    limits: Limits,
    shape: Arrangement = UNSHAPED,
    fewest: int = 1,
) -> Chosen:
    """Choose a cohort's articles: those placed by hand in their places, then pinned ones, then the newest.

    What does not fit is left out. With fewer candidates than `fewest` the list waits, unless the first
    of them has been news for `max_wait`.
    """
    candidates = [a for a in articles if why_not(a, topics, history, freeze_at, limits, shape) is None]
    if is_too_little(candidates, fewest, freeze_at, limits.max_wait):
        return Chosen((), len(candidates), waits=True)
    candidates.sort(key=lambda a: (not a.pinned, -a.dated_at.timestamp(), -a.id))
    if shape.order:
        known = {a.id: a for a in candidates}
        candidates = [known[one] for one in arrange(shape.order, list(known))]
    kept = candidates[: limits.max_articles] if limits.counts_undated else _with_undated(candidates, limits)
    return Chosen(
        tuple(
            Choice(a.id, limits.form, shape.sections.get(a.id) or section_of(a, topics, limits)) for a in kept
        ),
        len(candidates) - len(kept),
    )


def _with_undated(candidates: Sequence[Candidate], limits: Limits) -> list[Candidate]:
    """Return the first articles with a date, as many as fit, and all without one."""
    dated = [one for one in candidates if one.published_at is not None][: limits.max_articles]
    fit = {one.id for one in dated}
    return [one for one in candidates if one.published_at is None or one.id in fit]


def is_too_little(
    candidates: Sequence[Candidate], fewest: int, freeze_at: datetime, max_wait: timedelta
) -> bool:
    """Return whether candidates wait for more: they are too few, and none has waited for `max_wait`."""
    if not candidates or len(candidates) >= fewest:
        return False
    return min(one.news_at for one in candidates) > freeze_at - max_wait


def section_of(article: Candidate, topics: Mapping[str, datetime], limits: Limits) -> str:
    """Return the topic under which an article is shown: its first that the reader chose and the digest has.

    One that an editor added for all readers is shown under its own first topic if it has none of theirs.
    """
    offered = [t for t in article.topics if not limits.topics or t in limits.topics]
    mine = [t for t in offered if t in topics]
    return (mine or offered or [*article.topics, ""])[0]


def since(topics: Mapping[str, str], lookback: timedelta) -> dict[str, datetime]:
    """Return from when each topic's articles count: the time when it was added, less the digest's
    lookback."""
    return {topic: datetime.fromisoformat(added) - lookback for topic, added in topics.items()}


def to_cohort_topics(topics: Mapping[str, datetime], freeze_at: datetime, carry: timedelta) -> dict[str, str]:
    """Return a cohort's topics, with every `since` that is older than any candidate replaced by the same
    value.

    Other values stay: readers who joined at the same time share a cohort.
    """
    oldest = freeze_at - carry
    return {topic: "" if moment < oldest else moment.isoformat() for topic, moment in sorted(topics.items())}


def from_cohort_topics(topics: Mapping[str, str], beginning: datetime) -> dict[str, datetime]:
    """Return a cohort's topics with times again; a replaced one counts from `beginning`."""
    return {topic: datetime.fromisoformat(text) if text else beginning for topic, text in topics.items()}


def cohort_key(
    digest: str,
    cadence: str,
    language: str,
    topics: Mapping[str, str],
    history: Sequence[int],
    most: int | None = None,
    mail_form: str = MailForm.PICTURES,
    fewest: int | None = None,
) -> str:
    """Hash everything that selection and a message's form depend on about a reader."""
    wanted: list[object] = [*([] if most is None else [most]), *_unusual(mail_form)]
    wanted += [] if fewest is None else [{"fewest": fewest}]
    return _hash([digest, cadence, language, sorted(topics.items()), sorted(history), *wanted])


def _unusual(mail_form: str) -> list[str]:
    """Return a form of mail where it is not the usual one, which no key names."""
    return [] if mail_form == MailForm.PICTURES else [mail_form]


def _matching(article: Candidate, topics: Mapping[str, datetime]) -> list[str]:
    if EVERY_TOPIC in topics:
        return [EVERY_TOPIC, *(t for t in article.topics if t in topics)]
    return [t for t in article.topics if t in topics]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
