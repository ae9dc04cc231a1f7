"""Correct an article: a short notice to exactly the readers who have it.

The notice is an edition of its own, unique by digest and period, with a delivery for each reader: claims,
marks, repeats and the audit work as for every edition.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.errors import InputError
from digest.models import Article, Correction, DeliveryState, Edition, EditionState, MailForm
from digest.models.cadence import CORRECTION
from digest.models.programs.webhooks import WebhookEvent
from digest.models.row import row_id
from digest.rules.editions.placeholders import (
    pictures_in_text,
    unresolved_in_text,
    write_notice,
)
from digest.rules.editions.selection import Chosen
from digest.settings import Settings
from digest.store import workers
from digest.store.articles import articles, corrections, duplicates
from digest.store.articles.corrections import ToldReaders
from digest.store.database import Database
from digest.store.delivery import deliveries
from digest.store.editions import editions, variants
from digest.tasks.webhooks.outbox import tell_of_edition

_LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class Corrected:
    """`told` readers will be notified, `withheld` left or paused; `is_new` is False for an equal text."""

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
    record: Callable[[Session, Corrected], None] | None = None,
) -> Corrected:
    """Plan a notice for every reader who has an article; the same text again plans nothing.

    Its subject and heading are in each reader's language. One commit inserts the notice with all its
    deliveries, so that it is sent to all readers or to none; `record` may store in it who did it.
    """
    text = checked_text(text)
    with database.write() as session:
        article = articles.get_article(session, name)
        _refuse_folded(session, article)
        if corrections.find_same(session, row_id(article), text) is not None:
            return Corrected(row_id(article), article.title, (), 0, 0, is_new=False)
        made: list[Edition] = []
        for digest in corrections.list_digests(session, row_id(article)):
            edition = _enter(session, settings, digest, article.title, notice_of(article, text), now)
            _plan(session, settings, edition, article, [row_id(one) for one in made], speaks, now)
            session.add(Correction(
                article_id=row_id(article), edition_id=row_id(edition), text=text, at=now
            ))  # fmt: skip
            made.append(edition)
        if made:
            workers.raise_counter(session)
        counts = [deliveries.count_states(session, row_id(edition)) for edition in made]
        done = Corrected(
            row_id(article),
            article.title,
            tuple(str(edition.name) for edition in made),
            sum(count.get(DeliveryState.PLANNED, 0) for count in counts),
            sum(count.get(DeliveryState.WITHHELD, 0) for count in counts),
        )
        if record is not None:
            record(session, done)
    return done


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


def _refuse_folded(session: Session, article: Article) -> None:
    root = duplicates.story_of(session, row_id(article))[0]
    if root != article.id:
        raise InputError(
            f"article {article.id} is folded into article {root}, which readers have: correct that"
        )


def _enter(
    session: Session, settings: Settings, digest: str, subject: str, introduction: str, now: datetime
) -> Edition:
    edition = Edition(
        digest=digest, cadence=CORRECTION, period="", state=EditionState.FROZEN,
        deadline_at=now, freeze_at=now, frozen_at=now, subject=subject, introduction=introduction,
    )  # fmt: skip
    entered = editions.add_numbered(session, edition, now.astimezone(settings.zone).date())
    tell_of_edition(session, WebhookEvent.EDITION_FROZEN, entered, now)
    return entered


def _plan(
    session: Session,
    settings: Settings,
    edition: Edition,
    article: Article,
    told: list[int],
    speaks: Callable[[str], bool],
    now: datetime,
) -> None:
    audiences: dict[tuple[str, MailForm], list[ToldReaders]] = {}
    for one in corrections.list_audiences(session, row_id(article), edition.digest):
        shown = one.language if one.language and speaks(one.language) else settings.site.language
        audiences.setdefault((shown, MailForm(one.mail_form)), []).append(one)
    own = {
        variants.find_or_add_variant(session, row_id(edition), shown, Chosen((), mail_form=form)): readers
        for (shown, form), readers in audiences.items()
    }
    corrections.plan(session, edition, row_id(article), own, told, now)


def notice_of(article: Article, text: str) -> str:
    """Return the notice as Markdown: the article's title, with a link if that still works, and the text."""
    stands = article.withdrawn_at is None and article.url.startswith(("http://", "https://"))
    return write_notice(re.sub(r"[<>\s\\]", "", article.url) if stands else "", text)
