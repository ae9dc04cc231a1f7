"""Edit a draft without overwriting a colleague's edit, and record who did what.

Each edit names the version that its editor saw. If the draft has another version by now, nothing is changed,
and the editor sees what happened and decides again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.errors import DigestError, InputError
from digest.models import DeskAct, Draft, EditionName, EditionState
from digest.rules.editions.placeholders import (
    unknown_in_subject,
    unresolved_in_text,
)
from digest.settings.digests import SUBJECT_NAMES
from digest.settings.types import pictures_in_text
from digest.store.editions import drafts, editions
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.lineup import Lineup, line_up

LONGEST_SUBJECT, LONGEST_INTRODUCTION, LONGEST_SPONSOR = 200, 10_000, 300
_WORDS = {"subject": "subject", "introduction": "introduction", "sponsor": "sponsor's line"}


class ChangedMeanwhile(DigestError):  # noqa: N818 - named for what happened
    """The draft was edited by somebody else since it was read; `done` describes what was done."""

    def __init__(self, acts: Sequence[DeskAct], done: str = "") -> None:
        super().__init__("somebody else has changed this edition since you saw it")
        self.acts, self.done = acts, done


class WordsRefused(InputError):  # noqa: N818 - named for what happened
    """The words are too long or have an unknown placeholder; nothing was saved."""


class MadeMeanwhile(InputError):  # noqa: N818 - named for what happened
    """The edition has been made, so nothing was changed."""


@dataclass(frozen=True, slots=True)
class DraftWords:
    """What an editor typed: the subject, and the introduction and the sponsor's line in Markdown."""

    subject: str = ""
    introduction: str = ""
    sponsor: str = ""

    @classmethod
    def of(cls, draft: Draft) -> "DraftWords":
        """Return the words of a draft."""
        return cls(draft.subject, draft.introduction, draft.sponsor)

    def tidied(self) -> "DraftWords":
        """Return the words as stored: subject and sponsor on one line, uniform line endings."""
        introduction = self.introduction.replace("\r\n", "\n").strip()
        return DraftWords(" ".join(self.subject.split()), introduction, " ".join(self.sponsor.split()))


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a draft: by whom, of which edition, having seen which version; None accepts any version.

    `words` are those in the form, None if it has no such fields. They are saved before anything else.
    """

    who: str
    name: EditionName
    seen: int | None
    now: datetime
    words: DraftWords | None = None


def shape_draft(desk: Desk, edit: Edit, alter: Callable[[Draft, Lineup], str]) -> None:
    """Edit a draft with the help of its line-up."""
    digest = desk.settings.digest(edit.name.digest)
    change_draft(desk, edit, lambda session, draft: alter(draft, line_up(session, digest, draft, edit.now)))


def change_draft(
    desk: Desk, edit: Edit, alter: Callable[[Session, Draft], str], *, can_undo: bool = True
) -> None:
    """Save the next version of a draft, the words typed included, and record who did what."""
    with desk.database.write() as session:
        change_draft_in(session, edit, alter, can_undo=can_undo)


def change_draft_in(
    session: Session, edit: Edit, alter: Callable[[Session, Draft], str], *, can_undo: bool = True
) -> None:
    """Edit a draft within an open transaction."""
    drafts.take_turns(session)
    edition = editions.find_edition(session, *edit.name)
    if edition is not None and edition.state != EditionState.HELD:
        raise MadeMeanwhile("this edition has been made: nothing in it can be changed any more")
    draft = drafts.find_or_new(session, *edit.name)
    if edit.seen is not None and draft.version != edit.seen:
        raise ChangedMeanwhile(drafts.list_acts(session, *edit.name, after=edit.seen))
    was_approved, before = draft.is_approved, draft.shape
    act = alter(session, draft)
    words = _take_words(draft, edit.words, DraftWords(*(before[name] for name in _WORDS)))
    act = "; ".join(part for part in (words, act) if part)
    if not act:
        return
    draft.version += 1
    if was_approved and not draft.is_approved:
        act += "; this cancelled the approval"
    if draft.at_once and not draft.is_due_now:
        draft.at_once = False
    undoable = before if can_undo or words else None
    drafts.save(session, draft, edit.who, act, edit.now, undoable)


def _take_words(draft: Draft, words: DraftWords | None, stood: DraftWords) -> str:
    """Store the words that differ, and return a description of the change."""
    words = words.tidied() if words is not None else stood
    if words == stood:
        return ""
    _check_words(words)
    for name in _WORDS:
        setattr(draft, name, getattr(words, name))
    named = [label for name, label in _WORDS.items() if getattr(words, name) != getattr(stood, name)]
    return f"wrote the {' and the '.join(named)}"


def _check_words(words: DraftWords) -> None:
    longest = {"subject": LONGEST_SUBJECT, "introduction": LONGEST_INTRODUCTION, "sponsor": LONGEST_SPONSOR}
    for name, most in longest.items():
        length = len(getattr(words, name))
        if length > most:
            raise WordsRefused(f"the {_WORDS[name]} has {length} characters; {most} fit")
    unknown = unknown_in_subject(words.subject)
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in SUBJECT_NAMES)
        raise WordsRefused(f"the subject has {', '.join(unknown)}, which is not filled in; there are {known}")
    for name in ("introduction", "sponsor"):
        check_text(_WORDS[name], getattr(words, name))


def check_text(label: str, text: str) -> None:
    """Raise WordsRefused for an editor's text with a placeholder or a picture; neither works there."""
    unknown = unresolved_in_text(text)
    if unknown:
        raise WordsRefused(
            f"the {label} has {', '.join(unknown)}: nothing is filled in there; write the words"
        )
    pictures = pictures_in_text(text)
    if pictures:
        raise WordsRefused(
            f"the {label} has a picture, {pictures[0][:100]}: pictures are not sent there; "
            "link to it, or show it with an article"
        )
