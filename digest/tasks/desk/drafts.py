"""Change a draft: what is seen is what is changed, and who did it is kept.

Each change names the version that its editor saw. Where another one stands by now nothing is changed: the
editor sees what happened meanwhile and decides again. So two editors at once lose nothing unseen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from digest.errors import DigestError, InputError
from digest.models import DeskAct, Draft, EditionName, EditionState, Reach
from digest.rules.editions import arrangement
from digest.store.articles import articles, duplicates
from digest.store.editions import drafts, editions
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.lineup import Lineup, line_up

LONGEST_SUBJECT, LONGEST_INTRODUCTION = 200, 10_000


class ChangedMeanwhile(DigestError):  # noqa: N818 - named for what happened
    """Decide again: somebody else has changed the draft since it was seen; nothing was changed."""

    def __init__(self, acts: Sequence[DeskAct]) -> None:
        super().__init__("somebody else has changed this edition since you saw it")
        self.acts = acts


class MadeMeanwhile(InputError):  # noqa: N818 - named for what happened
    """Nothing was changed: the edition has been made, and is what it is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Whose hand changes which draft, having seen which version of it; None: whatever stands."""

    who: str
    name: EditionName
    seen: int | None
    now: datetime


def lead(desk: Desk, hand: Edit, article_id: int) -> None:
    """Place an article first."""
    _place(desk, hand, article_id, lambda _ids: 0)


def step(desk: Desk, hand: Edit, article_id: int, by: int) -> None:
    """Place an article so many places further down, or up."""
    _place(desk, hand, article_id, lambda ids: ids.index(article_id) + by)


def move_before(desk: Desk, hand: Edit, article_id: int, other_id: int | None) -> None:
    """Place an article before another one; before none: at the end."""

    def position(ids: Sequence[int]) -> int:
        rest = [one for one in ids if one != article_id]
        return rest.index(other_id) if other_id in rest else len(rest)

    _place(desk, hand, article_id, position)


def _place(desk: Desk, hand: Edit, article_id: int, position: Callable[[Sequence[int]], int]) -> None:
    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        at = max(0, min(position(shown.ids), len(shown.ids) - 1))
        draft.arranged = arrangement.move(draft.arranged, shown.ids, article_id, at)
        return f"put “{shown.title(article_id)}” {f'in place {at + 1}' if at else 'first'}"

    _shape(desk, hand, alter)


def pin(desk: Desk, hand: Edit, article_id: int) -> None:
    """Place an article after those that are placed, so that nothing newer comes before it."""

    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        draft.arranged = arrangement.pin(draft.arranged, article_id)
        return f"pinned “{shown.title(article_id)}”"

    _shape(desk, hand, alter)


def unpin(desk: Desk, hand: Edit, article_id: int) -> None:
    """Let the rule say where an article stands."""

    def alter(draft: Draft, shown: Lineup) -> str:
        draft.arranged = arrangement.free(draft.arranged, article_id)
        return f"unpinned “{shown.title(article_id)}”"

    _shape(desk, hand, alter)


def hide(desk: Desk, hand: Edit, article_id: int) -> None:
    """Leave an article out of this edition; it is a candidate of the next. One that was added goes again."""

    def alter(draft: Draft, shown: Lineup) -> str:
        _check_shown(shown, article_id)
        draft.arranged = arrangement.free(draft.arranged, article_id)
        if str(article_id) in draft.added:
            draft.added = {key: reach for key, reach in draft.added.items() if key != str(article_id)}
            return f"took “{shown.title(article_id)}” out again"
        draft.hidden = [*draft.hidden, article_id]
        return f"left out “{shown.title(article_id)}”"

    _shape(desk, hand, alter)


def unhide(desk: Desk, hand: Edit, article_id: int) -> None:
    """Let an article that was left out into this edition again."""

    def alter(draft: Draft, shown: Lineup) -> str:
        draft.hidden = [one for one in draft.hidden if one != article_id]
        return f"took “{shown.title(article_id)}” back in"

    _shape(desk, hand, alter)


def add(desk: Desk, hand: Edit, named: str, reach: Reach) -> None:
    """Add an article, by id or URL, that is no candidate by itself, for readers of its topics or for all."""

    with desk.database.write() as session:
        add_in(session, hand, named, reach)


def add_in(session: Session, hand: Edit, named: str, reach: Reach) -> None:
    """Add an article in a transaction that is open."""

    def alter(session: Session, draft: Draft) -> str:
        title, article_id = _addable(session, named.strip())
        draft.added = {**draft.added, str(article_id): reach.value}
        draft.hidden = [one for one in draft.hidden if one != article_id]
        draft.arranged = arrangement.pin(draft.arranged, article_id)
        return f"added “{title}” for {'all readers' if reach is Reach.ALL else 'readers of its topics'}"

    _change_in(session, hand, alter)


def _addable(session: Session, named: str) -> tuple[str, int]:
    article = articles.find_article_named(session, named)
    if article is None or article.id is None:
        raise InputError(f'there is no article "{named}"; name one by its id or its URL')
    if article.hidden_at or article.withdrawn_at:
        gone = "withdrawn" if article.withdrawn_at else "hidden for good"
        raise InputError(f"“{article.title}” is {gone}; it can be in no edition")
    root = duplicates.story_of(session, article.id)[0]
    if root != article.id:
        raise InputError(f"“{article.title}” tells the story of article {root}; add that one")
    return article.title, root


def write(desk: Desk, hand: Edit, subject: str, introduction: str) -> None:
    """Set the subject and the introduction; an empty subject is the digest's own."""
    subject = " ".join(subject.split())
    if len(subject) > LONGEST_SUBJECT:
        raise InputError(f"the subject has {len(subject)} characters; {LONGEST_SUBJECT} fit")
    if len(introduction) > LONGEST_INTRODUCTION:
        raise InputError(f"the introduction has {len(introduction)} characters; {LONGEST_INTRODUCTION} fit")

    def alter(_session: Session, draft: Draft) -> str:
        draft.subject, draft.introduction = subject, introduction.replace("\r\n", "\n").strip()
        return "wrote the subject and the introduction"

    _change(desk, hand, alter)


def approve(desk: Desk, hand: Edit) -> None:
    """Approve what was seen; that ends a hold. The next change makes the approval void."""

    def alter(_session: Session, draft: Draft) -> str:
        draft.held_by = None
        draft.approved_by, draft.approved_version = hand.who, draft.version + 1
        return "approved it"

    _change(desk, hand, alter)


def hold(desk: Desk, hand: Edit) -> None:
    """Put the edition on hold, whatever was changed meanwhile."""

    def alter(_session: Session, draft: Draft) -> str:
        draft.held_by = hand.who
        return "put it on hold"

    _change(desk, replace(hand, seen=None), alter)


def let_go(desk: Desk, hand: Edit) -> None:
    """End a hold."""

    def alter(_session: Session, draft: Draft) -> str:
        draft.held_by = None
        return "ended the hold"

    _change(desk, hand, alter)


def _shape(desk: Desk, hand: Edit, alter: Callable[[Draft, Lineup], str]) -> None:
    digest = desk.settings.digest(hand.name.digest)
    _change(desk, hand, lambda session, draft: alter(draft, line_up(session, digest, draft, hand.now)))


def _change(desk: Desk, hand: Edit, alter: Callable[[Session, Draft], str]) -> None:
    with desk.database.write() as session:
        _change_in(session, hand, alter)


def _change_in(session: Session, hand: Edit, alter: Callable[[Session, Draft], str]) -> None:
    """Change a draft by one version and keep who did what."""
    named = hand.name.digest, hand.name.cadence, hand.name.period
    drafts.take_turns(session)
    edition = editions.find_edition(session, *named)
    if edition is not None and edition.state != EditionState.HELD:
        raise MadeMeanwhile("this edition has been made: nothing in it can be changed any more")
    draft = drafts.find_or_new(session, *named)
    if hand.seen is not None and draft.version != hand.seen:
        raise ChangedMeanwhile(drafts.list_acts(session, *named, after=hand.seen))
    was_approved = draft.is_approved
    act = alter(session, draft)
    draft.version += 1
    if was_approved and not draft.is_approved:
        act += "; the approval is void"
    drafts.save(session, draft, hand.who, act, hand.now)


def _check_shown(shown: Lineup, article_id: int) -> None:
    if article_id not in shown.ids:
        raise InputError(f"article {article_id} is not in this edition any more")
