"""Charts as SVG, drawn on the server: no script, the page's colours, and a table with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_HEIGHT, _WIDTH = 140, 720
_GAP = 0.25
_ROW, _LABEL = 22, 230
_SCALE = 20  # below the days, for the first and the last one, and above them for the largest value


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers over the same days: `Series("confirmed", "good", (3, 0, 7))`."""

    name: str
    colour: str
    values: tuple[int, ...]


def draw_days(title: str, days: Sequence[str], series: Sequence[Series]) -> Markup:
    """Draw series as bars by day, side by side; the largest value fills the height."""
    most = max((value for one in series for value in one.values), default=0)
    step = _WIDTH / max(len(days), 1)
    width = step * (1 - _GAP) / max(len(series), 1)
    bars = [
        _bar(
            day * step + place * width,
            _HEIGHT * one.values[day] / most,
            width,
            one,
            days[day],
            one.values[day],
        )
        for day in range(len(days))
        for place, one in enumerate(series)
        if most and one.values[day]
    ]
    return _svg(title, _HEIGHT + 2 * _SCALE, "".join(bars) + _scale(days, most))


def draw_rows(title: str, rows: Sequence[tuple[str, int]]) -> Markup:
    """Draw named values as horizontal bars, the first one on top."""
    most = max((value for _, value in rows), default=0)
    reach = _WIDTH - _LABEL - 70
    drawn = []
    for place, (name, value) in enumerate(rows):
        y = place * _ROW
        long = reach * value / most if most else 0
        drawn.append(
            f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(_shortened(name))}</text>'
            f'<rect x="{_LABEL}" y="{y + 3}" width="{long:.1f}" height="{_ROW - 7}"/>'
            f'<text x="{_LABEL + long + 6:.1f}" y="{y + 15}">{value:,}</text>'
        )
    return _svg(title, max(len(rows), 1) * _ROW, "".join(drawn))


def _bar(x: float, height: float, width: float, one: Series, day: str, value: int) -> str:
    return (
        f'<rect class="{one.colour}" x="{x:.1f}" y="{_SCALE + _HEIGHT - height:.1f}" width="{width:.1f}"'
        f' height="{height:.1f}"><title>{escape(day)}: {value:,} {escape(one.name)}</title></rect>'
    )


def _scale(days: Sequence[str], most: int) -> str:
    """Return the axis, the labels of the first and the last day, and that of the largest value."""
    floor = _SCALE + _HEIGHT
    line = f'<line x1="0" y1="{floor}" x2="{_WIDTH}" y2="{floor}"/>'
    if not days:
        return line
    below = floor + _SCALE - 5
    return (
        f'{line}<text x="0" y="{_SCALE - 6}">{most:,}</text><text x="0" y="{below}">{escape(days[0])}</text>'
        f'<text x="{_WIDTH}" y="{below}" text-anchor="end">{escape(days[-1])}</text>'
    )


def _svg(title: str, height: int, content: str) -> Markup:
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"{content}</svg>"
    )


def _shortened(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:25]}…"
