"""The publication's figures: readers, choices, deliveries, articles; each as a chart and a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from markupsafe import Markup
from sqlmodel import Session
from starlette.responses import Response

from digest.models.ledger import DailyFigures
from digest.models.row import row_id
from digest.tasks.desk.agenda import AgendaEntry
from digest.tasks.figures.clicks import ClickedArticle, list_clicks, list_most_clicked
from digest.tasks.figures.daily import list_figures
from digest.web.desk.access import HOME
from digest.web.desk.edition import Panel
from digest.web.desk.pages import DeskPages
from digest.web.newsroom.charts import Series, draw_days, draw_rows

FIGURES = f"{HOME}/figures"
_OUTCOMES = (("accepted", "good"), ("failed", "warn"), ("uncertain", "ink"), ("withheld", "plain"))
_ACTS = (("confirmed", "good"), ("left", "warn"), ("bounced", "ink"), ("asked", "plain"))
_EDITIONS, _MOST_ANSWERED = 30, 20


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart, and its table."""

    title: str
    note: str
    chart: Markup
    head: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    keys: tuple[tuple[str, str], ...] = ()


class FigurePages:
    """The figures, for every editor; none is about a single reader."""

    def __init__(self, front: DeskPages) -> None:
        self._front = front

    def show(self, request: Request) -> Response:
        """Show the figures of the last three months."""
        desk = self._front.desk
        days = list_figures(desk.database, desk.settings, self._front.now())
        counts = desk.settings.analytics.counts_clicks
        followed = list_most_clicked(desk.database, self._front.now()) if counts else []
        figures = [*draw_figures(days), *([_followed(followed)] if followed else [])]
        return self._front.show(
            request, "figures", title="Figures", figures=figures, days=len(days), counts=counts
        )


def clicks_panel(session: Session, entry: AgendaEntry) -> Panel | None:
    """Return the part of an edition's page with the clicks on its articles."""
    found = list_clicks(session, row_id(entry.edition)) if entry.edition else []
    return Panel("desk/clicks_panel.html.j2", {"articles": found}) if found else None


def draw_figures(days: list[DailyFigures]) -> list[Figure]:
    """Return every figure for which there are numbers."""
    found = [
        _growth(days),
        _acts(days),
        *_choices(days),
        _punctuality(days),
        _receivers(days),
        _articles(days),
        _article_topics(days),
        _letters(days),
    ]
    return [one for one in found if one.rows]


def _followed(found: Sequence[ClickedArticle]) -> Figure:
    title = "Links that were followed most"
    rows = [(one.title, one.clicks, one.scanned) for one in found]
    chart = draw_rows(title, [(row[0], row[1:2]) for row in rows])
    note = (
        "Of the last three months, in editions with five readers or more. Programs that open links by"
        " themselves are counted apart; who followed a link is not known."
    )
    return Figure(title, note, chart, ("Article", "Followed", "By programs"), rows)


def _growth(days: list[DailyFigures]) -> Figure:
    counted = [(day.day, _confirmed(day)) for day in days if "readers" in day.counted]
    series = [Series("readers", "good", tuple(number for _, number in counted))]
    title = "Confirmed subscriptions, day by day"
    chart = draw_days(title, [day for day, _ in counted], series)
    return Figure(title, "Of all digests, at the end of the day.", chart, ("Day", "Confirmed"), counted[::-1])


def draw_growth(days: Sequence[DailyFigures]) -> Figure:
    """Return confirmed subscriptions by day, with those gained and lost."""
    counts = [_confirmed(day) for day in days]
    acts = [[day.counted["acts"].get(name, 0) for name in ("confirmed", "left")] for day in days]
    title = f"Confirmed subscriptions, the last {len(days)} days"
    chart = draw_days(title, [day.day for day in days], [Series("readers", "good", tuple(counts))])
    won, lost = (sum(act[place] for act in acts) for place in (0, 1))
    grown = counts[-1] - counts[0]
    note = f"{counts[-1]:,} readers, {grown:+,} in {len(days)} days: {won:,} confirmed, {lost:,} left."
    rows = [(day.day, count, *act) for day, count, act in zip(days, counts, acts, strict=True)][::-1]
    return Figure(title, note, chart, ("Day", "Readers", "Confirmed", "Left"), rows)


def _confirmed(day: DailyFigures) -> int:
    return sum(states.get("confirmed", 0) for states in day.counted["readers"].values())


def _acts(days: list[DailyFigures]) -> Figure:
    names = [name for name, _ in _ACTS]
    rows = [(day.day, *(day.counted["acts"].get(name, 0) for name in names)) for day in days]
    series = [
        Series(name, colour, tuple(int(row[place + 1]) for row in rows))
        for place, (name, colour) in enumerate(_ACTS)
    ]
    title = "Sign-ups and departures, day by day"
    chart = draw_days(title, [day.day for day in days], series)
    shown = [row for row in rows[::-1] if any(row[1:])]
    return Figure(title, "", chart, ("Day", *names), shown, keys=_ACTS)


def _choices(days: list[DailyFigures]) -> list[Figure]:
    last = next((day for day in reversed(days) if "cadences" in day.counted), None)
    if last is None:
        return []
    cadences = [
        (f"{digest} {cadence}", number)
        for digest, chosen in last.counted["cadences"].items()
        for cadence, number in sorted(chosen.items(), key=lambda item: -item[1])
    ]
    topics: Counter[str] = Counter()
    for chosen in last.counted["topics"].values():
        topics.update({("every topic" if topic == "*" else topic): n for topic, n in chosen.items()})
    note = f"Confirmed subscriptions at the end of {last.day}."
    return [
        Figure(title, note, draw_rows(title, _bars(rows[:20])), (what, "Readers"), list(rows))
        for title, what, rows in (
            ("Cadences", "Cadence", cadences), ("Topics", "Topic", topics.most_common()),
        )
    ]  # fmt: skip


def _editions(days: list[DailyFigures]) -> list[dict[str, Any]]:
    """Return the last editions, each once: one that was retried finished on two days."""
    told = {one["name"]: one for day in days for one in day.counted["editions"]}
    return list(told.values())[-_EDITIONS:]


def _punctuality(days: list[DailyFigures]) -> Figure:
    told = [one for one in _editions(days) if one["minutes"] is not None]
    title = "From the deadline to the last reply, in minutes"
    chart = draw_days(
        title,
        [one["name"] for one in told],
        [Series("minutes", "plain", tuple(one["minutes"] for one in told))],
    )
    rows = [
        (one["name"], one["minutes"], one["states"].get("accepted", 0), one["states"].get("failed", 0))
        for one in told[::-1]
    ]
    head = ("Edition", "Minutes", "Accepted", "Failed")
    return Figure(title, f"The last {len(told)} editions that finished.", chart, head, rows)


def _receivers(days: list[DailyFigures]) -> Figure:
    sums: dict[str, Counter[str]] = {}
    for one in _editions(days):
        for receiver, states in one["receivers"].items():
            sums.setdefault(receiver, Counter()).update(states)
    ordered = sorted(sums.items(), key=lambda item: -item[1].total())
    title = "Deliveries by receiver"
    named = [(name, [states[outcome] for outcome, _ in _OUTCOMES]) for name, states in ordered]
    rows = [(name, *counts) for name, counts in named]
    chart = draw_rows(f"{title} and outcome", named[:12], [colour for _, colour in _OUTCOMES])
    head = ("Receiver", *(name for name, _ in _OUTCOMES))
    note = "Of the last 30 editions. Domains with fewer than five readers are among the others."
    return Figure(title, note, chart, head, rows, keys=_OUTCOMES)


def _articles(days: list[DailyFigures]) -> Figure:
    got: dict[str, tuple[str, int]] = {}
    for one in _editions(days):
        for title, topics, readers in one["articles"]:
            before = got.get(title, ("", 0))[1]
            got[title] = (", ".join(topics), before + readers)
    rows = sorted(((title, *rest) for title, rest in got.items()), key=lambda row: -row[2])[:20]
    title = "Articles that most readers got"
    chart = draw_rows(title, [(row[0], row[2:]) for row in rows])
    return Figure(title, "Of the last 30 editions.", chart, ("Article", "Topics", "Readers"), rows)


def _article_topics(days: list[DailyFigures]) -> Figure:
    sums: dict[str, tuple[int, int]] = {}
    for one in _editions(days):
        for topic, articles, readers in one.get("topics", ()):
            before = sums.get(topic, (0, 0))
            sums[topic] = (before[0] + articles, before[1] + readers)
    rows = sorted(((topic, *counts) for topic, counts in sums.items()), key=lambda row: (-row[2], row[0]))
    title = "Articles by topic"
    note = (
        "Of the last 30 editions: their articles of each topic, and how often one of them reached a reader."
    )
    chart = draw_rows(title, [(row[0], row[2:]) for row in rows[:20]])
    return Figure(title, note, chart, ("Topic", "Articles", "Received"), rows)


def _letters(days: list[DailyFigures]) -> Figure:
    answered: dict[int, tuple[str, int]] = {}
    for day in days:
        for number, title, letters in day.counted.get("letters", ()):
            answered[number] = (title, answered.get(number, ("", 0))[1] + letters)
    rows = sorted(answered.values(), key=lambda row: -row[1])[:_MOST_ANSWERED]
    title = "Letters by article"
    note = "Of the last three months. Letters that answer an edition as a whole are not in it."
    return Figure(title, note, draw_rows(title, _bars(rows)), ("Article", "Letters"), list(rows))


def _bars(rows: Sequence[tuple[str, int]]) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, (number,)) for name, number in rows]
