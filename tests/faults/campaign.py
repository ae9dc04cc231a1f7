"""Kill an edition again and again at random moments, and print what was lost and what was repeated.

Run `uv run python -m tests.faults.campaign [KILLS] [SEED]`. Each edition is killed ten times in a row, with 1, 4
and 16 connections in turn, then let go to its end. The command fails where a reader was left out, where
more was repeated than there were connections open, where a repeat has other bytes, or where the audit
does not hold.
"""

import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.newsroom import Caught, Publication

READERS = 300
IN_A_ROW = 10
CONNECTIONS = (1, 4, 16)


@dataclass
class Findings:
    """What a campaign has found so far."""

    kills: int = 0
    editions: int = 0
    repeats: int = 0
    most_repeats_a_kill: float = 0.0
    troubles: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.editions} editions of {READERS}: {self.troubles} editions in trouble,"
            f" {self.repeats} repeats, at most {self.most_repeats_a_kill:.2f} a kill and connection"
        )


def edition(connections: int, chance: random.Random, found: Findings) -> None:
    """Kill one edition ten times, let it go to its end, and judge what its readers got."""
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    with Caught(delay=0.002) as relay:
        publication = Publication(
            folder, f"sqlite:///{folder}/digest.db", port=relay.port, connections=connections
        )
        publication.begin(READERS)
        for _ in range(IN_A_ROW):
            before = len(relay.messages)
            process = publication.start("send", "world", "--now")
            end = time.monotonic() + 30
            while len(relay.messages) == before and process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            found.kills += 1
        publication.run("send", "world", "--now")
        publication.run("send", "world")
        got = defaultdict(list)
        for recipient, content in relay.messages:
            got[recipient].append(content)
        sound = publication.facts("audit")["ok"]
    repeats = len(relay.messages) - len(got)
    found.editions += 1
    found.repeats += repeats
    found.most_repeats_a_kill = max(found.most_repeats_a_kill, repeats / (IN_A_ROW * connections))
    same = all(content == contents[0] for contents in got.values() for content in contents)
    if len(got) != READERS or repeats > IN_A_ROW * connections or not same or not sound:
        found.troubles += 1
        print(f"trouble in {folder}: {len(got)} readers, {repeats} repeats, same bytes {same}, audit {sound}")  # noqa: T201
        return
    shutil.rmtree(folder)


def main() -> None:
    """Print a line an edition; exit 1 where one was in trouble."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201
    chance, found = random.Random(seed), Findings()
    while found.kills < wanted:
        edition(CONNECTIONS[found.editions % len(CONNECTIONS)], chance, found)
        print(found, flush=True)  # noqa: T201
    sys.exit(1 if found.troubles else 0)


if __name__ == "__main__":
    main()
