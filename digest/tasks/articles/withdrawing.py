"""Withdraw an article from the archive, the feeds, and every delivery that has not been sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.models import Article, Edition, Withdrawal
from digest.models.row import row_id
from digest.store.articles import articles, duplicates, images, withdrawals
from digest.store.database import Database
from digest.store.editions import corrections, edition_sums


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The result: deliveries that lost the article, those withheld for it, readers who have it."""

    article_id: int
    title: str
    changed: int
    withheld: int
    gone: int


def withdraw(
    database: Database,
    name: str,
    reason: str,
    clock: Callable[[], datetime],
    record: Callable[[Session, Article], None] | None = None,
) -> Withdrawn:
    """Withdraw an article; done again, it completes what is left and changes nothing else.

    The first commit keeps it out of every edition that is still to be compiled, the next ones remove it from
    the others. A message that is not marked in flight by then is sent without it. `record` may store in the
    first commit who did it.
    """
    with database.write() as session:
        article = articles.get_article(session, name)
        known = withdrawals.find_withdrawal(session, row_id(article))
        withdrawal = known or withdrawals.enter(session, article, clock(), reason)
        images.forget_of(session, article)
        if record is not None and known is None:
            record(session, article)
    changed, withheld = _carry_out(database, withdrawal, clock)
    with database.read() as session:
        _, gone = edition_sums.count_with(session, row_id(article))
    return Withdrawn(row_id(article), article.title, changed, withheld, gone)


def finish_withdrawals(database: Database, clock: Callable[[], datetime]) -> None:
    """Complete what a process that died has begun."""
    with database.read() as session:
        begun = withdrawals.list_begun(session)
    for withdrawal in begun:
        _carry_out(database, withdrawal, clock)


def take_out_withdrawn(session: Session, edition: Edition, now: datetime) -> None:
    """Take the articles out of an edition that were withdrawn while it was compiled, or since."""
    for withdrawal in withdrawals.list_within(session, row_id(edition)):
        shows = _shows(session, withdrawal)
        withdrawals.take_out(session, withdrawal, row_id(edition), shows, now)
        withdrawals.unplace(session, withdrawal, row_id(edition))


def _carry_out(database: Database, withdrawal: Withdrawal, clock: Callable[[], datetime]) -> tuple[int, int]:
    with database.read() as session:
        shows = _shows(session, withdrawal)
        editions = withdrawals.list_open_editions(session, shows)
    changed = withheld = 0
    for edition_id in editions:
        with database.write() as session:
            counts = withdrawals.take_out(session, withdrawal, edition_id, shows, clock())
        changed, withheld = changed + counts[0], withheld + counts[1]
        # A cohort caches the ledger: without this commit it only excludes more articles than necessary.
        with database.write() as session:
            withdrawals.unplace(session, withdrawal, edition_id)
    with database.write() as session:
        corrections.withhold_lost(session, withdrawal.article_id, clock())
        withdrawal.done_at = withdrawal.done_at or clock()
        session.add(withdrawal)
    return changed, withheld


def _shows(session: Session, withdrawal: Withdrawal) -> list[int]:
    """List the articles whose cards show the withdrawn one: itself, and the root of its story."""
    return list(
        dict.fromkeys([withdrawal.article_id, duplicates.story_of(session, withdrawal.article_id)[0]])
    )
