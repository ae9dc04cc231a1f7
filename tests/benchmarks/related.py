"""Print how long related articles take to find among the latest 10,000, and what their index weighs.

Run `uv run python -m tests.benchmarks.related`. The texts are drawn from a made-up vocabulary in which a few
words are very frequent and most are rare, as in any language; each story is about one of 500 matters.
"""

import random
import statistics
import sys
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

from digest.articles.related import Index, RelatedStory

COUNT, QUERIES, WORDS = 10_000, 500, 350
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
SYLLABLES = ["ka", "lo", "mi", "ne", "ru", "sta", "ver", "tol", "bra", "qui", "dun", "pes"]


def say(line: str) -> None:
    """Print one line of figures."""
    sys.stdout.write(line + "\n")


def write_stories(count: int) -> tuple[list[RelatedStory], list[int]]:
    """Write stories, and of which matter each is."""
    chance = random.Random(7)
    words = [
        "".join(chance.choice(SYLLABLES) for _ in range(chance.randint(2, 4))) + str(n % 7)
        for n in range(30_000)
    ]
    shares = [1 / (n + 1) for n in range(len(words))]
    matters = [chance.sample(words[200:], 12) for _ in range(500)]
    stories, about = [], []
    for number in range(count):
        matter = chance.randrange(len(matters))
        own = chance.choices(matters[matter], k=25)
        text = chance.choices(words, shares, k=WORDS - 25) + own
        chance.shuffle(text)
        title = " ".join(own[:3] + text[:4])
        stories.append(RelatedStory(number, title, " ".join(text), NOW - timedelta(hours=number)))
        about.append(matter)
    return stories, about


def main() -> None:
    """Build, ask, print."""
    stories, about = write_stories(COUNT)
    begun = time.perf_counter()
    Index(stories)
    building = time.perf_counter() - begun
    tracemalloc.start()
    index = Index(stories)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    chance = random.Random(8)
    say(f"index of {len(index):,}: {building:.2f} s to build, {held / 1e6:.1f} MB, peak {peak / 1e6:.1f} MB")
    for size in (1, 20):
        taken, used, right, found = [], [], 0, 0
        for _ in range(QUERIES):
            chosen = chance.sample(stories, size)
            begun, before = time.perf_counter(), time.process_time()
            near = index.near(chosen, 4)
            taken.append(time.perf_counter() - begun)
            used.append(time.process_time() - before)
            right += sum(about[number] in {about[one.id] for one in chosen} for number in near)
            found += len(near)
        worst = statistics.quantiles(taken, n=100)[98]
        say(
            f"{size} asked: median {statistics.median(taken) * 1e3:.2f} ms (of the processor"
            f" {statistics.median(used) * 1e3:.2f} ms), 99th of 100 {worst * 1e3:.2f} ms, {right / found:.0%} of {found} about the same matter"
        )


if __name__ == "__main__":
    main()
