"""The figures at `/metrics`, in Prometheus's text format.

Gauges are read from the database and so are the same in every process; counters are this process's own
(`Meter`). None contains a reader, an address or an article.
"""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from digest.settings import Settings
from digest.store import workers
from digest.store.articles.sources import known_sources
from digest.store.database import Database
from digest.store.monitoring import gauges
from digest.tasks.delivery.meter import TURN_SECONDS, Meter

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FRESH = timedelta(seconds=15)
"""How long figures from the database are reused: counting a million rows takes time."""


class Metrics:
    """Renders the figures of one process; safe to use from several threads."""

    def __init__(self, database: Database, settings: Settings, meter: Meter) -> None:
        self._database, self._settings, self._meter = database, settings, meter
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._gauges: list[Metric] = []

    def render(self, now: datetime) -> bytes:
        """Return all figures as text; raise Unreachable if the database does not answer."""
        with self._lock:
            if self._read_at is None or not timedelta() <= now - self._read_at < _FRESH:
                self._gauges = list(self._read(now))
                self._read_at = now
            found = [*self._gauges, *_counters(self._meter)]
        registry = CollectorRegistry()
        registry.register(_Collected(found))
        return generate_latest(registry)

    def _read(self, now: datetime) -> Iterator[Metric]:
        with self._database.read() as session:
            yield _by_state("digest_editions", "Editions.", gauges.count_editions(session))
            yield _by_state("digest_subscriptions", "Subscriptions.", gauges.count_subscriptions(session))
            yield _by_state(
                "digest_open_deliveries",
                "Deliveries without a last answer: what is planned and not accepted yet.",
                gauges.count_open(session),
            )
            oldest = gauges.oldest_due_at(session, now)
            waiting = gauges.count_waiting_mail(session)
            finished = gauges.list_last_finished(session)
            known = {source.name for source in known_sources(session, self._settings)}
            sources = [source for source in gauges.list_sources(session) if source.name in known]
            unended = [worker.id for worker in workers.list_unended(session) if worker.id is not None]
        yield _single(
            "digest_queue_age_seconds",
            "How long the delivery that has waited longest has been due.",
            (now - oldest).total_seconds() if oldest else 0,
        )
        yield _labelled("digest_waiting_mail", "Letters and answers that wait.", "kind", waiting)
        yield from _editions(finished)
        yield from _sources(sources)
        alive = sum(workers.is_alive(self._database, key) for key in unended)
        yield _single("digest_workers", "Processes that deliver at this moment.", alive)


class _Collected:
    """A collector of metrics that have been built already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


def _by_state(name: str, text: str, counts: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["digest", "state"])
    for labels, number in sorted(counts.items()):
        family.add_metric(labels, number)
    return family


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


def _single(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _editions(finished: list[gauges.FinishedEdition]) -> Iterator[Metric]:
    labels = ["digest", "cadence"]
    deadline = GaugeMetricFamily(
        "digest_last_deadline_timestamp_seconds", "Deadline of the latest finished edition.", labels=labels
    )
    took = GaugeMetricFamily(
        "digest_last_edition_seconds", "From that edition's deadline to its last answer.", labels=labels
    )
    for edition in finished:
        name = (edition.digest, edition.cadence)
        deadline.add_metric(name, edition.deadline_at.timestamp())
        took.add_metric(name, (edition.finished_at - edition.deadline_at).total_seconds())
    yield deadline
    yield took


def _sources(sources: list[gauges.SourceHealth]) -> Iterator[Metric]:
    yield _labelled(
        "digest_source_failures",
        "Failures in a row of each source.",
        "source",
        {source.name: source.failures for source in sources},
    )
    yield _labelled(
        "digest_source_last_success_timestamp_seconds",
        "When each source was last read.",
        "source",
        {s.name: s.last_success_at.timestamp() for s in sources if s.last_success_at},
    )
    yield _labelled(
        "digest_source_stopped",
        "1 for a source that is not asked any more.",
        "source",
        {source.name: int(source.is_stopped) for source in sources},
    )


def _counters(meter: Meter) -> Iterator[Metric]:
    states = CounterMetricFamily(
        "digest_deliveries", "Deliveries by the state that they reached in this process.", labels=["state"]
    )
    for state, number in sorted(meter.states.items()):
        states.add_metric([state], number)
    replies = CounterMetricFamily(
        "digest_replies",
        "Replies by receiver and class in this process; receivers of fewer than 100 count as other.",
        labels=["receiver", "class"],
    )
    for labels, number in sorted(meter.replies.items()):
        replies.add_metric(labels, number)
    turns = HistogramMetricFamily("digest_turn_seconds", "How long the delivery loop's commits take.")
    total, buckets = 0, []
    for bound, number in zip([*map(str, TURN_SECONDS), "+Inf"], list(meter.turns), strict=True):
        total += number
        buckets.append((bound, total))
    turns.add_metric([], buckets=buckets, sum_value=meter.turn_seconds)
    yield from (states, replies, turns)
