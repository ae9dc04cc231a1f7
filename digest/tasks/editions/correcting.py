"""Correct an article: a short notice to exactly the readers who have it.

The notice is an edition of its own, unique by digest and period, with a delivery for each reader: claims,
marks, repeats and the audit work as for every edition. It is planned in key ranges with a commit each, so
that nobody waits for all of it, and nothing of it is sent before the last one has frozen it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Article, Correction, DeliveryState, Edition, EditionState, MailForm
from digest.models.cadence import CORRECTION
from digest.models.row import row_id
from digest.rules.editions.placeholders import (
    unresolved_in_text,
    write_notice,
)
from digest.rules.editions.selection import Chosen
from digest.settings import Settings
from digest.settings.types import pictures_in_text
from digest.store.articles import articles, duplicates
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import corrections, drafts, editions, planning, variants
from digest.store.editions.corrections import ToldReaders
from digest.tasks.editions.freeze import open_to_claims
from digest.tasks.editions.planning import RANGE_SIZE, PlanningPace

_LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Corrected:
    """`told` readers get a notice; `withheld` have left or paused; `is_new` is False for an equal text."""

    article_id: int
    title: str
    editions: tuple[str, ...]
    told: int
    withheld: int
    is_new: bool = True


def correct(
    database: Database,
    settings: Settings,
    name: str,
    text: str,
    now: datetime,
    *,
    speaks: Callable[[str], bool],
    record: Callable[[Session, int], None] | None = None,
) -> Corrected:
    """Plan a notice for every reader who has an article; the same text again plans nothing.

    Its subject and heading are in each reader's language. The first commit enters the notice, an edition for
    each digest; where this process ends before the last one, the next run goes on. `record` may store in the
    first commit who did it, and for how many readers.
    """
    text = checked_text(text)
    with database.read() as session:
        number = row_id(_article(session, name))
        digests = corrections.list_digests(session, number)
        told = corrections.count_readers(session, number)
    with database.write() as session:
        drafts.take_turns(session)
        article = _article(session, name)
        title = article.title
        if corrections.find_same(session, number, text) is not None:
            return Corrected(number, title, (), 0, 0, is_new=False)
        notice = notice_of(article, text)
        made = [_enter(session, settings, digest, title, notice, now) for digest in digests]
        session.add_all(
            Correction(article_id=number, edition_id=row_id(edition), text=text, at=now) for edition in made
        )
        if record is not None:
            record(session, told)
    for edition in made:
        plan_notice(database, settings, edition, speaks)
    with database.read() as session:
        counts = [deliveries.count_states(session, row_id(edition)) for edition in made]
    withheld = sum(count.get(DeliveryState.WITHHELD, 0) for count in counts)
    return Corrected(number, title, tuple(str(edition.name) for edition in made), told, withheld)


def plan_notice(
    database: Database,
    settings: Settings,
    edition: Edition,
    speaks: Callable[[str], bool],
    worker_id: int | None = None,
) -> None:
    """Plan a notice from its last range on; the last commit freezes it.

    It ends early where a worker took the edition over meanwhile.
    """
    planning.refresh_statistics(database)
    pace, planned = PlanningPace.of(RANGE_SIZE), 1
    while planned:
        began = monotonic()
        with database.write() as session:
            planning.take_turns(session)
            current = editions.own_edition(session, row_id(edition), worker_id)
            if current is None:
                return
            planned = _plan_range(session, settings, current, speaks, pace.size)
            keeps_out = planning.keeps_others_out(session)
        if planned:
            pace.adapt(monotonic() - began if keeps_out else 0, planned)
            database.give_way()


def checked_text(text: str) -> str:
    """Return what a correction says; raise InputError where that is nothing, too long, or cannot be sent."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InputError("the correction is empty: say what was wrong and what is right")
    if len(text) > _LONGEST:
        raise InputError(f"the correction has {len(text):,} characters; {_LONGEST:,} are enough for a notice")
    unresolved = unresolved_in_text(text)
    if unresolved:
        raise InputError(
            f"the correction has {', '.join(unresolved)}: nothing is filled in there; write the words"
        )
    pictures = pictures_in_text(text)
    if pictures:
        raise InputError(
            f"the correction cannot contain pictures ({pictures[0][:100]}): write a link instead"
        )
    return text


def _article(session: Session, name: str) -> Article:
    article = articles.get_article(session, name)
    root = duplicates.story_of(session, row_id(article))[0]
    if root != article.id:
        raise InputError(
            f"article {article.id} is folded into article {root}, which readers have: correct that"
        )
    return article


def _enter(
    session: Session, settings: Settings, digest: str, subject: str, introduction: str, now: datetime
) -> Edition:
    edition = Edition(
        digest=digest, cadence=CORRECTION, period="", state=EditionState.COMPILING,
        deadline_at=now, freeze_at=now, subject=subject, introduction=introduction,
    )  # fmt: skip
    return editions.add_numbered(session, edition, now.astimezone(settings.zone).date())


def _plan_range(
    session: Session, settings: Settings, edition: Edition, speaks: Callable[[str], bool], size: int
) -> int:
    """Plan the notice for those of the next readers who have the article, and return how many were asked.

    Where there are none, freeze the edition. Whoever's range is later, of this or of another digest, finds in
    the ledger that a reader is told already.
    """
    found = corrections.next_range(session, edition, size)
    if found is None:
        open_to_claims(session, edition)
        return 0
    correction = corrections.get_of(session, edition)
    audiences: dict[tuple[str, MailForm], list[ToldReaders]] = {}
    for one in corrections.list_audiences(session, correction, edition, found.last):
        shown = one.language if one.language and speaks(one.language) else settings.site.language
        audiences.setdefault((shown, MailForm(one.mail_form)), []).append(one)
    own = {
        variants.find_or_add_variant(session, row_id(edition), shown, Chosen((), mail_form=form)): readers
        for (shown, form), readers in audiences.items()
    }
    corrections.plan(session, correction, edition, found.last, own)
    edition.compiled_to = found.last
    session.add(edition)
    return found.count


def notice_of(article: Article, text: str) -> str:
    """Return the notice as Markdown: the article's title, with a link if that still works, and the text."""
    stands = article.withdrawn_at is None and article.url.startswith(("http://", "https://"))
    return write_notice(re.sub(r"[<>\s\\]", "", article.url) if stands else "", text)
