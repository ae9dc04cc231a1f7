"""Print how fast an edition leaves, as a share of what the same sink takes from anybody.

Run `uv run python -m tests.benchmarks.delivery [KIND...] [--readers N] [--connections N] [--rounds N]`. A kind
is one of unsigned, rsa, both (RSA and Ed25519), variants (another list of articles for each reader), naive
(Jinja, EmailMessage and smtplib). The limit is the best of ready bytes and Postfix's smtp-source, at 1, 4
and 10 connections, before and after each run into the same `smtp-sink` on loopback; absolute figures drift
from machine to machine, the share holds. Planning and start-up are printed apart.
"""

import argparse
import random
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from sqlmodel import col, select

from digest.bootstrap import Application
from digest.models import Delivery, Subscriber, Subscription, Variant, VariantArticle
from digest.settings import load_settings
from digest.store.database import Database
from digest.store.deliveries import make_job
from digest.tasks.delivery.delivering import deliver
from digest.tasks.fetching import fetch_due
from tests.benchmarks.relays import naive_rate, raw_rate, sink, source_rate
from tests.newsroom import Publication, run_command

TEXT = "The quick clerk wrote down the price of forty-two kinds of fish, and then went home. " * 3
ARTICLES = 8
KINDS = ("unsigned", "rsa", "both", "variants", "naive")


def limit(port: int, messages: int, size: int) -> float:
    """Give the best of ready bytes and smtp-source; a raw client that is slower voids the run."""
    raw = {n: raw_rate(port, n, messages, size) for n in (1, 4, 10)}
    source = {n: source_rate(port, n, messages, size) for n in (1, 4, 10)}
    if max(raw.values()) < max(source.values()):
        print(f"void: ready bytes {max(raw.values()):,.0f} < smtp-source {max(source.values()):,.0f}")  # noqa: T201
    return max(*raw.values(), *source.values())


def prepare(folder: Path, port: int, readers: int, connections: int, kind: str) -> Publication:
    """Make a publication with articles, readers and, where wanted, keys."""
    publication = Publication(folder, f"sqlite:///{folder}/digest.db", port=port, connections=connections)
    publication.change_settings("max_articles = 5", f"max_articles = {ARTICLES}")
    for n in range(ARTICLES):
        publication.write_article(f"Story {n}: {TEXT}"[:250])
    options = ("--config", str(publication.config))
    out, _ = run_command(
        "subscribers", "import", str(publication.write_readers(readers)), "--confirmed", "benchmark", *options
    )
    assert out.startswith(f"{readers} added")
    settings = ""
    if kind in ("rsa", "both"):
        run_command("dkim", "--selector", "r1", "--out", str(folder / "rsa.pem"), *options)
        settings += 'selector = "r1"\nkey_file = "rsa.pem"\n'
    if kind == "both":
        run_command("dkim", "--ed25519", "--selector", "e1", "--out", str(folder / "ed.pem"), *options)
        settings += 'ed25519_selector = "e1"\ned25519_key_file = "ed.pem"\n'
    if settings:
        publication.change_settings("[web]", f"[dkim]\n{settings}\n[web]")
    return publication


def give_each_another_list(database: Database) -> None:
    """Give every delivery a variant of its own: the same articles in another order."""
    with database.write() as session:
        edition_id = session.exec(select(Delivery.edition_id).limit(1)).one()
        (variant_id,) = session.exec(select(Delivery.variant_id).distinct()).all()
        rows = session.exec(select(VariantArticle).where(VariantArticle.variant_id == variant_id)).all()
        orders = random.Random(42)
        variants, lists = [], []
        for delivery in session.exec(select(Delivery.id)).all():
            variant_id = 1_000_000 + (delivery or 0)
            variants.append(Variant(id=variant_id, edition_id=edition_id, key=f"v{delivery}", language="en"))
            for position, row in enumerate(orders.sample(rows, len(rows))):
                lists.append({**row.model_dump(), "variant_id": variant_id, "position": position})
        session.add_all(variants)
        session.flush()
        session.connection().execute(VariantArticle.__table__.insert(), lists)  # type: ignore[attr-defined]
        session.connection().exec_driver_sql("UPDATE delivery SET variant_id = 1000000 + id")


def edition(folder: Path, port: int, readers: int, connections: int, kind: str) -> tuple[float, float, int]:
    """Deliver one edition; give messages a second, seconds of planning, and a message's size."""
    publication = prepare(folder, port, readers, connections, kind)
    app = Application(load_settings(publication.config))
    fetch_due(app.database, app.settings, app.clock())
    with app.worker() as worker:
        began = time.monotonic()
        app.compiler(worker).compile_due(app.settings.digest("world"), app.clock(), at_once=True)
        planned = time.monotonic() - began
        if kind == "variants":
            give_each_another_list(app.database)
        run = app.run(worker)
        began = time.monotonic()
        tally = deliver(run)
        seconds = time.monotonic() - began
        size = _size(app)
    app.close()
    assert tally.accepted == readers, tally
    return readers / seconds, planned, size


def _size(app: Application) -> int:
    with app.database.read() as session:
        query = (
            select(Delivery, Subscriber)
            .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
        )
        delivery, subscriber = session.exec(query.limit(1)).one()
    job = make_job(delivery, subscriber, "world")
    return len(app.composer.compose(job, app.clock()).content)


def measure(kind: str, readers: int, connections: int) -> float:
    """Print one run of a kind, and give its share of the limit."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    probes = min(readers, 10_000)
    with sink() as port:
        size, planned = 34_300, 0.0
        before = limit(port, probes, size)
        if kind == "naive":
            ours = naive_rate(port, min(readers, 2_000), size)
        else:
            ours, planned, size = edition(folder, port, readers, connections, kind)
        after = limit(port, probes, size)
    shutil.rmtree(folder)
    share = ours / statistics.mean((before, after))
    print(  # noqa: T201
        f"{kind}: {ours:,.0f} messages/s of {size:,} bytes; limit {before:,.0f} before, {after:,.0f} after;"
        f" share {share:.3f}; planned in {planned:.1f} s"
    )
    return share


def main() -> None:
    """Print a line a run, then the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=["unsigned"], choices=KINDS)
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    shares = {
        kind: [measure(kind, wanted.readers, wanted.connections) for _ in range(wanted.rounds)]
        for kind in wanted.kinds
    }
    for kind, found in shares.items():
        print(f"{kind}: median share {statistics.median(found):.3f}")  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB")  # noqa: T201


if __name__ == "__main__":
    main()
