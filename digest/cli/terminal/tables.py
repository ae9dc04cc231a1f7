"""Tables: fitted to a terminal, or tab-separated lines with a header in a pipe.

On a terminal no state and no period is ever cut: less important columns are left out instead, with a note.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from digest.safe_text import printable

_GAP = 2
_LEAST_TEXT = 16
_SPARE = (
    "wording_language", "wording_number", "created_at", "confirmed_at", "ended_at", "paused_until", "form",
    "breaking_news", "quiet_hours", "min_articles", "max_articles", "hour", "made_by", "has_password",
    "url", "last_success_at", "latest", "uncertain", "withheld", "failed", "total", "source", "topics",
    "last_error", "where", "origin", "wording", "name",
)  # fmt: skip
_TEXT = ("title", "url", "where", "last_error", "topics", "written", "wording")
_GREEN, _YELLOW, _RED = "32", "33", "31"
_STYLES = {
    "finished": _GREEN, "accepted": _GREEN, "fine": _GREEN, "confirmed": _GREEN,
    "held": _YELLOW, "paused": _YELLOW, "failing": _YELLOW, "pending": _YELLOW, "deferred": _YELLOW,
    "stopped": _RED, "failed": _RED, "uncertain": _RED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table adapts to a narrow terminal.

    `spare` are the columns that may be left out, in that order; `text` those that may be shortened.
    Moments are shown in `zone`, relative to `now`.
    """

    spare: Sequence[str] = _SPARE
    text: Sequence[str] = _TEXT
    zone: tzinfo = UTC
    now: datetime | None = None


def show_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], layout: TableLayout) -> None:
    """Print rows as a table on a terminal, as tab-separated lines otherwise."""
    if not sys.stdout.isatty():
        for line in (list(columns), *([plain(row.get(column)) for column in columns] for row in rows)):
            sys.stdout.write("\t".join(line) + "\n")
        return
    _draw(columns, rows, layout)


def _draw(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], layout: TableLayout) -> None:
    width = shutil.get_terminal_size().columns
    cells = {name: [_shown(row.get(name), name, layout) for row in rows] for name in columns}
    kept, left_out = fit(cells, layout, width)
    widths = _share(kept, cells, layout, width)
    numbers = {name for name in kept if rows and all(_is_number(row.get(name)) for row in rows)}
    titles = [_pad(_title(name), widths[name], right=name in numbers) for name in kept]
    lines = [_style("  ".join(titles).rstrip(), "1")]
    for number, row in enumerate(rows):
        shown = [
            _style(_pad(cells[name][number], widths[name], right=_is_number(row.get(name))),
                   _STYLES.get(cells[name][number], ""))
            for name in kept
        ]  # fmt: skip
        lines.append("  ".join(shown).rstrip())
    if left_out:
        lines.append(_style(f"not shown: {', '.join(map(_title, left_out))}; --json has all", "2"))
    sys.stdout.write("\n".join(lines) + "\n")


def fit(cells: Mapping[str, Sequence[str]], layout: TableLayout, width: int) -> tuple[list[str], list[str]]:
    """Return the columns that fit a width, and those left out.

    Only columns that `layout` calls spare are left out, empty ones first.
    """
    kept, left_out = list(cells), []
    says_nothing = {name: set(values) <= {"0", "-", "", "no"} for name, values in cells.items()}
    for column in sorted(layout.spare, key=lambda name: not says_nothing.get(name, True)):
        if sum(_least(name, cells[name], layout) + _GAP for name in kept) - _GAP <= width:
            break
        if column in kept:
            kept.remove(column)
            left_out.append(column)
    return kept, left_out


def _share(
    kept: Sequence[str], cells: Mapping[str, Sequence[str]], layout: TableLayout, width: int
) -> dict[str, int]:
    """Return the width of each column: free text shares what the others leave."""
    widths = {name: _least(name, cells[name], layout) for name in kept}
    room = width - sum(widths.values()) - _GAP * (len(kept) - 1)
    for name in (one for one in kept if one in layout.text):
        more = max(0, min(room, _widest(name, cells[name]) - widths[name]))
        widths[name] += more
        room -= more
    return widths


def _widest(column: str, values: Sequence[str]) -> int:
    return max(map(_length, [*values, _title(column)]))


def _least(column: str, values: Sequence[str], layout: TableLayout) -> int:
    widest = _widest(column, values)
    return min(widest, _LEAST_TEXT) if column in layout.text else widest


def _title(column: str) -> str:
    return column.removesuffix("_at").replace("_", " ")


def _length(text: str) -> int:
    from rich.cells import cell_len  # East Asian characters take two columns

    return cell_len(text)


def _pad(text: str, width: int, *, right: bool = False) -> str:
    while _length(text) > width:
        text = text.removesuffix("…")[:-1] + "…"
    blanks = " " * (width - _length(text))
    return blanks + text if right else text + blanks


def _style(text: str, code: str) -> str:
    is_plain = not code or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if is_plain else f"\x1b[{code}m{text}\x1b[0m"


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object, column: str, layout: TableLayout) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    moment = _moment(value) if column == "at" or column.endswith("_at") else None
    return plain(value) if moment is None else say_moment(moment, layout.zone, layout.now)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def say_moment(moment: datetime, zone: tzinfo, now: datetime | None) -> str:
    """Return a moment in words: "today 22:41", "Mon 07:00", "2026-11-23 07:00"."""
    local = moment.astimezone(zone)
    if now is None:
        return f"{local:%Y-%m-%d %H:%M}"
    days = (local.date() - now.astimezone(zone).date()).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if days in near:
        return f"{near[days]} {local:%H:%M}"
    is_near = timedelta(days=-7) < timedelta(days=days) < timedelta(days=7)
    return f"{local:%a %H:%M}" if is_near and days > 0 else f"{local:%Y-%m-%d %H:%M}"


def plain(value: object) -> str:
    """Return a value for a pipe: complete, on one line."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return printable(", ".join(str(key) for key in value))
    if isinstance(value, list | tuple):
        return printable(", ".join(str(item) for item in value))
    return printable(str(value)).replace("\t", " ")
