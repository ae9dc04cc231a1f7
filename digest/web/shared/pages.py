"""Pages out of templates: one small Jinja2 environment that escapes everything."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from digest.mail.rendering.phrases import direction
from digest.models.cadence import Cadence, Unit
from digest.settings import DigestSettings, Settings

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class CadenceChoice:
    """A cadence as a reader picks it."""

    name: str
    label: str
    when: str


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
        self._templates.filters["moment"] = self._name_moment
        self._templates.filters["span"] = name_span
        self._templates.filters["clean"] = Markup
        self._folder = folder
        self._templates.filters["day"] = self.name_day
        self._templates.filters["direction"] = direction
        self._has_archive = any(digest.is_public for digest in settings.digests)
        self.style = (folder / "style.css").read_bytes()
        self.icon = (folder / "icon.svg").read_bytes()

    def file(self, name: str) -> bytes:
        """Read a file that is given out as it is."""
        return (self._folder / name).read_bytes()

    def render(self, name: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page with what every page shows."""
        template = self._templates.get_template(f"{name}.html.j2")
        return HTMLResponse(
            template.render(site=self._settings.site, has_archive=self._has_archive, **values), status
        )

    def say(self, title: str, *paragraphs: str, status: int = 200, **values: object) -> HTMLResponse:
        """Render a page that only says something, with at most one link to go on."""
        shown = {"link": "", "link_text": "", **values}
        return self.render("message", status, title=title, paragraphs=paragraphs, **shown)

    def list_offers(self, digest: DigestSettings) -> list[CadenceChoice]:
        """List a digest's cadences in words, in its own order."""
        zone = _name_zone(self._settings.site.timezone)
        return [
            CadenceChoice(
                name, name.replace("-", " ").capitalize(), f"{_say_when(digest.cadence(name))} ({zone})"
            )
            for name in digest.cadences
        ]

    def name_day(self, at: datetime) -> str:
        """Give a moment's date in the publication's zone."""
        local = at.astimezone(self._settings.zone)
        return f"{local.day} {local:%B %Y}"

    def _name_moment(self, at: datetime) -> str:
        local = at.astimezone(self._settings.zone)
        return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def _say_when(cadence: Cadence) -> str:
    if cadence.is_at_once:
        return "as it happens"
    clock = " and ".join(f"{time:%H:%M}" for time in cadence.times)
    if cadence.unit is Unit.WEEK and cadence.text.partition(" ")[0].isalpha() and cadence.day is not None:
        return f"every {_DAYS[cadence.day]} at {clock}"
    if cadence.unit is Unit.MONTH and cadence.day is not None:
        return f"on day {cadence.day} of each month at {clock}"
    return f"every day at {clock}" if cadence.text[:1].isdigit() and ":" in cadence.text[:5] else cadence.text


def name_span(span: timedelta) -> str:
    """Say how long something takes, in its two largest units."""
    minutes = max(0, int(span.total_seconds()) // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _name_zone(zone: str) -> str:
    city = zone.rpartition("/")[2].replace("_", " ")
    return f"{city} time" if "/" in zone else zone


def _name_topic(topic: str) -> str:
    return topic.replace("-", " ").capitalize()
