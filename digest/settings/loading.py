"""Load config.toml; errors are one line for each problem, with key, value and remedy."""

import difflib
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import (
    BaseModel,
    ValidationError,
)
from pydantic_settings import SettingsError as UnreadableVariable

from digest.errors import SettingsError
from digest.safe_text import without_secrets
from digest.settings.error_messages import LISTED, reword
from digest.settings.settings import RESERVED, Settings

_PREFIX = "DIGEST_"
_MOST_SHOWN = 100
_SECRETS = frozenset({"password", "secret", "old_secrets", "metrics_token", "headers", "url"})
"""Keys whose values no error shows; a login in any other address is left out of it."""


def find_service_manager() -> tuple[str, float]:
    """Find the socket of a service manager, and its watchdog interval in seconds (sd_notify(3)).

    Without a service manager the socket is ""; without a watchdog the interval is 0.
    """
    socket, microseconds = os.environ.get("NOTIFY_SOCKET", ""), os.environ.get("WATCHDOG_USEC", "")
    return socket, int(microseconds) / 2_000_000 if microseconds.isdigit() else 0.0


def load_settings(path: Path) -> Settings:
    """Load and validate the settings; raise SettingsError with one line for each problem."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist: `digest init` writes one, --config names another"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path} is not UTF-8 (line {line}): save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    for reserved in RESERVED:
        if reserved in written:
            raise SettingsError(f"{path}: {reserved}: unknown key; remove it")
    _check_variables(path)
    try:
        return Settings(**written, folder=path.resolve().parent, file=path.resolve())
    except UnreadableVariable as error:
        raise SettingsError(_printable(_explain_unreadable(str(error)))) from None
    except ValidationError as error:
        found = error.errors()
        # If items of a list are wrong, the list is not also reported as too short.
        wrong = {item["loc"][0] for item in found if len(item["loc"]) > 1}
        told = [item for item in found if len(item["loc"]) != 1 or item["loc"][0] not in wrong]
        lines = [_printable(_explain_variable(item) or f"{path}: {_explain(item, written)}") for item in told]
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None


def _check_variables(path: Path) -> None:
    """Raise SettingsError for a variable that is meant for us, by its two underscores, and names no table."""
    tables = [name for name in Settings.model_fields if name not in RESERVED]
    for name in sorted(os.environ):
        table, is_nested, key = name.upper().removeprefix(_PREFIX).partition("__")
        if name.upper().startswith(_PREFIX) and is_nested and table.lower() not in tables:
            close = difflib.get_close_matches(table.lower(), tables, n=1)
            meant = f"; did you mean {_PREFIX}{close[0].upper()}__{key}?" if close else ""
            raise SettingsError(
                f"the environment variable {name} sets nothing: {path} has no table [{table.lower()}]{meant}"
            )


def _find_variable(location: Sequence[str | int]) -> tuple[str, bool] | None:
    """Find the variable that a setting comes from, and whether it is for that setting alone."""
    given = {name.upper(): name for name in os.environ}
    for end in range(len(location), 0, -1):
        name = _PREFIX + "__".join(str(part).upper() for part in location[:end])
        if name in given:
            return given[name], end == len(location)
    return None


def _explain_variable(item: Any) -> str | None:
    """Return an error in what the environment sets as one line; None where the file sets it."""
    location = [part for part in item["loc"] if part != "[key]"]
    message = reword(item["type"], str(item["msg"]), item.get("ctx", {}), location)
    named = message.partition(" ")[0]  # a table's own rule may begin with the key that it is about
    found = _find_variable([*location, named]) if location else None
    if found is None:
        return None
    name, is_whole = found
    own = [*location, named] if is_whole else location
    if item["type"] == "missing":
        return f"the environment variable {name}: {location[-1]} is missing; see config.example.toml"
    if item["type"] == "extra_forbidden":
        return f"the environment variable {name}: unknown key{_suggest(location)}"
    exact = _find_variable(location)
    shows = (is_whole or (exact is not None and exact[1])) and not _is_secret(own)
    shown = f' = "{_brief(os.environ[name])}"' if shows else ""
    return f"the environment variable {name}{shown}: {message[0].lower() + message[1:]}"


def _explain_unreadable(said: str) -> str:
    quoted = re.search(r'field "(\w+)"', said)
    name = f"{_PREFIX}{quoted[1].upper()}" if quoted else f"{_PREFIX}..."
    return f"the environment variable {name} must be JSON, or name one key: {name}__KEY"


def _brief(value: str) -> str:
    """Return a value as an error shows it: without a login, and its beginning if it is long."""
    shown = without_secrets(value)
    return shown if len(shown) <= _MOST_SHOWN else shown[:_MOST_SHOWN] + "…"


def _printable(line: str) -> str:
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def _explain(item: Any, written: dict[str, Any]) -> str:
    """Return one validation error as one line: key, value, remedy."""
    location = [part for part in item["loc"] if part != "[key]"]
    where = _name_key(location, written)
    message = reword(item["type"], str(item["msg"]), item.get("ctx", {}), location)
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown key{_suggest(location)}"
    if item["type"] == "missing":
        known = f"; known are {', '.join(_known_keys(location))}" if location[1:] else ""
        return f"{where}: missing; see config.example.toml{known}"
    value = _look_up(written, location)
    hidden = value is None or _is_secret(location) or isinstance(value, dict | list) or message[0] == '"'
    shown = "" if hidden else f' = "{_brief(str(value))}"'
    return f"{where}{shown}: {message[0].lower() + message[1:]}"


def _name_key(location: list[str | int], written: dict[str, Any]) -> str:
    if not location:
        return "settings"
    names = [str(part) for part in location]
    if len(location) > 1 and isinstance(location[1], int):
        rest = ".".join(names[2:])
        name = _look_up(written, [*location[:2], "name"])
        which = f'"{name}"' if isinstance(name, str) and rest != "name" else f"number {location[1] + 1}"
        return f"[[{names[0]}]] {which}" + (f", {rest}" if rest else "")
    table = f"[[{names[0]}]]" if names[0] in LISTED else f"[{names[0]}]"
    return table + (f" {'.'.join(names[1:])}" if names[1:] else "")


def _known_keys(location: list[str | int]) -> list[str]:
    """List the keys of the table that a key stands in."""
    table = table_of(*location[:-1])
    fields = table.model_fields if table else {}
    return [field.alias or name for name, field in fields.items() if location[1:] or name not in RESERVED]


def _suggest(location: list[str | int]) -> str:
    known = _known_keys(location)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known are {', '.join(known)}"


def table_of(*location: str | int) -> type[BaseModel] | None:
    """Find the model of a table, of a list of tables, or of named tables, from the settings' own fields."""
    table: type[BaseModel] | None = Settings
    parts = iter(location)
    for part in parts:
        fields = table.model_fields.items() if table else ()
        kind = next((field.annotation for name, field in fields if part in (name, field.alias)), None)
        if get_origin(kind) in (dict, tuple):
            next(parts, None)  # the one that fits
        table = _model_in(kind)
    return table


def _model_in(kind: Any) -> type[BaseModel] | None:
    kinds = (kind, *get_args(kind))
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _look_up(written: Any, location: list[str | int]) -> object:
    for part in location:
        try:
            written = written[part]
        except (KeyError, IndexError, TypeError):
            return None
    return written


def _is_secret(location: list[str | int]) -> bool:
    return bool(_SECRETS & {str(part) for part in location[-2:]}) and location[0] not in ("sources", "topics")
