"""Send an article as breaking news: a page that says who would get it, and a button for publishers."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.errors import InputError
from digest.models import EditionName
from digest.tasks.desk.draft_articles import find_stored
from digest.tasks.editions.breaking import BreakingDesk
from digest.web.desk.pages import DeskPages, sentence


class BreakingPages:
    """The confirmation page, and sending."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front
        desk = front.desk
        self._news = BreakingDesk(
            desk.database, desk.settings, desk.composer, desk.renderer.speaks, desk.renderer.say
        )

    def show(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Show who would get an article, and ask for confirmation."""
        return self._ask(request, EditionName(digest, cadence, period), number)

    def send(self, request: Request, digest: str, cadence: str, period: str, number: int) -> Response:
        """Send an article to all who chose breaking news and do not have it yet."""
        name = EditionName(digest, cadence, period)
        self._front.entry(name)
        edit = self._front.edit(request, name)
        try:
            done = self._news.send(str(number), edit.who, edit.now, acted_on=name)
        except InputError as error:
            return self._ask(request, name, number, 409, error=sentence(error))
        return self._front.go(name.path, "broken" if done.readers else "broken-before")

    def _ask(
        self, request: Request, name: EditionName, number: int, status: int = 200, error: str = ""
    ) -> Response:
        entry = self._front.entry(name)
        with self._front.desk.database.read() as session:
            article = find_stored(session, number)
        if article is None:
            raise HTTPException(404)
        found = None
        try:
            found = self._news.count(str(number))
        except InputError as why:
            error = error or sentence(why)
        return self._front.show(
            request,
            "breaking",
            status,
            title="Send as breaking news?",
            entry=entry,
            article=article,
            found=found,
            error=error,
        )
