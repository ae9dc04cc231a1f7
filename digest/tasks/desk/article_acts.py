"""Withdraw or correct an article at the desk: show the effect, do it, and record who did it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from digest.articles.introductions import introduce
from digest.models import Article, Edition
from digest.models.row import row_id
from digest.rules.editions.placeholders import fill_notice
from digest.store.articles import articles
from digest.store.editions import archive, corrections, drafts
from digest.tasks.articles.withdrawing import Withdrawn, withdraw
from digest.tasks.desk.agenda import AgendaEntry, made_entry
from digest.tasks.desk.desk import Desk
from digest.tasks.desk.draft_versions import Edit
from digest.tasks.editions import correcting
from digest.tasks.editions.correcting import Corrected
from digest.tasks.ledger.running_sums import RunningSums


@dataclass(frozen=True, slots=True)
class ArticleReach:
    """How far an article has spread: messages that wait, messages sent, corrections."""

    article: Article
    waiting: int
    gone: int
    corrections: int


def find_reach(session: Session, running: RunningSums, article_id: int, now: datetime) -> ArticleReach | None:
    """Return how far an article has spread; None if there is no such article."""
    article = articles.find_article_named(session, str(article_id))
    if article is None:
        return None
    return ArticleReach(
        article,
        *running.count_with(session, article_id, now),
        len(corrections.list_of(session, [article_id]).get(article_id, [])),
    )


def list_contents(session: Session, edition: Edition) -> list[Article]:
    """List all articles of an edition's variants, those withdrawn since at the end."""
    shown = [one.article for one in archive.list_shown(session, edition)]
    return [*shown, *archive.list_taken_out(session, edition)]


def list_corrections(session: Session, entry: AgendaEntry, contents: Sequence[Article]) -> list[AgendaEntry]:
    """List the corrections of an edition's articles in its digest, the latest first."""
    rows = corrections.list_editions_of(session, [row_id(article) for article in contents])
    return [made_entry(session, entry.digest, row) for row in rows if row.digest == entry.digest.name]


def withdraw_article(desk: Desk, edit: Edit, article_id: int, reason: str) -> Withdrawn:
    """Withdraw an article; the activity of every edition with it records who did so, and why."""
    reason = " ".join(reason.split())[:500]

    def record(session: Session, article: Article) -> None:
        _note(session, edit, article, f"withdrew “{article.title}”" + (f": {reason}" if reason else ""))

    return withdraw(desk.database, str(article_id), reason, lambda: edit.now, record)


def correct_article(desk: Desk, edit: Edit, article_id: int, text: str) -> Corrected:
    """Send a correction to all who have an article; the activity of editions with it records who did so."""

    def record(session: Session, told: int) -> None:
        article = articles.get_article(session, str(article_id))
        readers = "1 reader" if told == 1 else f"{told:,} readers"
        _note(session, edit, article, f"corrected “{article.title}” for {readers}")

    return correcting.correct(
        desk.database,
        desk.settings,
        str(article_id),
        text,
        edit.now,
        speaks=desk.renderer.speaks,
        record=record,
    )


def preview_notice(desk: Desk, article: Article, text: str) -> str:
    """Return a correction as HTML, as readers in the publication's language get it."""
    heading = desk.renderer.say(desk.settings.site.language, "correction", title=article.title)
    notice = correcting.notice_of(article, correcting.checked_text(text))
    return introduce(fill_notice(notice, heading), desk.settings.site.base_url)


def _note(session: Session, edit: Edit, article: Article, act: str) -> None:
    """Record an act in the activity of the edition where it was done, and of all with the article."""
    made = archive.list_holding(session, row_id(article))
    for name in dict.fromkeys([edit.name, *(edition.name for edition in made)]):
        drafts.note(session, drafts.find_or_new(session, *name), edit.who, act, edit.now)
