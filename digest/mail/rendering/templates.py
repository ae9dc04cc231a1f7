"""Templates are data: sandboxed and strict about names; an error names file, line and the likely remedy."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError
from markupsafe import Markup

from digest.errors import SettingsError
from digest.mail.rendering.catalogues import isolate
from digest.mail.rendering.dates import format_day
from digest.mail.rendering.language_tags import direction, strong_direction
from digest.mail.rendering.placeholders import TemplateInspectsValueError, guarded
from digest.mail.rendering.sandbox import LimitedEnvironment, counted_steps, memory_exceeded, with_limits
from digest.mail.rendering.text_part import plain, wrap

STOCK = "stock"
"""Prefix under which a publication's own template finds the one that it replaces: `{% extends "stock/NAME"
%}`."""

NAMES = ("content", "reader", "show", "say", "brand", "language", "timezone", "title", "publication", "card")


@dataclass(frozen=True, slots=True)
class TemplateBlock:
    """A block or macro of a template: its name, its file, its lines there, and whether that file is the
    publication's own."""

    name: str
    file: str
    line: int
    source: str
    is_own: bool


class Templates:
    """The templates of a folder; `overrides` may replace any of them.

    `render("letter.html.j2", {"content": content})` returns the text that the template writes.
    """

    def __init__(self, folder: Path, overrides: Path | None = None) -> None:
        self._folders = [path for path in (overrides, folder) if path is not None]
        self._environment = _environment(self._folders, folder)

    def has(self, name: str) -> bool:
        """Return whether there is a template of this name."""
        return any((folder / name).is_file() for folder in self._folders)

    def list_names(self, suffix: str) -> list[str]:
        """List the names that templates have before a suffix."""
        found = {path.name.removesuffix(suffix) for f in self._folders for path in f.glob(f"*{suffix}")}
        return sorted(name for name in found if "." not in name)

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """Render a template; raise SettingsError with file and line if it cannot be used."""
        with _explained(name), counted_steps():
            return self._environment.get_template(name).render(values)

    def macros(self, names: Iterable[str], context: Mapping[str, object]) -> Callable[[str], Any]:
        """Return a function that finds a macro by name, in the first of these templates that has it."""
        modules = []
        for name in names:
            with _explained(name):
                modules.append(self._environment.get_template(name).make_module(dict(context)))
        return lambda role: next((m for m in (getattr(module, role, None) for module in modules) if m), None)

    def blocks(self, name: str) -> list[TemplateBlock]:
        """List the blocks and macros of a template, those of the publication's own file first.

        A file that cannot be parsed has one, named "", with all of its source.
        """
        found = []
        for folder in self._folders:
            path = folder / name
            if path.is_file():
                own = folder is not self._folders[-1]
                source = path.read_text(encoding="utf-8")
                found += [TemplateBlock(*place, own) for place in self._parts_of(name, source)]
        return found

    def own_files(self) -> list[str]:
        """List the names of the publication's own templates and style sheets."""
        own = [path.name for folder in self._folders[:-1] for path in folder.iterdir() if path.is_file()]
        return sorted(name for name in own if name.endswith((".j2", ".css")))

    def check(self, name: str) -> str:
        """Return what is wrong with a template as written, with file and line; "" if it can be compiled."""
        try:
            with _explained(name):
                self._environment.get_template(name)
        except SettingsError as error:
            return str(error)
        return ""

    def line_of(self, path: Path, compiled: int) -> int:
        """Return the line of a template's file that a line of its compiled code stands for."""
        name = path.name if path.parent == self._folders[0] else f"{STOCK}/{path.name}"
        return self._environment.get_template(name).get_corresponding_lineno(compiled)

    def _parts_of(self, name: str, source: str) -> Iterator[tuple[str, str, int, str]]:
        """Yield the name, file, first line and source of each block or macro, inner ones before outer."""
        lines = source.splitlines()
        try:
            tokens = [one for one in self._environment.lex(source) if one[1] in ("block_begin", "name")]
        except TemplateError:
            yield "", name, 1, source
            return
        opened: list[tuple[str, int]] = []
        for at, (line, kind, _) in enumerate(tokens):
            if kind != "block_begin" or at + 1 >= len(tokens):
                continue
            word = tokens[at + 1][2]
            if word in ("block", "macro") and at + 2 < len(tokens):
                opened.append((tokens[at + 2][2], line))
            elif word in ("endblock", "endmacro") and opened:
                label, begins = opened.pop()
                ends = tokens[at + 1][0]
                yield label, name, begins, "\n".join(lines[begins - 1 : ends])

    def layers(self, name: str) -> list[str]:
        """Return the names under which a template's macros are looked up: an own template, then ours."""
        own = [name] if len(self._folders) > 1 and (self._folders[0] / name).is_file() else []
        return own + ([f"{STOCK}/{name}"] if (self._folders[-1] / name).is_file() else [])


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn an error in a template into a SettingsError of one line: the place and the mistake."""
    try:
        yield
    except (TemplateInspectsValueError, SettingsError):
        raise
    except TemplateSyntaxError as error:
        at = f"{_plain_name(error.name or name)}, line {error.lineno}"
        raise SettingsError(f"template {at}: {error.message}") from None
    except TemplateNotFound as error:
        raise SettingsError(f"template {_place(error, name)}: there is no template {error.message}") from None
    except TemplateError as error:
        raise SettingsError(f"template {_place(error, name)}: {error}") from None
    except RecursionError as error:
        said = "it is nested too deeply; check it for a macro or file that calls itself"
        raise SettingsError(f"template {_place(error, name)}: {said}") from None
    except MemoryError as error:
        raise SettingsError(f"template {_place(error, name)}: {memory_exceeded()}") from None
    except Exception as error:  # noqa: BLE001 - a template may raise whatever its expressions do
        raise SettingsError(f"template {_place(error, name)}: {type(error).__name__}: {error}") from None


def _place(error: BaseException, name: str) -> str:
    """Return file and line of the innermost template that an error passed through."""
    at, trace = _plain_name(name), error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.suffix in (".j2", ".css"):
            at = f"{path.name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return at


def _plain_name(name: str) -> str:
    return name.removeprefix(f"{STOCK}/")


class _Undefined(StrictUndefined):
    """An undefined name; its use raises an error that suggests the name that was probably meant."""

    @property
    def _undefined_message(self) -> str:
        said = super()._undefined_message
        name, owner = self._undefined_name, self._undefined_obj
        known = list(owner) if isinstance(owner, Mapping) else [n for n in dir(owner) if n[0] != "_"]
        if re.fullmatch(r"'\w+' is undefined", said):
            known = [*NAMES]
        said = re.sub(r"'[\w.]+\.(\w+) object'", r"\1", said)
        close = difflib.get_close_matches(str(name), known, n=1)
        return f'{said}; did you mean "{close[0]}"?' if close else said


def _environment(folders: list[Path], folder: Path) -> LimitedEnvironment:
    loaders = [FileSystemLoader(path) for path in folders]
    environment = LimitedEnvironment(
        loader=ChoiceLoader([*loaders, PrefixLoader({STOCK: FileSystemLoader(folder)})]),
        autoescape=lambda name: bool(name and ".html" in name),
        undefined=_Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "wrap": wrap,
        "href": safe_href,
        "day": _day,
        "short_day": format_day,
        "clean": Markup,
        "bdi": isolate,
        "plain": plain,
        "direction": direction,
        "strong_direction": strong_direction,
    }
    known: Any
    for known in (environment.filters, environment.tests):
        known.update({name: guarded(with_limits(function)) for name, function in known.items()})
    return environment


def safe_href(url: str | None) -> str:
    """Return a link that is allowed in a message; "" for any other scheme."""
    if not url:
        return ""
    return url if urlsplit(url).scheme.lower() in ("http", "https", "mailto") else ""


def _day(moment: datetime, language: str, timezone: str) -> str:
    return format_day(moment, language, timezone, "full")
