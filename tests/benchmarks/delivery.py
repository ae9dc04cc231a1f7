"""Print how fast an edition leaves, as a share of what the same sink takes from Postfix's own source.

Run `uv run python -m tests.benchmarks.delivery [READERS] [CONNECTIONS]`. Both go into one `smtp-sink` on
loopback in one run, with messages of the same size; absolute figures drift from machine to machine, the
share holds. Planning and start-up are printed apart.
"""

import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import col, select

from digest.bootstrap import Application
from digest.models import Delivery, Subscriber, Subscription
from digest.settings import load_settings
from digest.store.deliveries import make_job
from digest.tasks.delivery.delivering import deliver
from digest.tasks.fetching import fetch_due
from tests.newsroom import Publication, run_command

ROUNDS = 3
TEXT = "The quick clerk wrote down the price of forty-two kinds of fish, and then went home. " * 3


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink for as long as it is needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["smtp-sink", "-u", "postfix", f"127.0.0.1:{port}", "1000"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        time.sleep(0.5)
        try:
            yield port
        finally:
            process.kill()


def limit(port: int, connections: int, messages: int, size: int) -> float:
    """Give the messages a second that smtp-source hands to the sink."""
    began = time.monotonic()
    subprocess.run(
        ["smtp-source", "-s", str(connections), "-m", str(messages), "-l", str(size), f"127.0.0.1:{port}"],
        check=True,
    )
    return messages / (time.monotonic() - began)


def edition(folder: Path, port: int, readers: int, connections: int) -> tuple[float, float, int]:
    """Deliver one edition; give messages a second, seconds of planning, and a message's size."""
    publication = Publication(folder, f"sqlite:///{folder}/digest.db", port=port, connections=connections)
    publication.change_settings("max_articles = 5", "max_articles = 12")
    for n in range(12):
        publication.write_article(f"Story {n}: {TEXT}"[:250])
    out, _ = run_command(
        "subscribers", "import", str(publication.write_readers(readers)), "--confirmed", "benchmark",
        "--config", str(publication.config),
    )  # fmt: skip
    assert out.startswith(f"{readers} added")
    app = Application(load_settings(publication.config))
    fetch_due(app.database, app.settings, app.clock())
    with app.worker() as worker:
        began = time.monotonic()
        app.compiler(worker).compile_due(app.settings.digest("world"), app.clock(), at_once=True)
        planned = time.monotonic() - began
        run = app.run(worker)
        sizes: list[int] = []
        compose = run.composer.compose
        began = time.monotonic()
        tally = deliver(run)
        seconds = time.monotonic() - began
        with app.database.read() as session:
            delivery, subscriber = session.exec(
                select(Delivery, Subscriber)
                .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
                .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            ).first() or (None, None)
        assert delivery is not None
        assert subscriber is not None
        sizes.append(len(compose(make_job(delivery, subscriber, "world"), app.clock()).content))
    app.close()
    assert tally.accepted == readers, tally
    return readers / seconds, planned, sizes[0]


def main() -> None:
    """Print a line a round, then the medians."""
    readers = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    shares = []
    for number in range(ROUNDS):
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        with sink() as port:
            ours, planned, size = edition(folder, port, readers, connections)
            theirs = limit(port, connections, readers, size)
        shutil.rmtree(folder)
        shares.append(ours / theirs)
        print(  # noqa: T201
            f"round {number + 1}: {ours:,.0f} messages/s of {size:,} bytes, limit {theirs:,.0f},"
            f" share {ours / theirs:.2f}; planned {readers:,} in {planned:.2f} s"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"median share {statistics.median(shares):.2f}; peak memory {peak:.0f} MiB")  # noqa: T201


if __name__ == "__main__":
    main()
