"""How fast feeds are read: `python -m tests.benchmarks.feeds [FEEDS] [ITEMS] [--full]` prints ratios.

Feeds of made-up articles lie on disk; they are parsed, cleaned, matched and stored, against feedparser's
own parse with its sanitising over the same bytes, each in a process of its own. Then the same bytes are
fetched again, with status 200 and with 304, the peak memory is measured at two numbers of feeds, and
related articles are looked for. `--full` takes 1,000 feeds of 50 items, and 1,000 and 10,000 for the
memory.
"""

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import feedparser

from digest.net import http as http
from digest.net.http import Fetched
from digest.settings import Settings, SourceSettings, load_settings
from digest.store import schema
from digest.store.database import Database
from digest.tasks.articles import fetching
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
    """Return random words that depend only on the seed."""
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


def _sources(folder: Path, urls: Iterable[str]) -> Settings:
    settings = load_settings(folder / "config.toml")
    sources = tuple(SourceSettings(name=f"paper{number}", url=url) for number, url in enumerate(urls))
    return settings.model_copy(update={"sources": sources})


def _fetch_all(folder: Path, settings: Settings, fetch: Callable[..., Fetched], later: int = 0) -> None:
    """Fetch all sources over an http that costs nothing."""
    setattr(http, "fetch", fetch)  # noqa: B010 - where fetching takes it from, once a source
    database = Database(settings.database_url)
    schema.migrate(database)
    reports = fetching.fetch_due(database, settings, NOW + timedelta(days=later))
    assert reports
    assert not any(report.error or report.rejected for report in reports)
    assert all(report.is_same for report in reports) == bool(later)


def ours(folder: Path, *, later: int = 0, answer: int = 200) -> None:
    """Fetch the feeds that lie in a folder."""

    def fetch(url: str, **_: object) -> Fetched:
        path = folder / f"{url.partition('://')[2].partition('.')[0]}.xml"
        content = path.read_bytes() if answer == 200 else b""
        return Fetched(answer, url, content, "application/rss+xml", '"v1"')

    count = len(list(folder.glob("*.xml")))
    urls = (f"http://paper{number}.example/feed" for number in range(count))
    _fetch_all(folder, _sources(folder, urls), fetch, later)


def many(folder: Path, *, feeds: int, items: int) -> None:
    """Fetch so many feeds, each made when it is asked for."""

    def fetch(url: str, **_: object) -> Fetched:
        number = int(url.partition("paper")[2].partition(".")[0])
        return Fetched(200, url, write_feed(number, items), "application/rss+xml", '"v1"')

    urls = (f"http://paper{number}.example/feed" for number in range(feeds))
    _fetch_all(folder, _sources(folder, urls), fetch)


JOBS: dict[str, Callable[[Path], None]] = {
    "feedparser": feedparser_alone,
    "first": ours,
    "again": partial(ours, later=2),
    "not modified": partial(ours, later=4, answer=304),
}


def _run(job: str, folder: Path) -> tuple[float, float, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.feeds", "--job", job, str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    seconds, used, megabytes = json.loads(done.stdout)
    return seconds, used, megabytes


def measure_speed(feeds: int, items: int) -> None:
    """Print the shares; seconds are of the clock and, in brackets, of the processor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_config(folder, "sqlite:///digest.db")
        schema.migrate(Database(load_settings(config).database_url))  # tables are made once, not a fetch
        for number in range(feeds):
            (folder / f"paper{number}.xml").write_bytes(write_feed(number, items))
        size = sum(path.stat().st_size for path in folder.glob("*.xml"))
        say(f"{feeds:,} feeds of {items} items, {size / 1e6:.1f} MB")
        figures = {job: _run(job, folder) for job in JOBS}
    for job, (seconds, used, megabytes) in figures.items():
        say(f"{job:>14}: {seconds:8.2f} s ({used:.2f} s), peak {megabytes:4.0f} MB")
    (theirs, their_use, _), (first, use, _) = figures["feedparser"], figures["first"]
    say(f"share of feedparser's speed:        {theirs / first:.2f} ({their_use / use:.2f})")
    say(f"the same bytes again, times faster: {first / figures['again'][0]:.1f}")
    say(f"not modified, times faster:         {first / figures['not modified'][0]:.1f}")


def measure_memory(counts: Iterable[int], items: int) -> None:
    """Print the peak at each number of feeds, in a process of its own."""
    for feeds in counts:
        with tempfile.TemporaryDirectory() as name:
            write_config(Path(name), "sqlite:///digest.db")
            seconds, _, megabytes = _run(f"{feeds}x{items}", Path(name))
        say(f"{feeds:,} feeds of {items} items: peak {megabytes:.0f} MB, {seconds:.0f} s")


def main(*given: str) -> None:
    """Print the figures."""
    full = "--full" in given
    numbers = [int(word) for word in given if word.isdigit()]
    feeds, items, *_ = [*numbers, *([1000, 50] if full else [100, 50])[len(numbers) :]]
    measure_speed(feeds, items)
    measure_memory((1_000, 10_000) if full else (feeds, 10 * feeds), 5)
    subprocess.run([sys.executable, "-m", "tests.benchmarks.related"], check=True)


def say(line: str) -> None:
    """Print one line of figures."""
    print(line, flush=True)  # noqa: T201


def _job(name: str, folder: Path) -> None:
    began, used = time.perf_counter(), time.process_time()
    if "x" in name:
        feeds, items = map(int, name.split("x"))
        many(folder, feeds=feeds, items=items)
    else:
        JOBS[name](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(json.dumps([time.perf_counter() - began, time.process_time() - used, peak]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        _job(sys.argv[2], Path(sys.argv[3]))
    else:
        main(*sys.argv[1:])
