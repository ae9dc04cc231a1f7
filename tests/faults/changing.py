"""Change readers' cadence, hour and zone at any moment: `python -m tests.faults.changing [HISTORIES] [SEED]`.

A history is one reader's: what they changed, and when, between articles and compilations. After it no article
has come to the reader twice, and each that was published has come once. Readers of one round share a publication.
"""

import random
import sys
import tempfile
import time as clock
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from digest.models import Subscriber, Subscription
from digest.settings import load_settings
from digest.store import schema
from digest.store.database import Database
from digest.store.readers import subscribers
from digest.store.workers import WorkerLock
from tests.conftest import write_config
from tests.support.compilation import DAY, NOW, Newsroom

ROUND = 50
ZONES = (
    None, "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Honolulu", "Asia/Kathmandu", "America/New_York",
    "America/St_Johns", "Australia/Lord_Howe", "UTC",
)  # fmt: skip
DAYS, DRAIN = 10, 8


def change(newsroom: Newsroom, reader: int, chance: random.Random, *, cadence: str | None = None) -> None:
    """Change a reader's cadence, hour and zone, as their page and the command line do."""
    with newsroom.database.write() as session:
        row = session.get(Subscription, reader)
        assert row is not None
        person = session.get(Subscriber, row.subscriber_id)
        assert person is not None
        subscribers.change_choices(
            session, row, cadence=cadence or chance.choice(("daily", "weekly")), topics=row.topics,
            hour=chance.choice((None, *range(24))),
        )  # fmt: skip
        subscribers.change_details(
            session, person, name=person.name, language=person.language, timezone=chance.choice(ZONES)
        )


def live(newsroom: Newsroom, readers: list[int], chance: random.Random) -> set[int]:
    """Let days pass in which anything happens at any moment, then quiet ones; return the articles published."""
    newsroom.compile(NOW, at_once=False)
    published: set[int] = set()
    now, end = NOW, NOW + DAYS * DAY
    while (now := now + timedelta(minutes=chance.randrange(1, 900))) < end:
        match chance.randrange(4):
            case 0:
                published.add(newsroom.publish(at=now))
            case 1:
                newsroom.compile(now, at_once=False)
            case _:
                for reader in chance.sample(readers, chance.randrange(1, len(readers) + 1)):
                    change(newsroom, reader, chance)
    published.add(newsroom.publish(at=end))
    for reader in readers:
        change(newsroom, reader, chance, cadence="daily")
    for day in range(DRAIN):
        newsroom.compile(datetime.combine(end, NOW.time(), NOW.tzinfo) + day * DAY, at_once=False)
    return published


def faults_of(newsroom: Newsroom, readers: list[int], published: set[int]) -> Iterator[str]:
    """Yield what came to a reader twice, or never."""
    daily, weekly = newsroom.lists("daily"), newsroom.lists("weekly")
    for reader in readers:
        got = [one for lists in (daily, weekly) for edition in lists.get(reader, []) for one in edition]
        if len(got) != len(set(got)):
            yield f"reader {reader} got twice: {sorted(one for one in set(got) if got.count(one) > 1)}"
        if published - set(got):
            yield f"reader {reader} never got: {sorted(published - set(got))}"


def play(newsroom: Newsroom, seed: int, histories: int) -> list[str]:
    """Play so many histories in one publication and return what is wrong with them."""
    chance = random.Random(seed)
    readers = [newsroom.subscribe(zone=chance.choice(ZONES)) for _ in range(histories)]
    published = live(newsroom, readers, chance)
    return [f"seed {seed}: {fault}" for fault in faults_of(newsroom, readers, published)]


def main(histories: int = 10_000, seed: int = 1) -> int:
    """Play histories on SQLite and print what was seen."""
    began, faults, played = clock.monotonic(), list[str](), 0
    while played < histories:
        count = min(ROUND, histories - played)
        with tempfile.TemporaryDirectory() as folder:
            settings = load_settings(write_config(Path(folder), f"sqlite:///{folder}/digest.db"))
            database, workers = Database(settings.database_url), list[WorkerLock]()
            schema.migrate(database)
            faults += play(Newsroom(database, settings, workers, range_size=20), seed, count)
            for worker in workers:
                worker.die()
            database.close()
        played, seed = played + count, seed + 1
    print(f"{played} histories, {len(faults)} faults in {clock.monotonic() - began:.0f} s")  # noqa: T201
    print(*faults[:20], sep="\n")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
