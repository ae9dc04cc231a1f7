"""The long campaign: thousands of kills and of SMTP faults, and what came of them.

    uv run python -m tests.faults.campaign kills [COUNT] [--database sqlite|postgresql] [--connections N] [--seed N]
    uv run python -m tests.faults.campaign smtp [COUNT] [--case NAME] [--seed N]
    uv run python -m tests.faults.campaign true-time

`kills`: each edition is killed ten times in a row, at steps of its own, at what its server hears and at random
moments, with 1, 4 and 16 connections in turn, on SQLite and PostgreSQL in turn, then let go to its end. `smtp`: each
run is an edition over a server with one of the faults of tests/faults/cases.py, waits of minutes at a hundredth.
`true-time`: the four faults that are waits, as long as they are. Every edition must pass: nobody lost, no more
repeats than may be, the same bytes, the books whole. Exit 1 where one did not.
"""

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from tests.faults.cases import CASES, SCALE, Case
from tests.faults.dying import STEPS, WHENS, Death
from tests.faults.killing import HEARD, Found, Kill, Newsstand, kill_all
from tests.faults.suffering import BEFORE, suffer
from tests.support.postgresql import PostgresqlServer, debian_server

READERS = 150
IN_A_ROW = 10
CONNECTIONS = (1, 4, 16)


class Kills:
    """What the kills have come to so far."""

    def __init__(self) -> None:
        self.kills = self.editions = self.messages = self.repeats = self.undecided = self.missing = (
            self.lost
        ) = self.troubled = 0
        self.most: Counter[int] = Counter()
        self.began = time.monotonic()

    def add(self, found: Found) -> None:
        """Count an edition."""
        self.kills += found.kills
        self.editions += 1
        self.messages += sum(found.messages.values())
        self.repeats += found.repeats
        self.undecided += found.undecided
        self.missing += found.missing
        self.lost += found.lost
        self.troubled += bool(found.trouble)
        self.most[found.connections] = max(self.most[found.connections], found.repeats)

    def __str__(self) -> str:
        most = ", ".join(f"{count} with {connections}" for connections, count in sorted(self.most.items()))
        return (
            f"{self.kills} kills in {self.editions} editions of {READERS} readers, {self.messages} messages:"
            f" {self.lost} lost, {self.repeats} repeats (at most {most} connections in an edition of ten kills),"
            f" {self.undecided} undecided of which {self.missing} got nothing, {self.troubled} editions in trouble; {time.monotonic() - self.began:.0f} s"
        )


def plan(chance: random.Random, connections: int) -> list[Kill]:
    """Draw ten kills: the first at the freeze, the last at the finish, those between anywhere."""
    kills = [Kill(own=Death("freeze", chance.choice(WHENS)))]
    own = [step for step in STEPS if step not in ("freeze", "finish")]
    for _ in range(IN_A_ROW - 2):
        kind = chance.random()
        if kind < 0.4:
            kills.append(Kill(own=Death(chance.choice(own), chance.choice(WHENS), chance.randint(1, 8))))
        elif kind < 0.8:
            step = chance.choice(HEARD)
            most = connections if step == "EHLO" else 12
            kills.append(Kill(heard=step, number=chance.randint(1, most)))
        else:
            kills.append(Kill(seconds=chance.uniform(0.0005, 0.08)))
    return [*kills, Kill(own=Death("finish", chance.choice(WHENS)))]


def kill(options: argparse.Namespace) -> int:
    """Kill until the count is reached."""
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    say(f"seed {seed}")
    chance, done = random.Random(seed), Kills()
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    with servers(options.database) as urls:
        stands = [Newsstand(folder, READERS, url) for url in urls]
        turns = itertools.cycle(
            itertools.product([options.connections] if options.connections else CONNECTIONS, stands)
        )
        while done.kills < options.count:
            connections, stand = next(turns)
            with stand.edition(connections) as edition:
                edition.delay = 0.002
                kills = plan(chance, connections)
                found = kill_all(edition, kills)
                done.add(found)
                if found.trouble:
                    say(f"trouble in {edition.folder}: {found.trouble}; killed {', '.join(map(str, kills))}")
            say(str(done))
        for stand in stands:
            stand.close()
    return 1 if done.troubled else 0


def smtp(options: argparse.Namespace) -> int:
    """Let servers misbehave until the count is reached, each fault in turn."""
    return misbehave(options, [case for case in CASES if options.case in str(case)], SCALE)


def true_time(options: argparse.Namespace) -> int:
    """Let the four faults that are waits last as long as they do."""
    names = (
        "banner after 4 minutes",
        "250 after 9 minutes",
        "250 after 11 minutes",
        "greylisted, then accepted",
    )
    cases = [case for case in CASES if case.name in names]
    options.count, options.seed = len(cases), 0
    with mock.patch("tests.faults.cases.MINUTE", 60.0):
        return misbehave(options, cases, 1.0)


def misbehave(options: argparse.Namespace, cases: list[Case], scale: float) -> int:
    """Let editions meet faults, and count what came of them."""
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    say(f"seed {seed}")
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    began, runs, repeats, troubled, seen = time.monotonic(), 0, 0, 0, Counter[int]()
    with servers(options.database) as urls:
        stands = {
            (url, readers): Newsstand(folder, readers, url, at=BEFORE)
            for url in urls
            for readers in {case.readers for case in cases}
        }
        for case in itertools.islice(itertools.cycle(cases), options.count):
            stand = stands[chance.choice(urls), case.readers]
            connections = chance.choice((1, 2, 4))
            with stand.edition(connections) as edition:
                found = suffer(case, edition, scale)
            runs, repeats = runs + 1, repeats + found.repeats
            seen[case.number] += 1
            if found.trouble:
                troubled += 1
                say(
                    f"trouble in {edition.folder}: {case}, {connections} connections: {'; '.join(found.trouble)}"
                )
            if runs % 25 == 0 or runs == options.count:
                say(
                    f"{runs} runs of {len(seen)} numbers ({len(cases)} faults): {troubled} in trouble,"
                    f" {repeats} repeats; {time.monotonic() - began:.0f} s"
                )
        for stand in stands.values():
            stand.close()
    return 1 if troubled else 0


@contextmanager
def servers(database: str | None) -> Iterator[list[str | None]]:
    """Yield the databases to use: None for SQLite, the URL of a PostgreSQL server started here."""
    urls: list[str | None] = [None] if database != "postgresql" else []
    binaries = debian_server()
    if database == "sqlite" or binaries is None:
        if database != "sqlite":
            say("no PostgreSQL server here: install Debian's postgresql")
        yield urls
        return
    server = PostgresqlServer(binaries)
    try:
        yield [*urls, server.url]
    finally:
        server.stop()


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201


def main() -> None:
    """Run a part of the campaign."""
    parser = argparse.ArgumentParser(
        description="kill editions, or let servers misbehave, thousands of times"
    )
    parts = parser.add_subparsers(dest="part", required=True)
    kills = parts.add_parser("kills", help="kill -9, ten times in a row within each edition")
    kills.add_argument("count", type=int, nargs="?", default=3_000)
    kills.add_argument("--database", choices=["sqlite", "postgresql"])
    kills.add_argument("--connections", type=int)
    kills.add_argument("--seed", type=int)
    kills.set_defaults(run=kill)
    faults = parts.add_parser("smtp", help="servers that misbehave, waits at a hundredth")
    faults.add_argument("count", type=int, nargs="?", default=7_200)
    faults.add_argument("--case", default="")
    faults.add_argument("--seed", type=int)
    faults.set_defaults(run=smtp)
    waits = parts.add_parser("true-time", help="the faults that are waits, as long as they are")
    waits.set_defaults(run=true_time)
    for part in (faults, waits):
        part.add_argument("--database", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    sys.exit(options.run(options))


if __name__ == "__main__":
    # Who is killed is forked with all that it needs, and would run this module again if it could find it.
    own = sys.modules["__main__"]
    own.__spec__, own.__file__ = None, None
    main()
