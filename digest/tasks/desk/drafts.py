"""Editing a draft as a whole: words, approval, hold, order of sections, undo."""

from dataclasses import replace

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Approval, Draft, EditionName
from digest.rules.editions.sections import AFTER_LEAD, AT_END, section_title
from digest.store.editions import drafts, editions
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import (
    ChangedMeanwhile,
    DraftWords,
    Edit,
    WordsRefused,
    change_draft,
    check_text,
    shape_draft,
)
from digest.tasks.desk.lineup import Lineup

LONGEST_NOTE = 500
LONGEST_BLOCK, MOST_BLOCKS = 5_000, 10


def save_words(desk: Desk, edit: Edit) -> None:
    """Save the words typed; do nothing if they are the same."""
    change_draft(desk, edit, lambda _session, _draft: "")


def undo(desk: Desk, edit: Edit) -> None:
    """Undo the last act that changed the edition; called again, the one before it."""

    def alter(session: Session, draft: Draft) -> str:
        last = drafts.find_undoable(session, draft)
        if last is None or last.before is None:
            raise InputError("there is nothing to undo")
        for name, value in last.before.items():
            setattr(draft, name, value)
        last.undone = True
        session.add(last)
        return f"undid: {last.act}"

    change_draft(desk, edit, alter, can_undo=False)


def reset_order(desk: Desk, edit: Edit) -> None:
    """Return all articles and sections to the places that the rules give them."""

    def alter(_session: Session, draft: Draft) -> str:
        draft.arranged, draft.sections = [], []
        return "reset the order"

    change_draft(desk, edit, alter)


def move_section(desk: Desk, edit: Edit, topic: str, by: int) -> None:
    """Move a section one place up (-1) or down (1) in this edition."""

    def alter(draft: Draft, shown: Lineup) -> str:
        topics = [section.topic for section in shown.sections[1:]]
        if topic not in topics or not 0 <= topics.index(topic) + by < len(topics):
            raise InputError(f"section “{section_title(topic)}” cannot be moved there")
        at = topics.index(topic) + by
        topics.remove(topic)
        topics.insert(at, topic)
        draft.sections = topics
        return f"moved section “{section_title(topic)}” {'up' if by < 0 else 'down'}"

    shape_draft(desk, edit, alter)


def save_block(desk: Desk, edit: Edit, number: int | None, place: str, text: str) -> None:
    """Change a free block, numbered from 0, or add one: an editors' own text between articles.

    `place` is the topic of the section that it follows, or AFTER_LEAD or AT_END.
    """
    text = text.replace("\r\n", "\n").strip()
    topics = desk.settings.digest(edit.name.digest).topics
    if not text:
        raise InputError("a free block needs a text; to take it away, remove it")
    if len(text) > LONGEST_BLOCK:
        raise InputError(f"the free block has {len(text)} characters; {LONGEST_BLOCK} fit")
    if place not in (AFTER_LEAD, AT_END, *topics):
        raise InputError(f'"{place}" is not a section of this digest: it has {", ".join(topics)}')
    check_text("free block", text)
    block = {"place": place, "text": text}

    def alter(_session: Session, draft: Draft) -> str:
        if number is None:
            if len(draft.blocks) >= MOST_BLOCKS:
                raise InputError(f"an edition has {MOST_BLOCKS} free blocks at most")
            draft.blocks = [*draft.blocks, block]
            return "added a free block"
        if _block_of(draft, number) == block:
            return ""
        draft.blocks = [block if at == number else one for at, one in enumerate(draft.blocks)]
        return f"changed free block {number + 1}"

    change_draft(desk, edit, alter)


def remove_block(desk: Desk, edit: Edit, number: int) -> None:
    """Remove a free block."""

    def alter(_session: Session, draft: Draft) -> str:
        _block_of(draft, number)
        draft.blocks = [one for at, one in enumerate(draft.blocks) if at != number]
        return f"removed free block {number + 1}"

    change_draft(desk, edit, alter)


def _block_of(draft: Draft, number: int) -> dict[str, str]:
    if not 0 <= number < len(draft.blocks):
        raise InputError("this free block is not there any more")
    return draft.blocks[number]


def leave_note(desk: Desk, edit: Edit, text: str) -> None:
    """Add a note to colleagues to the activity; it is in no message and cancels no approval."""
    text = " ".join(text.split())
    if not text or len(text) > LONGEST_NOTE:
        raise InputError(f"a note to colleagues has 1 to {LONGEST_NOTE} characters; this one has {len(text)}")
    save_words(desk, edit)
    with desk.database.write() as session:
        draft = drafts.find_or_new(session, edit.name.digest, edit.name.cadence, edit.name.period)
        drafts.note(session, draft, edit.who, f"noted: {text}", edit.now)


def approve(desk: Desk, edit: Edit) -> None:
    """Approve the edition with the words typed, and release a hold. Any later edit cancels the approval."""

    def alter(_session: Session, draft: Draft) -> str:
        draft.held_by = None
        draft.approved_by, draft.approved_version = edit.who, draft.version + 1
        return "approved it"

    change_draft(desk, edit, alter, can_undo=False)


def publish_now(desk: Desk, edit: Edit) -> None:
    """Approve the edition and have the next run make it, before its deadline."""

    def alter(session: Session, draft: Draft) -> str:
        if editions.find_edition(session, *edit.name) is not None:
            raise InputError("its deadline has passed: approve or release it, and the next run sends it")
        draft.held_by, draft.at_once = None, True
        draft.approved_by, draft.approved_version = edit.who, draft.version + 1
        return "published it before its deadline"

    change_draft(desk, edit, alter, can_undo=False)


def hold(desk: Desk, edit: Edit) -> None:
    """Put the edition on hold, whatever version its editor saw.

    Words typed on another version are not saved: the edition is held, and ChangedMeanwhile is raised so that
    its editor decides about them.
    """

    def alter(_session: Session, draft: Draft) -> str:
        draft.held_by = edit.who
        return "put it on hold"

    try:
        change_draft(desk, edit, alter, can_undo=False)
    except (ChangedMeanwhile, WordsRefused) as trouble:
        change_draft(desk, replace(edit, seen=None, words=None), alter, can_undo=False)
        if isinstance(trouble, WordsRefused):
            raise
        if edit.words is not None and edit.words.tidied() != _standing_words(desk, edit.name):
            raise ChangedMeanwhile(trouble.acts, done="The edition is on hold.") from None


def release(desk: Desk, edit: Edit) -> None:
    """Release a hold. Without one nothing is changed, so that an approval stands."""

    def alter(_session: Session, draft: Draft) -> str:
        if not draft.held_by:
            needs_approval = desk.settings.digest(edit.name.digest).approval == Approval.REQUIRE
            where = f"{desk.settings.site.base_url}{edit.name.path}"
            waits = needs_approval and not draft.is_approved
            rest = f": it waits for approval, which a publisher gives at {where}" if waits else ""
            raise InputError(f"{edit.name} is not on hold{rest}")
        draft.held_by = None
        return "released it"

    change_draft(desk, edit, alter, can_undo=False)


def _standing_words(desk: Desk, name: EditionName) -> DraftWords:
    with desk.database.read() as session:
        return DraftWords.of(drafts.find_or_new(session, *name))
