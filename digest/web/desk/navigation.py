"""The desk's sections in the order of its navigation; a section without a route is left out.

To add a section, add its route (routes.py): the link appears by itself. A section is the current one on all
pages below its path (`/desk/articles/7`).
"""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.routing import Match

from digest.models import Role
from digest.web.desk.access import HOME


@dataclass(frozen=True, slots=True)
class DeskSection:
    """A section of the desk: the text and the path of its link."""

    label: str
    path: str
    needs: Role = Role.EDITOR

    def holds(self, path: str) -> bool:
        """Return whether a page belongs to the section."""
        return path == self.path or path.startswith(f"{self.path}/")


@dataclass(frozen=True, slots=True)
class SectionLink:
    """A link of the navigation; `is_current` if the page shown is in its section."""

    label: str
    path: str
    is_current: bool


_PARTS_OF_A_NAME = 3
"""An edition's page is at `/desk/DIGEST/CADENCE/PERIOD`; a password's and a proof's are shorter."""

SECTIONS = (
    DeskSection("Editions", f"{HOME}/editions"),
    DeskSection("Calendar", f"{HOME}/calendar"),
    DeskSection("Articles", f"{HOME}/articles"),
    DeskSection("Readers", f"{HOME}/readers", Role.OPERATOR),
    DeskSection("Sources", f"{HOME}/sources"),
    DeskSection("Letters", f"{HOME}/letters"),
    DeskSection("Figures", f"{HOME}/figures"),
    DeskSection("Look", f"{HOME}/look", Role.PUBLISHER),
    DeskSection("API", f"{HOME}/api"),
    DeskSection("Settings", f"{HOME}/settings", Role.OPERATOR),
)


def section_links(app: FastAPI, path: str, role: Role) -> list[SectionLink]:
    """List the links of the navigation on a page; pages of an edition belong to the first section."""
    shown = [one for one in SECTIONS if role.includes(one.needs) and _is_routed(app, one.path)]
    named = next((one for one in shown if one.holds(path)), None)
    is_edition = named is None and path.count("/") >= HOME.count("/") + _PARTS_OF_A_NAME
    return [
        SectionLink(one.label, one.path, one is named or (is_edition and one is SECTIONS[0])) for one in shown
    ]


def _is_routed(app: FastAPI, path: str) -> bool:
    """Return whether a route matches a path; an included router is searched for its own routes."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)
