"""Print how well stories are folded, on the corpus of pairs, and how fast among 100,000 stored articles.

Run `uv run python -m tests.benchmarks.folding [ARTICLES]`.
"""

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.articles.building import build_article
from digest.articles.parsed import ParsedArticle
from digest.rules.articles.duplicates import is_same_story, likeness, sample
from digest.store import schema
from digest.store.database import Database
from digest.tasks.articles.storing import store_articles
from tests.support.stories import Pair, pairs

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
BATCH = 500


def measure(found: list[Pair], yes: str, told: dict[str, bool]) -> str:
    """Return one line with precision and recall."""
    right = sum(told[pair.name] for pair in found if pair.kind == yes)
    said, there = sum(told.values()), sum(pair.kind == yes for pair in found)
    return f"precision {right / max(said, 1):.2f}, recall {right / max(there, 1):.2f}, {len(found)} pairs"


def judge() -> None:
    """Print what is made of each pair, and the sums."""
    across, at_one = pairs("fold", "apart"), pairs("edit", "new")
    for pair in (*across, *at_one):
        shared = len(set(sample(pair.first)) & set(sample(pair.second)))
        print(f"{likeness(pair.first, pair.second):5.2f} {shared:4d} in the index  {pair.name}")  # noqa: T201
    folded = {pair.name: is_same_story(pair.first, pair.second) for pair in across}
    print("folded:", measure(across, "fold", folded))  # noqa: T201
    new = {pair.name: likeness(pair.first, pair.second) < 0.5 for pair in at_one}
    print("new at one address:", measure(at_one, "new", new))  # noqa: T201


def article(number: int, draw: random.Random) -> ParsedArticle:
    """Make up an article of 200 words."""
    words = " ".join(f"w{int(draw.paretovariate(0.7)) % 20_000}" for _ in range(200))
    url = f"https://paper.example/{number}"
    return build_article(title=f"Story {number}", url=url, html=f"<p>{words}</p>", guid=str(number))


def store(count: int, folder: Path) -> None:
    """Store articles, the last tenth of them of the last 72 hours, and print what one more costs."""
    database, draw = Database(f"sqlite:///{folder}/digest.db"), random.Random(7)
    schema.migrate(database)
    spent = 0.0
    for start in range(0, count, BATCH):
        items = [article(number, draw) for number in range(start, start + BATCH)]
        age = timedelta(hours=1) if start >= count * 9 // 10 else timedelta(days=30 - 20 * start / count)
        began = time.monotonic()
        with database.write() as session:
            store_articles(session, f"paper-{start // BATCH % 50}", items, NOW - age)
        spent = time.monotonic() - began
    print(f"{count} stored: the last {BATCH} took {spent / BATCH * 1000:.2f} ms an article")  # noqa: T201


if __name__ == "__main__":
    judge()
    with tempfile.TemporaryDirectory() as place:
        store(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, Path(place))
