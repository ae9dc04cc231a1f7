"""The looks side by side: try colours, fonts and a logo on the latest edition; compare templates' blocks."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from digest.errors import SettingsError
from digest.settings.look import LookSettings, look_lines, try_look
from digest.tasks.looks.trial import Trial
from digest.web.desk.access import HOME
from digest.web.desk.pages import DeskPages
from digest.web.desk.preview import as_scheme

LOOK = f"{HOME}/look"
_COLOURS = ("background", "paper", "ink", "muted", "rule", "accent")
_FONTS = ("heading_font", "body_font", "small_font")
_LOGO = ("logo", "logo_alt", "logo_width")
_FIELDS = (*_COLOURS, *(f"dark_{name}" for name in _COLOURS), *_FONTS, *_LOGO)
_LONGEST = 300
_FRAME = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


class LookPages:
    """What messages look like with other settings; nothing is saved here."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, request: Request) -> Response:
        """Show the form, the looks in frames, and the lines for config.toml."""
        desk, typed = self._front.desk, self._typed(request)
        error, trial = "", None
        look = desk.settings.look
        try:
            look = try_look(look, _values(typed)) if request.query_params else look
        except SettingsError as problem:
            error = str(problem)
        try:
            trial = Trial(desk.database, desk.settings, look)
        except SettingsError as problem:
            error = str(problem)
        shown = trial.find_content(self._front.now()) if trial else None
        return self._front.show(
            request,
            "look",
            400 if error else 200,
            title="Look",
            typed=typed,
            colours=_COLOURS,
            fonts=_FONTS,
            dark=request.query_params.get("dark") == "1",
            query=urlencode({**typed, "dark": request.query_params.get("dark", "")}) if not error else "",
            error=error.splitlines(),
            looks=trial.looks if trial else [],
            used={digest.template for digest in desk.settings.digests},
            edition=shown.edition if shown else "",
            problems=trial.problems(shown) if trial and shown else {},
            contrasts=[one for one in trial.contrasts() if not one.is_readable] if trial else [],
            lines=look_lines(look),
            is_changed=look != desk.settings.look,
            file=str(desk.settings.file),
        )

    def frame(self, request: Request, look: str) -> Response:
        """Return the latest edition in one look, with the values of the query, for a frame."""
        desk = self._front.desk
        values = _values(self._typed(request))
        try:
            trial = Trial(desk.database, desk.settings, try_look(desk.settings.look, values))
            page = trial.draw(trial.find_content(self._front.now()), look)
        except SettingsError as error:
            raise HTTPException(404) from error
        page = as_scheme(page, dark=request.query_params.get("dark") == "1")
        return HTMLResponse(page, headers={"Content-Security-Policy": _FRAME})

    def templates(self, request: Request, look: str) -> Response:
        """Show the blocks of a look's templates, overridden ones beside the originals, with their errors."""
        desk = self._front.desk
        try:
            trial = Trial(desk.database, desk.settings, desk.settings.look)
            trial.renderer.require(look)
        except SettingsError as error:
            raise HTTPException(404) from error
        templates = trial.renderer.templates
        names = (f"{look}.html.j2", f"{look}.cards.html.j2", f"{look}.css", "frame.html.j2", "digest.txt.j2")
        own = templates.own_files()
        files = [
            (name, templates.blocks(name), trial.renderer.check(name))
            for name in dict.fromkeys((*names, *own))
        ]
        return self._front.show(
            request,
            "look_templates",
            title=f"Templates of {look}",
            look=look,
            looks=trial.looks,
            files=[one for one in files if one[1] or one[2]],
            problem=trial.problems(trial.find_content(self._front.now())).get(look, ""),
            folder=desk.settings.look.folder,
        )

    def _typed(self, request: Request) -> dict[str, str]:
        """Return the form's fields: as typed, or else as configured."""
        if request.query_params:
            return {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
        return {name: _text(getattr(self._front.desk.settings.look, name)) for name in _FIELDS}


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def _values(typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the form's values in the types of the settings; fonts are separated by commas."""
    values: dict[str, Any] = dict(typed)
    for name in _FONTS:
        values[name] = tuple(one.strip().strip("\"'") for one in typed[name].split(",") if one.strip())
    if not typed["logo_width"]:
        values["logo_width"] = LookSettings.model_fields["logo_width"].default
    return values
