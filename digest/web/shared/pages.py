"""Pages from templates: one small Jinja2 environment that escapes everything."""

from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from digest.mail.rendering.catalogues import ENGLISH, isolate
from digest.mail.rendering.language_tags import direction
from digest.rules.editions.approval import name_moment
from digest.safe_text import without_secrets
from digest.settings import Settings


class Pages:
    """Renders the pages of one publication."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["topic"] = _name_topic
        self._templates.filters["moment"] = self.name_moment
        self._templates.filters["span"] = name_span
        self._templates.filters["clean"] = Markup
        self._folder = folder
        self._templates.filters["day"] = self.name_day
        self._templates.filters["direction"] = direction
        self._templates.filters["bdi"] = isolate
        self._templates.filters["without_secrets"] = without_secrets
        self._has_archive = any(digest.is_public for digest in settings.digests)
        self.style = (folder / "style.css").read_bytes()
        self.icon = (folder / "icon.svg").read_bytes()

    def file(self, name: str) -> bytes:
        """Return the content of a static file."""
        return (self._folder / name).read_bytes()

    def render(self, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page with the values that every page shows; in English unless a view says otherwise."""
        template = self._templates.get_template(f"{name}.html.j2")
        known: dict[str, object] = {
            "site": self._settings.site,
            "has_archive": self._has_archive,
            "_": ENGLISH,
            "language": ENGLISH.language,
            "languages": (),
            **values,
        }
        return HTMLResponse(template.render(known), status)

    def say(self, title: str, *paragraphs: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page with just a message, and at most one link."""
        shown = {"link": "", "link_text": "", **values}
        return self.render("message", status, title=title, paragraphs=paragraphs, **shown)

    def name_day(self, at: datetime) -> str:
        """Return a moment's date in the publication's zone."""
        local = at.astimezone(self._settings.zone)
        return f"{local.day} {local:%B %Y}"

    def name_moment(self, at: datetime) -> str:
        """Return a moment in the publication's zone: `Mon 23 Nov, 07:00`."""
        return name_moment(at, self._settings.zone)


def name_span(span: timedelta) -> str:
    """Describe a duration in its two largest units."""
    minutes = max(0, int(span.total_seconds()) // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _name_topic(topic: str) -> str:
    return topic.replace("-", " ").capitalize()
