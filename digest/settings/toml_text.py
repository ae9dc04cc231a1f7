"""Values and lines as config.toml has them."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import Enum

_UNITS = ((604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def toml_lines(table: str, values: Iterable[tuple[str, object]]) -> str:
    """Return a table as lines to paste: `[look]`, then `accent = "#962a1f"` and so on."""
    return "\n".join([f"[{table}]", *(f"{_key(key)} = {toml_value(value)}" for key, value in values)])


def toml_value(value: object) -> str:
    """Return a value as TOML writes it (TOML 1.0), durations as our settings do: `"15m"`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        unit, sign = next((one for one in _UNITS if seconds and seconds % one[0] == 0), (1, ""))
        return f'"{seconds // unit}{sign}"'
    if isinstance(value, Enum):
        return toml_value(value.value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {toml_value(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if value else "{}"
    return toml_string(str(value))


def toml_string(text: str) -> str:
    """Return a basic string; JSON's strings are valid ones except for DEL (TOML 1.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)
