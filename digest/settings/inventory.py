"""Every setting as it stands: its value, where that comes from, and what it means; never a secret.

Nothing is changed by it. The file is read again, so that what was changed in it since the start is seen.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr
from pydantic_settings import EnvSettingsSource

from digest.errors import SettingsError
from digest.safe_text import without_secret_values, without_secrets
from digest.settings.loading import load_settings
from digest.settings.meanings import meaning_of
from digest.settings.settings import RESERVED, Settings
from digest.settings.toml_text import toml_value

Origin = Literal["file", "environment", "default"]
_HIDDEN = "(set, not shown)"
_LOGIN = re.compile(r"(://[^:/@]*):.*@")
_LISTS = ("sources", "topics", "digests")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `value` is what runs; `next_value` what a restart would bring, where that differs."""

    key: str
    value: str
    origin: Origin
    place: str
    meaning: str
    next_value: str | None = None


@dataclass(frozen=True, slots=True)
class SettingTable:
    """A table of the settings: `[smtp]`, or `[[digests]] "world"`."""

    name: str
    anchor: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tables, and what is wrong with the file as it stands now; "" where it can be loaded.

    `pending` is how many settings a restart would change, those of tables that are not shown too; `more` is
    where the tables go on that were not shown.
    """

    tables: tuple[SettingTable, ...]
    error: str
    pending: int = 0
    more: int | None = None


def take_inventory(
    running: Settings, *, find: str = "", only_set: bool = False, first: int = 0, most: int | None = None
) -> Inventory:
    """Return the settings that this process runs with, beside the file as it stands now.

    These are those whose key or meaning contains `find`, without the defaults if `only_set`; of the tables
    that have any, at most so many from the one with the number `first` on. The sources come last, as there
    may be thousands of them.
    """
    now = _read_again(running.file)
    found, wanted, more = list[SettingTable](), find.casefold(), None
    for number, (name, at) in enumerate(_tables(running)):
        if number < first:
            continue
        table = _table(running, now, name, at, wanted, only_set)
        if table.settings and len(found) == most:
            more = number
            break
        if table.settings:
            found.append(table)
    return Inventory(tuple(found), now.error, _count_pending(running, now), more)


@dataclass(frozen=True, slots=True)
class _FileNow:
    """A settings file as it stands: what it would bring, or what is wrong with it; `places` are its lines."""

    tables: Mapping[tuple[str, str], BaseModel]
    error: str
    places: Mapping[tuple[str, ...], int]
    brought: Mapping[str, Any]
    variables: frozenset[str]


def _read_again(file: Path) -> _FileNow:
    """Read a settings file; anew only if it or the environment has changed, as it may be long."""
    try:
        now = file.stat()
        changed_at, size = now.st_mtime_ns, now.st_size
    except OSError:
        changed_at = size = 0
    variables = {name.upper(): value for name, value in os.environ.items()}
    own = sorted(item for item in variables.items() if item[0].startswith("DIGEST_"))
    return _file_now(file, changed_at, size, tuple(own))


@lru_cache(maxsize=2)
def _file_now(file: Path, _changed_at: int, _size: int, variables: tuple[tuple[str, str], ...]) -> _FileNow:
    later, error = None, ""
    try:
        later = load_settings(file)
    except SettingsError as problem:
        error = str(problem)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    tables = {}
    for name, at in _tables(later) if later else ():
        table = getattr(later, name)
        tables[name, "" if at is None else table[at].name] = table if at is None else table[at]
    places = {place: number for number, place in _keys(lines)}
    names = frozenset(name for name, _ in variables)
    return _FileNow(tables, error, places, EnvSettingsSource(Settings)(), names)


def find_source_lines(file: Path) -> Mapping[str, int]:
    """Return the line at which each `[[sources]]` of a settings file has its name; {} if none can be read."""
    try:
        now = file.stat()
    except OSError:
        return {}
    return _source_lines(file, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=4)
def _source_lines(file: Path, _changed_at: int, _size: int) -> Mapping[str, int]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        named = tomllib.loads(text).get("sources", [])
    except (OSError, ValueError):  # a file that is being edited; what runs was read before
        return {}
    if not isinstance(named, list):
        return {}
    places = {place: number for number, place in _keys(text.splitlines())}
    found = {
        str(one.get("name")): places.get(("sources", str(at), "name")) or places.get(("sources",))
        for at, one in enumerate(named)
        if isinstance(one, dict)
    }
    return {name: line for name, line in found.items() if line}


def find_source_settings(running: Settings, name: str) -> tuple[Setting, ...]:
    """Return the settings of one `[[sources]]`, each with its place and its meaning."""
    at = next((at for at, one in enumerate(running.sources) if one.name == name), None)
    return () if at is None else _table(running, _read_again(running.file), "sources", at).settings


def _tables(running: Settings) -> Iterator[tuple[str, int | None]]:
    for name in sorted(Settings.model_fields, key=lambda name: name == "sources"):
        if name in _LISTS:
            yield from ((name, at) for at in range(len(getattr(running, name))))
        elif name not in RESERVED:
            yield name, None


def _count_pending(running: Settings, now: _FileNow) -> int:
    count = 0
    for name, at in _tables(running):
        table = getattr(running, name) if at is None else getattr(running, name)[at]
        after = now.tables.get((name, "" if at is None else table.name))
        if after is not None and after != table:
            later = dict(_values(after))
            count += sum(later.get(path) != value for path, value in _values(table))
    return count


def _table(
    running: Settings, now: _FileNow, name: str, at: int | None, wanted: str = "", only_set: bool = False
) -> SettingTable:
    table = getattr(running, name)
    head = f"[{name}]"
    base: tuple[str, ...] = (name,)
    if at is not None:
        table, base = table[at], (name, str(at))
        head = f'[[{name}]] "{table.name}"'
    after = now.tables.get((name, "" if at is None else table.name))
    next_values = dict(_values(after)) if after is not None else None
    rows = []
    for path, value in _values(table):
        key, meaning = ".".join(path), meaning_of((name, *path))
        if wanted not in f"{head} {key} {meaning}".casefold():
            continue
        variable = _variable((name, *path) if at is None else (name,), now)
        origin: Origin = "environment" if variable else "file" if _is_set(table, path) else "default"
        if only_set and origin == "default":
            continue
        number = now.places.get((*base, *path)) or now.places.get((*base, *path[:1]))
        place = {"environment": variable, "default": "", "file": _file_place(running.file, number)}[origin]
        shown = _shown(name, path, value)
        is_changed = next_values is not None and next_values.get(path) != value
        coming = _shown(name, path, next_values.get(path)) if next_values and is_changed else None
        rows.append(Setting(key, shown, origin, place, meaning, coming))
    anchor = re.sub(r"[^a-z0-9]+", "-", f"{name} {table.name if at is not None else ''}".strip().lower())
    return SettingTable(head, anchor, tuple(rows))


def _values(table: BaseModel, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every key below a table with its value; tables in it are opened."""
    for name, field in type(table).model_fields.items():
        path = (*above, field.alias or name)
        value = getattr(table, name)
        if isinstance(value, BaseModel):
            yield from _values(value, path)
        elif isinstance(value, dict) and value and all(isinstance(v, BaseModel) for v in value.values()):
            for key, inner in value.items():
                yield from _values(inner, (*path, key))
        else:
            yield path, value


def _is_set(table: object, path: tuple[str, ...]) -> bool:
    for part in path:
        if isinstance(table, dict):
            table = table.get(part)
            continue
        if not isinstance(table, BaseModel):
            return True
        names = {field.alias or name: name for name, field in type(table).model_fields.items()}
        if names[part] not in table.model_fields_set:
            return False
        table = getattr(table, names[part])
    return True


def _variable(path: tuple[str, ...], now: _FileNow) -> str:
    """Return the environment variable that a value comes from; "" where it comes from none."""
    inner: object = now.brought
    for part in path:
        if not isinstance(inner, Mapping) or part not in inner:
            return ""
        inner = inner[part]
    names = [f"DIGEST_{'__'.join(path[:length]).upper()}" for length in range(len(path), 0, -1)]
    return next((name for name in names if name in now.variables), "")


def _file_place(file: Path, line: int | None) -> str:
    return f"{file.name}, line {line}" if line else file.name


def _keys(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the line of each key by its place; items of lists are counted: `("sources", "0", "url")`."""
    place: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    in_text = False
    for number, line in enumerate(lines, 1):
        if not in_text:
            if head := re.match(r"\s*\[\[\s*(\w+)\s*\]\]", line):
                counts[head[1]] = counts.get(head[1], -1) + 1
                place = (head[1], str(counts[head[1]]))
            elif head := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                parts = tuple(part.strip("\"' ") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', head[1]))
                named = parts[0] in counts
                place = (parts[0], str(counts[parts[0]]), *parts[1:]) if named else parts
                yield number, place
            elif key := re.match(r"""\s*["']?([^\s"'=#]+)["']?\s*=""", line):
                yield number, (*place, *key[1].split("."))
        in_text ^= (line.count('"""') + line.count("'''")) % 2 == 1


def _shown(table: str, path: tuple[str, ...], value: object) -> str:
    """Return a value as it would be written in the file, a secret hidden."""
    if isinstance(value, SecretStr):
        return _HIDDEN if value.get_secret_value() else "(not set)"
    if isinstance(value, tuple) and value and isinstance(value[0], SecretStr):
        return f"({len(value)}, not shown)"
    if isinstance(value, str) and path[-1] == "url":
        return toml_value(_without_secrets(value))
    return "(not set)" if value is None else toml_value(value)


def _without_secrets(url: str) -> str:
    """Return an address without a password and without the values of parameters named for a secret."""
    if url.startswith("postgresql+psycopg://"):
        url = _LOGIN.sub(r"\1:***@", url.replace("+psycopg", "", 1))
        return without_secret_values(url)
    return without_secrets(url)
