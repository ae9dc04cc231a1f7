"""Expand the patterns that generators have for an article's address: Jekyll, Hugo, Eleventy."""

import re
from datetime import UTC, datetime, timedelta

from digest.articles.text.identity import path_slug
from digest.rules.articles.topics import slug

# Jekyll's styles by name ("Permalinks", built-in formats).
_STYLES = {
    "date": "/:categories/:year/:month/:day/:title.html",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title.html",
    "none": "/:categories/:title.html",
}
_FORMS = {
    "year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S",
    "short_year": "%y", "y_day": "%j", "yearday": "%j", "short_month": "%b",
}  # fmt: skip
_TOKEN = re.compile(r":([a-z_]+)")
_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:page\.)?(\w+)\s*(?:\|\s*(?:slug|slugify|url_encode)(?:\([^()]{0,80}\))?\s*)?-?\}\}"
)
_STRANGE = re.compile(r"/:\w|\{\{|\{%")
_DATED = re.compile(r"\d{4}[-_]\d{1,2}[-_]\d{1,2}(?:T\d\d:\d\d(?::\d\d)?Z?)?[-_ ]")
_SOURCES = re.compile(r"^(?:src/)?(?:content|(?<=src/)pages)/")
_DOUBLE = re.compile(r"(?<!:)//+")


def place_of(name: str) -> str:
    """Return a file's name without the folder that generators read pages from."""
    return _SOURCES.sub("", name)


def undated(stem: str) -> str:
    """Return a file's name without the date in front of it."""
    dated = _DATED.match(stem)
    return stem[dated.end() :] if dated else stem


def expanded(
    pattern: str, *, name: str, title: str, own: str, categories: list[str], published_at: datetime | None
) -> str:
    """Return the address that a pattern stands for; an empty text where something in it is not known.

    `name` is the file's, `own` the slug that its author wrote. A text that is no pattern is returned.
    """
    pattern = _STYLES.get(pattern, pattern)
    if not _STRANGE.search(pattern):
        return pattern
    values = _values(name, title, own, categories, published_at)
    missing: list[str] = []

    def value_of(token: re.Match[str]) -> str:
        found = values.get(token[1].lower())
        if found is None:
            missing.append(token[1])
        return found or ""

    address = _TOKEN.sub(value_of, _TEMPLATE.sub(value_of, pattern))
    return "" if missing or _STRANGE.search(address) else _DOUBLE.sub("/", address)


def _values(
    name: str, title: str, own: str, categories: list[str], published_at: datetime | None
) -> dict[str, str]:
    folder, _, file = place_of(name).rpartition("/")
    stem = file.rpartition(".")[0] or file
    if stem.lower() in ("index", "_index") and folder:
        folder, _, stem = folder.rpartition("/")
    of_file = path_slug(f"{undated(stem)}.md")
    of_title = slug(title, 200) or of_file
    slugged = path_slug(f"{own}.md") if own else ""
    sections = [slug(part, 200) for part in folder.split("/") if part and not part.startswith("_")]
    values = {
        "title": slugged or (of_file if folder.rpartition("/")[2] == "_posts" else of_title),
        "slug": slugged or of_title,
        "categories": "/".join(filter(None, (slug(one, 200) for one in categories))),
        "section": next(iter(sections), ""),
        "sections": "/".join(sections),
        "collection": next(iter(sections), "posts"),
        "filename": path_slug(f"{stem}.md"),
        "contentbasename": path_slug(f"{stem}.md"),
        "slugorcontentbasename": slugged or path_slug(f"{stem}.md"),
        "output_ext": ".html",
    } | dict.fromkeys(("name", "basename", "fileslug"), of_file)
    if published_at is not None:
        day = _day_of_name(stem, published_at)
        values |= {name: f"{day:{form}}" for name, form in _FORMS.items()}
        values |= {"i_month": str(day.month), "i_day": str(day.day)}
    return values


def _day_of_name(stem: str, published_at: datetime) -> datetime:
    """Return the day of a file's name if it is the published one in some zone."""
    try:
        named = datetime.strptime(stem[:10].replace("_", "-"), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return published_at
    return named if abs(named - published_at) < timedelta(days=2) else published_at
