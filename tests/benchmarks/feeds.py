"""How fast feeds are read: `python -m tests.benchmarks.feeds [FEEDS] [ITEMS]` prints ratios.

Feeds of made-up articles lie on disk; they are parsed, cleaned, matched and stored, against
feedparser's own parse with its sanitising over the same bytes, each in a process of its own.
"""

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import feedparser

from digest.net.fetch import Fetched
from digest.settings import Settings, SourceSettings, load_settings
from digest.store import schema
from digest.store.database import Database
from digest.tasks import fetching
from tests.conftest import write_config

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
WORDS = [
    "harbour",
    "tide",
    "crane",
    "ferry",
    "council",
    "budget",
    "river",
    "bridge",
    "school",
    "orchard",
    "market",
    "winter",
    "vote",
    "garden",
    "engine",
    "museum",
    "signal",
    "coast",
    "farmer",
    "letter",
    "glass",
    "window",
    "paper",
    "street",
    "copper",
    "island",
    "report",
    "minister",
    "doctor",
    "train",
]


def words(seed: str, count: int) -> str:
    """Give words that are always the same for a seed."""
    stream = b"".join(hashlib.sha256(f"{seed}-{n}".encode()).digest() for n in range(count // 32 + 1))
    return " ".join(WORDS[byte % len(WORDS)] for byte in stream[:count])


def write_feed(number: int, items: int) -> bytes:
    """Write a feed as publishing systems do: a summary, and the whole text with links and a picture."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/'
        'modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        f"<title>Paper {number}</title><link>https://paper{number}.example/</link>"
        + "".join(_item(number, item) for item in range(items))
        + "</channel></rss>"
    ).encode()


def _item(number: int, item: int) -> str:
    seed = f"{number}-{item}"
    link = f"https://paper{number}.example/2026/{item}"
    body = "".join(
        f'<p>{words(f"{seed}-{part}", 60)}. <a href="{link}/more{part}">{words(seed, 3)}</a> &amp; so on.</p>'
        for part in range(5)
    )
    return (
        f"<item><title>{words(seed, 7)} &amp;amp; {item}</title><link>{link}?utm_source=rss</link>"
        f'<guid isPermaLink="false">{seed}</guid><pubDate>Mon, 23 Nov 2026 07:{item % 60:02}:00 +0100</pubDate>'
        f"<dc:creator>Ada Lund</dc:creator><category>{WORDS[item % 9]}</category>"
        f"<description>{words(seed, 25)}.</description>"
        f'<content:encoded><![CDATA[<div class="text"><img src="{link}.jpg" alt="{words(seed, 4)}">'
        f"{body}</div>]]></content:encoded></item>"
    )


def feedparser_alone(folder: Path) -> None:
    """Parse all with feedparser, sanitising."""
    for path in sorted(folder.glob("*.xml")):
        with path.open("rb") as file:
            assert feedparser.parse(file).entries


def _sources(folder: Path, scheme: str) -> Settings:
    settings = load_settings(folder / "config.toml")
    sources = tuple(
        SourceSettings(name=path.stem, url=f"{scheme}{path.stem}.example/feed" if scheme else str(path))
        for path in sorted(folder.glob("*.xml"))
    )
    return settings.model_copy(update={"sources": sources})


def ours(folder: Path, *, scheme: str = "", later: int = 0, answer: int = 200) -> None:
    """Fetch all, files or, with a scheme, over an http that costs nothing."""

    def fetch(url: str, **_: object) -> Fetched:
        path = folder / f"{url.partition('://')[2].partition('.')[0]}.xml"
        content = path.read_bytes() if answer == 200 else b""
        return Fetched(answer, url, content, "application/rss+xml", '"v1"')

    setattr(fetching, "fetch", fetch)  # noqa: B010 - mypy knows it only as an import
    settings = _sources(folder, scheme)
    database = Database(settings.database_url)
    schema.migrate(database)
    reports = fetching.fetch_due(database, settings, NOW + timedelta(days=later))
    assert reports
    assert not any(report.error or report.rejected for report in reports)
    assert all(report.is_same for report in reports) == bool(later)


JOBS: dict[str, Callable[[Path], None]] = {
    "feedparser": feedparser_alone,
    "first": partial(ours, scheme="http://"),
    "again": partial(ours, scheme="http://", later=2),
    "not modified": partial(ours, scheme="http://", later=4, answer=304),
}


def _run(job: str, folder: Path) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.feeds", "--job", job, str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def main(feeds: int = 1000, items: int = 50) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_config(folder, "sqlite:///digest.db")
        for number in range(feeds):
            (folder / f"paper{number}.xml").write_bytes(write_feed(number, items))
        size = sum(path.stat().st_size for path in folder.glob("*.xml"))
        print(f"{feeds} feeds of {items} items, {size / 1e6:.1f} MB")  # noqa: T201
        figures = {job: _run(job, folder) for job in JOBS}
    for job, (seconds, megabytes) in figures.items():
        print(f"{job:>14}: {seconds:8.2f} s, peak {megabytes:6.0f} MB")  # noqa: T201
    first = figures["first"][0]
    print(f"share of feedparser's speed:      {figures['feedparser'][0] / first:.2f}")  # noqa: T201
    print(f"the same bytes again, times faster: {first / figures['again'][0]:.1f}")  # noqa: T201
    print(f"not modified, times faster:         {first / figures['not modified'][0]:.1f}")  # noqa: T201


def _job(name: str, folder: Path) -> None:
    began = time.perf_counter()
    JOBS[name](folder)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([seconds, peak]))  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        _job(sys.argv[2], Path(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:3]))
