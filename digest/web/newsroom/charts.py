"""Charts as SVG, drawn on the server: no script, the page's colours, and a table with the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_HEIGHT = 140
_GAP = 0.25
_WIDEST = 6.0  # per cent of the chart: a publication's first day is no wall
_ROW = 40
_SCALE = 20  # below the days, for the first and the last one, and above them for the largest value
_MOST_SIGNS = 36  # of a name beside its number on a phone of 360 px


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers over the same days: `Series("confirmed", "good", (3, 0, 7))`."""

    name: str
    colour: str
    values: tuple[int, ...]


def draw_days(title: str, days: Sequence[str], series: Sequence[Series]) -> Markup:
    """Draw series as bars by day, side by side; the largest value fills the height."""
    most = max((value for one in series for value in one.values), default=0)
    step = 100 / max(len(days), 1)
    width = min(step * (1 - _GAP) / max(len(series), 1), _WIDEST)
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


def draw_rows(
    title: str, rows: Sequence[tuple[str, Sequence[int]]], colours: Sequence[str] = ("",)
) -> Markup:
    """Draw named values as horizontal bars, the first one on top; several values of a row in a line.

    The number beside a name is the sum of its values.
    """
    most = max((sum(values) for _, values in rows), default=0)
    drawn = []
    for place, (name, values) in enumerate(rows):
        y = place * _ROW
        drawn.append(
            f'<text x="0" y="{y + 15}">{escape(_shortened(name))}</text>'
            f'<text x="100%" y="{y + 15}" text-anchor="end">{sum(values):,}</text>'
        )
        start = 0.0
        for value, colour in zip(values, colours, strict=True):
            long = 100 * value / most if most else 0
            drawn.append(
                f'<rect class="{colour}" x="{start:.2f}%" y="{y + 21}" width="{long:.2f}%" height="12"/>'
                if value
                else ""
            )
            start += long
    return _svg(title, max(len(rows), 1) * _ROW, "".join(drawn))


def _bar(x: float, height: float, width: float, one: Series, day: str, value: int) -> str:
    return (
        f'<rect class="{one.colour}" x="{x:.2f}%" y="{_SCALE + _HEIGHT - height:.1f}" width="{width:.2f}%"'
        f' height="{height:.1f}"><title>{escape(day)}: {value:,} {escape(one.name)}</title></rect>'
    )


def _scale(days: Sequence[str], most: int) -> str:
    """Return the axis, the labels of the first and the last day, and that of the largest value."""
    floor = _SCALE + _HEIGHT
    line = f'<line x1="0" y1="{floor}" x2="100%" y2="{floor}"/>'
    if not days:
        return line
    below = floor + _SCALE - 5
    first, last = days[0], days[-1]
    end = f'<text x="100%" y="{below}" text-anchor="end">{escape(last)}</text>' if len(days) > 1 else ""
    start = f'<text x="0" y="{below}">{escape(first)}</text>'
    return f'{line}<text x="0" y="{_SCALE - 6}">{most:,}</text>{start}{end}'


def _svg(title: str, height: int, content: str) -> Markup:
    """Return a picture as wide as there is room: across, all is in per cent, so its text stays readable."""
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg class="chart" width="100%" height="{height}" role="img"'
        f' aria-label="{escape(title)}">{content}</svg>'
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _MOST_SIGNS else f"{name[: _MOST_SIGNS - 1]}…"
