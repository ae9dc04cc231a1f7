"""Confirmation pages for what cannot be undone: publishing before the deadline, withdrawing, correcting."""

from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import EditionName
from digest.tasks.desk import article_acts, drafts
from digest.tasks.desk.agenda import AgendaEntry, count_subscribed
from digest.tasks.desk.article_acts import ArticleReach
from digest.tasks.desk.draft_versions import ChangedMeanwhile
from digest.web.desk.edition import EditionPages
from digest.web.desk.pages import DeskPages, sentence


class IrreversiblePages:
    """Pages that say what an act will do, and do it when confirmed."""

    def __init__(self, front: DeskPages, edition: EditionPages) -> None:
        self._front = front
        self._edition = edition

    def to_publish(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Save the form, and go to the confirmation page."""
        name = EditionName(digest, cadence, period)
        saved = self._edition.save_first(request, name)
        if isinstance(saved, Response):
            return saved
        return self._front.go(f"{name.path}/publish", "preview-words" if saved else "")

    def show_publish(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Ask for confirmation before an edition is published ahead of its deadline."""
        return self._show_publish(request, self._unmade(EditionName(digest, cadence, period)))

    def publish(self, request: Request, digest: str, cadence: str, period: str) -> Response:
        """Publish an edition before its deadline."""
        name = EditionName(digest, cadence, period)
        entry = self._unmade(name)
        try:
            drafts.publish_now(self._front.desk, self._front.edit(request, name))
        except ChangedMeanwhile as meanwhile:
            return self._show_publish(request, self._unmade(name), 409, meanwhile=meanwhile.acts)
        except InputError as error:
            return self._show_publish(request, entry, 400, error=sentence(error))
        return self._front.go(name.path, "due")

    def show_withdraw(
        self, request: Request, digest: str, cadence: str, period: str, number: int
    ) -> Response:
        """Ask for confirmation before an article is withdrawn."""
        return self._ask(request, "withdraw", self._front.entry(EditionName(digest, cadence, period)), number)

    def withdraw(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Withdraw an article."""
        name = EditionName(digest, cadence, period)
        entry, reason = self._front.entry(name), self._front.get(request, "reason")
        self._reach(number)
        try:
            done = article_acts.withdraw_article(
                self._front.desk, self._front.edit(request, name), number, reason
            )
        except InputError as error:
            return self._ask(request, "withdraw", entry, number, 400, error=sentence(error), reason=reason)
        if done.gone:
            return self._front.go(f"{name.path}/correct/{number}", "withdrawn")
        return self._front.go(name.path, "withdrawn")

    def show_correct(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Ask for the text of a correction."""
        return self._ask(request, "correct", self._front.entry(EditionName(digest, cadence, period)), number)

    def correct(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Send a correction if its button says so; any other button only previews it."""
        name = EditionName(digest, cadence, period)
        entry, text = self._front.entry(name), self._front.get(request, "text")
        reach, desk = self._reach(number), self._front.desk
        try:
            shown = article_acts.preview_notice(desk, reach.article, text)
            if self._front.get(request, "do") != "send":
                return self._ask(request, "correct", entry, number, text=text, shown=shown)
            done = article_acts.correct_article(desk, self._front.edit(request, name), number, text)
        except InputError as error:
            return self._ask(request, "correct", entry, number, 400, error=sentence(error), text=text)
        return self._front.go(name.path, "corrected" if done.is_new else "corrected-before")

    def _unmade(self, name: EditionName) -> AgendaEntry:
        entry = self._front.entry(name)
        if entry.edition is not None:
            raise HTTPException(409, "This edition's deadline has passed. Its page shows how it stands.")
        return entry

    def _show_publish(
        self, request: Request, entry: AgendaEntry, status: int = 200, **values: Any
    ) -> Response:
        with self._front.desk.database.read() as session:
            readers = count_subscribed(session, entry.name)
        return self._front.show(
            request,
            "publish",
            status,
            title=f"Publish {entry.digest.title} now?",
            entry=entry,
            readers=readers,
            **{"error": "", "meanwhile": (), **values},
        )

    def _reach(self, number: int) -> ArticleReach:
        desk = self._front.desk
        with desk.database.read() as session:
            found = article_acts.find_reach(session, desk.running, number, self._front.now())
        if found is None:
            raise HTTPException(404)
        return found

    def _ask(
        self, request: Request, page: str, entry: AgendaEntry, number: int, status: int = 200, **values: Any
    ) -> Response:
        reach = self._reach(number)
        title = f"{page.capitalize()} “{reach.article.title}”"
        shown = {"error": "", "reason": "", "text": "", "shown": "", **values}
        return self._front.show(request, page, status, title=title, entry=entry, reach=reach, **shown)
