"""Print how long each page of the desk takes in a large store, and the plan of the slowest query of slow ones.

Run `uv run python -m tests.benchmarks.pages [--readers N] [--articles N] [--editions N]
[--database sqlite postgresql] [--folder FOLDER] [--running]`. The store is filled by plain inserts: confirmed readers,
articles of some 60 words, as many a day as editions have days, finished editions with 20 articles each, the
deliveries of the last edition to all readers, and the index of words. With `--folder` a SQLite store stays
there, and is used again. Each page is asked three times without a network; the median is printed, and that of the
processor's time, which other work on the machine changes less: this process's and that of PostgreSQL's server. The aim is 200 ms with
1,000,000 readers, 200,000 articles and 2,000 editions; pages above it are marked, with the plan of their slowest query. At the end
processes of their own open all pages twice in this store, and in one with 2,000 articles, and tell the most memory that each took.
"""

import argparse
import contextlib
import random
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import col, select, update

from digest.errors import InputError
from digest.models import ApiScope, Article, Delivery, Edition, Letter, Variant, VariantArticle
from digest.models.subscriber import ReaderFilter
from digest.settings import load_settings
from digest.tasks.api.tokens import make_token
from digest.tasks.articles.searching import index_due
from digest.tasks.figures.kept_counts import keep_sums
from digest.tasks.readers.lists.segments import save_segment
from tests.benchmarks.databases import benchmark_database
from tests.benchmarks.readers import AT_ONCE, load_readers, public_id_of
from tests.conftest import write_config
from tests.support.desks import OLGA, Clock, Newsdesk, Visitor
from tests.support.statements import recorded

_AIM = 0.2
_ROUNDS = 3
_RUNS = 3
"""How many runs keep sums, those of the last editions first; the pages show no others."""
_IN_EDITION = 20
_NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
_API = (
    "token", "articles", "articles?search=harbour", "articles?search=quagga", "articles?source=none", "drafts",
    "drafts/world/daily", "editions", "editions?digest=none", "figures", "readers", "readers?digest=world&state=pending",
    "openapi.json",
)  # fmt: skip
_WORDS = [
    "harbour",
    "bridge",
    "council",
    "vote",
    "ferry",
    "price",
    "winter",
    "school",
    "theatre",
    "river",
    "engine",
    "clerk",
    "market",
    "storm",
    "coal",
    "glass",
    "lantern",
    "rope",
    "tide",
    "election",
    "budget",
    "hospital",
    "garden",
    "museum",
    "railway",
    "signal",
    "copper",
    "letter",
    "fish",
]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def load_articles(newsdesk: Newsdesk, count: int, days: int) -> None:
    """Insert articles over so many days, the last one now; one in a thousand has the word "quagga"."""
    rng, apart = random.Random(7), timedelta(days=days) / count
    table = Article.__table__  # type: ignore[attr-defined]
    for first in range(1, count + 1, AT_ONCE):
        rows = []
        for number in range(first, min(first + AT_ONCE, count + 1)):
            words = rng.choices(_WORDS, k=60)
            body = " ".join([*words, "quagga"] if number % 1_000 == 1 else words)
            at = _NOW - (count - number) * apart
            rows.append({
                "id": number, "source": "newsroom", "canonical_url": f"https://a.example/{number}",
                "url": f"https://a.example/{number}", "content_hash": str(number),
                "title": " ".join(words[:6]).capitalize(), "summary": " ".join(words[6:20]), "text": body,
                "html": f"<p>{body}</p>", "topics": ["world"], "first_seen_at": at, "published_at": at,
                "word_count": 60,
            })  # fmt: skip
        with newsdesk.app.database.write() as session:
            session.connection().execute(table.insert(), [{**_defaults(Article), **row} for row in rows])
    index_due(newsdesk.app.database, count)


def load_editions(newsdesk: Newsdesk, count: int, articles: int, readers: int) -> None:
    """Insert finished editions, one a day back from today, and the deliveries of the last one."""
    editions, variants, contents = [], [], []
    for number in range(1, count + 1):
        at = _NOW - timedelta(days=count - number, hours=11)
        editions.append({
            **_defaults(Edition), "id": 1_000 + number, "digest": "world", "cadence": "daily",
            "period": at.date().isoformat(), "state": "finished", "deadline_at": at, "freeze_at": at,
            "frozen_at": at, "finished_at": at + timedelta(minutes=4),
        })  # fmt: skip
        key = 1_000 + number
        variants.append(
            {**_defaults(Variant), "id": key, "edition_id": key, "key": str(number), "language": "en"}
        )
        first = max(1, articles * number // count - _IN_EDITION)
        contents += [
            {
                "variant_id": key,
                "position": place,
                "article_id": first + place,
                "form": "summary",
                "section": "world",
            }
            for place in range(min(_IN_EDITION, articles))
        ]
    with newsdesk.app.database.write() as session:
        for model, rows in ((Edition, editions), (Variant, variants), (VariantArticle, contents)):
            session.connection().execute(model.__table__.insert(), rows)  # type: ignore[union-attr]
    last = editions[-1]
    for first in range(1, readers + 1, AT_ONCE):
        rows = [
            {
                **_defaults(Delivery), "edition_id": last["id"], "subscription_id": number, "variant_id": last["id"],
                "state": "failed" if number % 500 == 0 else "accepted", "due_at": last["deadline_at"],
                "changed_at": last["finished_at"],
            }
            for number in range(first, min(first + AT_ONCE, readers + 1))
        ]  # fmt: skip
        with newsdesk.app.database.write() as session:
            session.connection().execute(Delivery.__table__.insert(), rows)  # type: ignore[attr-defined]


def fill(newsdesk: Newsdesk, readers: int, articles: int, editions: int) -> None:
    """Fill the store, and update the planner's statistics."""
    load_readers(newsdesk.app.database, readers)
    load_articles(newsdesk, articles, editions)
    load_editions(newsdesk, editions, articles, readers)
    with newsdesk.app.database.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def add_rest(newsdesk: Newsdesk) -> str:
    """Add what pages of one thing are about: segments, a letter, a token of all scopes; return the token."""
    now, database = newsdesk.clock(), newsdesk.app.database
    for name, wanted in (("Nobody", ReaderFilter(text="nobody")), ("All", ReaderFilter(digest="world"))):
        with contextlib.suppress(InputError):  # it is there since the store was used before
            save_segment(newsdesk.app.readers, name, wanted, OLGA, now)
    with database.write() as session:
        if session.get(Letter, 1) is None:
            session.add(Letter(id=1, at=now, sender="r1@readers.example", subject="Bells", text="Too loud."))
    return make_token(database, lambda: secrets.token_hex(20), "pages", list(ApiScope), now).token


def _defaults(model: Any) -> dict[str, Any]:
    """Return the values that a model's own fields have by default."""
    found = {}
    for name, field in model.model_fields.items():
        if name != "id" and not field.is_required():
            found[name] = field.get_default(call_default_factory=True)
    return found


def plan_of(engine: Engine, statement: str, values: Any) -> list[str]:
    """Return the plan of a statement, as the database writes it."""
    prefix = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(prefix + statement, values).all()
    return [str(row[-1]) for row in rows][:12]


def paths(articles: int, readers: int) -> list[str]:
    """Return the pages that are asked."""
    made = f"/desk/world/daily/{(_NOW - timedelta(hours=11)).date().isoformat()}"
    coming = f"/desk/world/daily/{(_NOW + timedelta(days=1)).date().isoformat()}"
    return [
        "/desk", "/desk/editions", "/desk/editions?q=harbour", "/desk/calendar", made, coming,
        f"{coming}/preview", f"{coming}/find?q=harbour", "/desk/articles", "/desk/articles?search=harbour",
        "/desk/articles?search=quagga", "/desk/articles?search=nowhere", "/desk/articles?search=h",
        "/desk/articles?search=harbour+ha", "/desk/articles?search=harbour&source=none", "/desk/articles?topic=none",
        f"{coming}/find?q=quag", f"/desk/articles/{articles}", f"{made}/withdraw/{articles - 1}",
        "/desk/readers", f"/desk/readers?text=r{readers // 2}@", "/desk/readers?text=nobody", "/desk/readers/import",
        "/desk/readers/segments", f"/desk/readers/{public_id_of(readers // 2)}", "/desk/sources", "/desk/letters",
        "/desk/figures", "/desk/look", "/desk/look/frame/front-page", "/desk/settings", "/desk/api", "/desk/api/webhooks",
        "/archive", "/archive/world", made.replace("/desk", "/archive", 1), "/archive/world/feed.xml",
        "/archive/feed.xml", "/sitemap.xml", "/archive/world?page=60", "/",
        "/desk/drafts", f"{coming}/edit/{articles}", f"{coming}/block/new", f"{coming}/publish",
        f"{made}/correct/{articles - 1}", f"{made}/breaking/{articles}", "/desk/letters/1", "/desk/letters?show=all",
        "/desk/readers/segments/1", f"/desk/readers/segments/1/proof?edition={coming.removeprefix('/desk/')}",
        f"/desk/readers/segments/2/proof?edition={coming.removeprefix('/desk/')}", "/desk/readers?state=pending",
        "/desk/readers?topic=none", "/desk/look/templates/letter", "/desk/calendar?month=2026-12",
        "/desk/editions?state=finished&digest=world", "/desk/editions?q=nothing",
        f"{coming}/preview/frame", f"{coming}/preview?address=r5@readers.example", "/desk/sources/newsroom",
        "/desk/readers?state=paused", "/desk/readers?language=fr", "/desk/readers?cadence=weekly",
        "/desk/editions?before=1200", "/desk/calendar?month=2024-01", "/desk/articles/5", "/archive?page=20",
        "/counted", "/health/ready",
        *(f"/api/v1/{path}" for path in _API), f"/api/v1/articles/{articles}",
        f"/api/v1/editions/{made.removeprefix('/desk/')}", f"/api/v1/readers/{public_id_of(readers // 2)}",
    ]  # fmt: skip


def time_pages(
    newsdesk: Newsdesk,
    olga: Visitor,
    asked: Sequence[str],
    server: Callable[[], float],
    rounds: int = _ROUNDS,
) -> None:
    """Print the median time of each page; `server` returns the seconds that the database's server has worked."""
    olga.client.headers["Authorization"] = f"Bearer {add_rest(newsdesk)}"
    engine = newsdesk.app.database.engine
    slow = 0
    for path in asked:
        times, worked, served = [], [], []
        with recorded(engine) as statements:
            for _ in range(rounds):
                serving = server()
                began, work = time.perf_counter(), time.process_time()
                status = olga.get(path).status_code
                times.append(time.perf_counter() - began)
                worked.append(time.process_time() - work)
                served.append(server() - serving)
        median = statistics.median(times)
        slow += median > _AIM
        queries = len(statements) // rounds
        spent = f"{1e3 * statistics.median(worked):4.0f} + {1e3 * statistics.mean(served):3.0f} ms CPU"
        mark = "  SLOW" if median > _AIM else ""
        say(f"{1e3 * median:8.0f} ms  {spent}  {queries:3} queries  {status}  {path}{mark}")
        if median > _AIM and statements:
            seconds, statement, values = max(statements, key=lambda one: one[0])
            say(f"          {1e3 * seconds:.0f} ms in: {' '.join(statement.split())[:300]}")
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                for line in plan_of(engine, statement, values):
                    say(f"            {line}")
    if len(asked) > 1:
        say(f"{slow} of {len(asked)} pages take longer than {1e3 * _AIM:.0f} ms")


def time_running(newsdesk: Newsdesk, server: Callable[[], float]) -> None:
    """Have the last edition be delivered, half of it, and print the times of the pages that count that."""
    with newsdesk.app.database.write() as session:
        finished = select(Edition).where(Edition.cadence == "daily", col(Edition.frozen_at).is_not(None))
        edition = session.exec(finished.order_by(col(Edition.id).desc()).limit(1)).one()
        edition.state, edition.finished_at = "frozen", None
        half = col(Delivery.edition_id) == edition.id, col(Delivery.id) % 2 == 0
        session.exec(update(Delivery).where(*half).values(state="planned"))
        made = edition.name.path
        last = select(VariantArticle.article_id).join(Variant).where(Variant.edition_id == edition.id)
        article = session.exec(last.limit(1)).one()
    with newsdesk.app.database.engine.connect() as connection:
        connection.execute(text("ANALYZE delivery"))
        connection.commit()
    say("while the last edition is being delivered, half of it; each page for the first time, then again")
    asked = [
        made,
        "/desk",
        f"{made}/withdraw/{article}",
        f"{made}/correct/{article}",
        f"/api/v1/editions/{made[6:]}",
    ]
    olga = newsdesk.sign_in(OLGA)
    olga.client.headers["Authorization"] = f"Bearer {add_rest(newsdesk)}"
    for path in asked:
        newsdesk.clock.now += timedelta(minutes=2)  # what was counted is too old to be shown
        time_pages(newsdesk, olga, [path], server, rounds=1)
        newsdesk.app.background.begin("after it", lambda: None, None)
        time_pages(newsdesk, olga, [path], server)


def open_pages(newsdesk: Newsdesk, asked: Sequence[str]) -> None:
    """Open each page twice, and print the most memory that this process has taken."""
    olga = newsdesk.sign_in(OLGA)
    olga.client.headers["Authorization"] = f"Bearer {add_rest(newsdesk)}"
    for path in [*asked, *asked]:
        olga.get(path)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    say(f"{int(peak.split()[1]) / 1024:.0f} MB")  # ru_maxrss has that of the process which started this one


def tell_memory(url: str, folder: Path, articles: int, readers: int) -> None:
    """Have a process of its own open all pages of a store, and print the most memory that it took."""
    command = [sys.executable, "-m", "tests.benchmarks.pages", "--open", url, "--folder", str(folder)]
    command += ["--articles", str(articles), "--readers", str(readers)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    say(
        f"{articles:,} articles: all pages opened twice by a process that takes at most {found.stdout.strip()}"
    )


def tell_small_memory(articles: int, editions: int) -> None:
    """Do the same in a small SQLite store with as many articles a day."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, few = Path(name), 2_000
        url, readers = f"sqlite:///{folder}/digest.db", 1_000
        newsdesk = Newsdesk(load_settings(write_config(folder, url)), Clock(_NOW))
        fill(newsdesk, readers, few, max(1, editions * few // articles))
        newsdesk.close()
        tell_memory(url, folder, few, readers)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, number in (("readers", 100_000), ("articles", 20_000), ("editions", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--database", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    parser.add_argument("--running", action="store_true", help="end with the last edition under way")
    parser.add_argument("--open", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.open:
        newsdesk = Newsdesk(load_settings(write_config(given.folder, given.open)), Clock(_NOW))
        return open_pages(newsdesk, paths(given.articles, given.readers))
    for kind in given.database:
        folder = given.folder or Path(tempfile.mkdtemp(prefix="bench-"))
        folder.mkdir(exist_ok=True)
        is_filled = kind == "sqlite" and (folder / "digest.db").exists()
        with benchmark_database(kind, folder) as database:
            newsdesk = Newsdesk(load_settings(write_config(folder, database.url)), Clock(_NOW))
            began = time.perf_counter()
            if not is_filled:
                fill(newsdesk, given.readers, given.articles, given.editions)
            for _ in range(_RUNS):
                keep_sums(newsdesk.app.database, newsdesk.settings, _NOW)
            say(
                f"{kind}: {given.readers:,} readers, {given.articles:,} articles, {given.editions:,} editions,"
                f" filled in {time.perf_counter() - began:.0f} s"
            )
            asked = paths(given.articles, given.readers)
            olga = newsdesk.sign_in(OLGA)
            time_pages(newsdesk, olga, asked, lambda: database.work().seconds)
            tell_memory(database.url, folder, given.articles, given.readers)
            if given.running:
                time_running(newsdesk, lambda: database.work().seconds)
            newsdesk.close()
    tell_small_memory(given.articles, given.editions)
    return None


if __name__ == "__main__":
    main()
