"""Letters to the editors: stored, forwarded, answered, done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from hashlib import sha256

from sqlmodel import Session

from digest.errors import InputError
from digest.mail.reports.classification import read_letter
from digest.mail.reports.parts import Mail, decode_words
from digest.models import Answer, Article, Edition, Letter, LetterState
from digest.safe_text import printable
from digest.store.articles.articles import get_articles
from digest.store.database import Database
from digest.store.delivery import bounces
from digest.store.readers import answers, letters
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.inbound.message_writer import Writer

_MOST_TEXT = 100_000


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """A letter with the edition and the article that it answers, for the desk and the command line."""

    letter: Letter
    edition: Edition | None
    article: Article | None = None


def keep_letter(
    session: Session,
    inbox: Inbox,
    mail: Mail,
    writer: Writer,
    message: int,
    now: datetime,
    *,
    article: int | None = None,
) -> Letter:
    """Store a letter, with quoted text separated from the writer's own, and plan its forwarding."""
    read = read_letter(mail)
    row = Letter(
        message_id=message,
        at=now,
        subscriber_id=writer.subscriber.id if writer.subscriber else None,
        sender=writer.address,
        name=printable(parseaddr(decode_words(mail.headers.get("from")))[0])[:120],
        subject=printable(mail.headers.text("subject"))[:300],
        text=read.own[:_MOST_TEXT],
        quoted=read.quoted[:_MOST_TEXT],
        signature=read.signature[:2_000],
        mail_id=mail.headers.get("message-id")[:500],
        edition_id=writer.edition.id if writer.edition else None,
        article_id=article if article and get_articles(session, [article]) else None,
    )
    letters.add_letter(session, row)
    editors = parseaddr(inbox.settings.site.reply_to or "")[1]
    if editors and editors.lower() != inbox.settings.inbound.address.lower():
        _plan_forward(session, inbox, row, editors, now)
    return row


def _plan_forward(session: Session, inbox: Inbox, row: Letter, editors: str, now: datetime) -> None:
    forward = Answer(
        created_at=now,
        kind="forward",
        address=editors,
        language="en",
        digest=inbox.settings.digests[0].name,
        subject=row.subject or "A letter",
        values={
            "phrases": [["mail_forward", {"name": row.name or row.sender, "address": row.sender}]],
            "text": "\n\n".join(part for part in (row.text, row.signature) if part),
        },
        reply_to=row.sender,
        in_reply_to=row.mail_id,
        due_at=now,
    )
    answers.add_answer(session, forward)


def list_shown(
    database: Database, *, states: Sequence[str] = (), edition: int | None = None, limit: int = 100
) -> list[ShownLetter]:
    """List letters, the latest first, each with the edition that it answers."""
    with database.read() as session:
        rows = letters.list_letters(session, states=states, edition_id=edition, limit=limit)
        return _with_answered(session, rows)


def find_letter(database: Database, letter_id: int) -> ShownLetter:
    """Find a letter; raise InputError if there is none with that number."""
    with database.read() as session:
        row = letters.get_letter(session, letter_id)
        if row is None:
            raise InputError(f"there is no letter {letter_id}")
        return _with_answered(session, [row])[0]


def count_new(database: Database) -> int:
    """Count the letters that no editor has handled."""
    with database.read() as session:
        return letters.count_new(session)


def _with_answered(session: Session, rows: Sequence[Letter]) -> list[ShownLetter]:
    editions = bounces.get_editions(session, [row.edition_id for row in rows if row.edition_id])
    answered = get_articles(session, [row.article_id for row in rows if row.article_id])
    return [
        ShownLetter(row, editions.get(row.edition_id or 0), answered.get(row.article_id or 0)) for row in rows
    ]


class LetterChanged(InputError):  # noqa: N818 - named for what happened
    """Nothing was done: somebody else has acted on the letter since it was shown."""


def version_of_letter(letter: Letter) -> str:
    """Return what changes with each act on a letter: 16 hexadecimal digits."""
    kept = (
        letter.state, letter.handled_by, letter.handled_at, letter.consent, letter.consent_at,
        letter.print_text, letter.print_in, letter.printed_as,
    )  # fmt: skip
    return sha256(repr(kept).encode()).hexdigest()[:16]


def get_seen(session: Session, letter_id: int, seen: str | None) -> Letter | None:
    """Return a letter to act on; raise LetterChanged where it is not as it was `seen`. None: as it stands."""
    row = letters.get_letter(session, letter_id, lock=True)
    if row is not None and seen is not None and seen != version_of_letter(row):
        raise LetterChanged(
            f"{row.handled_by or 'its writer'} has acted on this letter since you opened it: reload the page"
        )
    return row


def mark_done(
    database: Database, letter_id: int, who: str, now: datetime, *, seen: str | None = None
) -> None:
    """Mark a letter as done; raise InputError if there is none with that number."""
    with database.write() as session:
        row = get_seen(session, letter_id, seen)
        if row is None:
            raise InputError(f"there is no letter {letter_id}")
        letters.set_state(session, row, LetterState.DONE, who, now)


def answer_letter(
    database: Database, letter_id: int, text: str, who: str, now: datetime, *, seen: str | None = None
) -> None:
    """Plan an editor's answer to a letter; the next run sends it, and the writer's reply is received here.

    Raise InputError for a missing letter, one without a sender, or an empty answer, and LetterChanged where
    it is not as it was `seen`: so nobody gets two answers that do not know of each other.
    """
    if not text.strip():
        raise InputError("the answer is empty")
    with database.write() as session:
        row = get_seen(session, letter_id, seen)
        if row is None or not row.sender:
            raise InputError(f"there is no letter {letter_id} that can be answered")
        subject = row.subject if row.subject.lower().startswith("re:") else f"Re: {row.subject}"
        answer = Answer(
            created_at=now, kind="reply", subscriber_id=row.subscriber_id, address=row.sender, digest="",
            subject=subject, values={"text": text.strip()[:_MOST_TEXT]}, in_reply_to=row.mail_id, due_at=now,
        )  # fmt: skip
        answers.add_answer(session, answer)
        letters.set_state(session, row, LetterState.ANSWERED, who, now)
