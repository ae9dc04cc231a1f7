"""Print how fast an edition leaves, as a share of what the same sink takes from anybody.

Run `uv run python -m tests.benchmarks.delivery [KIND...] [--readers N] [--connections N] [--rounds N]
[--database sqlite postgresql]`. A kind is one of unsigned, rsa, both (RSA and Ed25519), variants (another
list of articles for each reader), own (the same with a template of the publication's own), tls, clear (into the sink of tls, unencrypted), naive (the same templates
by Jinja, css-inline, EmailMessage and smtplib for each reader). The limit is the best of ready bytes of the same size and Postfix's smtp-source,
at 1, 4 and 10 connections, before and after each run into the same `smtp-sink` on loopback; over TLS, where
Postfix has no such sink, it is ready bytes over TLS into a sink of the benchmark's own. Absolute figures
drift from machine to machine, the share holds. Planning and start-up are printed apart; the processor's
time a message is our process's and the sink's.
"""

import argparse
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from digest.bootstrap import Application
from digest.mail.rendering.content import Content
from digest.models import Delivery, Subscriber, Subscription, Variant, VariantArticle
from digest.settings import load_settings
from digest.store.database import Database
from digest.store.delivery.deliveries import make_job
from digest.store.workers import WorkerLock
from digest.tasks.articles.fetching import fetch_due
from digest.tasks.delivery.deliver import deliver
from tests.benchmarks.databases import BenchmarkDatabase, Work, benchmark_database
from tests.benchmarks.readers import load_readers
from tests.benchmarks.relays import Sink, naive_rate, raw_rate, sink, source_rate
from tests.benchmarks.secure import secure_sink
from tests.support.newsroom import Publication, run_command

TEXT = "The quick clerk wrote down the price of forty-two kinds of fish, and then went home. " * 3
ARTICLES = 7
OWN = '{% extends "stock/front-page.html.j2" %}{% block masthead %}{{ super() }}<tr><td>1881</td></tr>{% endblock %}'
KINDS = ("unsigned", "rsa", "both", "variants", "own", "tls", "clear", "naive")


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go, and who vouches for it over TLS."""

    sink: Sink
    ca_file: Path | None = None

    def limit(self, messages: int, size: int) -> float:
        """Return the higher rate of ready bytes and smtp-source; a raw client that is slower voids the run."""
        port = self.sink.port
        raw = max(raw_rate(port, n, messages, size, self.ca_file) for n in (1, 4, 10))
        if self.ca_file is not None:
            return raw
        source = max(source_rate(port, n, messages, size) for n in (1, 4, 10))
        if raw < source:
            print(f"void: ready bytes {raw:,.0f} < smtp-source {source:,.0f}")  # noqa: T201
        return max(raw, source)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one edition took: messages a second, our and the sink's processor's seconds, the database's work."""

    rate: float
    own: float
    sinks: float
    work: Work


class Planned:
    """An edition that is planned and not yet delivered."""

    def __init__(
        self,
        folder: Path,
        target: Target,
        readers: int,
        connections: int,
        kind: str,
        database: BenchmarkDatabase,
    ) -> None:
        self.readers = readers
        self._sink = target.sink
        self._database = database
        self._content: Content | None = None
        self.publication = prepare(folder, target, readers, connections, kind, database.url)
        self._app = Application(load_settings(self.publication.config))
        fetch_due(self._app.database, self._app.settings, self._app.clock())
        with self._app.worker() as worker:
            began = time.monotonic()
            compiler = self._app.compiler(worker)
            compiler.compile_due(self._app.settings.digest("world"), self._app.clock(), at_once=True)
            self.planned_in = time.monotonic() - began
        if kind in ("variants", "own"):
            give_each_another_list(self._app.database)
        self.size = self._measure()

    def deliver(self) -> Delivered:
        """Deliver it; every message must be accepted."""
        with self._app.worker() as worker:
            before = self._database.work()
            rate, own, sinks = self._deliver(worker)
        self._app.close()
        time.sleep(1.5 if before.wal else 0)  # backends report their counts when they are idle
        return Delivered(rate, own, sinks, self._database.work().since(before))

    def draw(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Render text and HTML for one reader from the templates, as if nothing had been rendered before."""
        composer, renderer = self._app.composer, self._app.renderer
        if self._content is None:
            with self._app.database.read() as session:
                variant_id = session.exec(select(Delivery.variant_id).limit(1)).one()
            self._content = composer._contents.of(composer._variants.take(variant_id or 0))
        text, html = renderer._text._templates, renderer._look(self._content.look)._templates
        documents: Any = renderer._documents
        context = documents._context(self._content)
        return (
            documents._render(text, self._content, context, values),
            documents._render(html, self._content, context, values),
        )

    def _deliver(self, worker: WorkerLock) -> tuple[float, float, float]:
        run = self._app.run(worker)
        began, sinks, own = time.monotonic(), self._sink.seconds(), time.process_time()
        tally = deliver(run)
        own, seconds = time.process_time() - own, time.monotonic() - began
        assert tally.accepted == self.readers, tally
        return self.readers / seconds, own, self._sink.seconds() - sinks

    def _measure(self) -> int:
        app = self._app
        with app.database.read() as session:
            query = (
                select(Delivery, Subscriber)
                .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
                .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            )
            delivery, subscriber = session.exec(query.limit(1)).one()
        return app.composer.compose(make_job(delivery, subscriber, "world"), app.clock()).size


def prepare(folder: Path, target: Target, readers: int, connections: int, kind: str, url: str) -> Publication:
    """Make a publication with articles, readers and, where wanted, keys."""
    port = target.sink.port
    publication = Publication(folder, url, port=port, connections=connections)
    publication.change_settings("max_articles = 5", f"max_articles = {ARTICLES}")
    for n in range(ARTICLES):
        publication.write_article(f"Story {n}: {TEXT}"[:250])
    if target.ca_file is not None:
        publication.change_settings("[smtp]", f'[smtp]\nsecurity = "tls"\nca_file = "{target.ca_file}"')
    options = ("--config", str(publication.config))
    settings = ""
    if kind in ("rsa", "both"):
        run_command("dkim", "--selector", "r1", "--out", str(folder / "rsa.pem"), *options)
        settings += 'selector = "r1"\nkey_file = "rsa.pem"\n'
    if kind == "both":
        run_command("dkim", "--ed25519", "--selector", "e1", "--out", str(folder / "ed.pem"), *options)
        settings += 'ed25519_selector = "e1"\ned25519_key_file = "ed.pem"\n'
    if settings:
        publication.change_settings("[web]", f"[dkim]\n{settings}\n[web]")
    if kind == "own":
        (folder / "look").mkdir()
        (folder / "look" / "front-page.html.j2").write_text(OWN)
        publication.change_settings("[web]", '[look]\nfolder = "look"\n\n[web]')
    app = Application(load_settings(publication.config))
    load_readers(app.database, readers)
    app.close()
    return publication


def give_each_another_list(database: Database) -> None:
    """Assign every delivery its own variant: the same articles in another order."""
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


@contextmanager
def target_of(kind: str) -> Iterator[Target]:
    """Run what a kind is sent to."""
    if kind in ("tls", "clear"):
        with secure_sink(encrypts=kind == "tls") as (found, ca_file):
            yield Target(found, ca_file)
    else:
        with sink() as found:
            yield Target(found)


def measure(kind: str, readers: int, connections: int, probes: int, database: str) -> float:
    """Print one run of a kind, and return its share of the limit."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    with target_of(kind) as target, benchmark_database(database, folder) as store:
        planned = Planned(folder, target, readers, connections, kind, store)
        before = target.limit(probes, planned.size)
        if kind == "naive":
            rate, told = naive_rate(target.sink.port, min(readers, 2_000), planned.draw), ""
        else:
            done = planned.deliver()
            told = f"; planned in {planned.planned_in:.1f} s; processor: {1e6 * done.own / readers:.0f} us a"
            told += f" message, the sink's {1e6 * done.sinks / readers:.0f}"
            told += done.work.per_message(readers) if done.work.wal else ""
            rate = done.rate
        after = target.limit(probes, planned.size)
    shutil.rmtree(folder)
    share = rate / statistics.mean((before, after))
    print(  # noqa: T201
        f"{kind}, {database}: {rate:,.0f} messages/s of {planned.size:,} bytes; limit {before:,.0f} before, {after:,.0f} after;"
        f" share {share:.3f}{told}",
        flush=True,
    )
    return share


def main() -> None:
    """Print a line a run, then the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=["unsigned"], choices=KINDS)
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--probes", type=int, default=5_000, help="messages for each measure of the limit")
    parser.add_argument("--database", nargs="+", default=["sqlite"], choices=("sqlite", "postgresql"))
    wanted = parser.parse_args()
    pairs = [(kind, database) for kind in wanted.kinds for database in wanted.database]
    shares: dict[tuple[str, str], list[float]] = {pair: [] for pair in pairs}
    for _ in range(wanted.rounds):
        for kind, database in pairs:
            share = measure(kind, wanted.readers, wanted.connections, wanted.probes, database)
            shares[kind, database].append(share)
    for (kind, database), found in shares.items():
        print(f"{kind}, {database}: median share {statistics.median(found):.3f}")  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of all this {peak:.0f} MiB")  # noqa: T201


if __name__ == "__main__":
    main()
