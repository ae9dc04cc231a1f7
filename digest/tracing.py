"""The only user of OpenTelemetry: what a run or a request did, and how long each part took.

Off unless `[traces] endpoint` names a collector; then the library is imported, and nowhere before. A span has
numbers, and names that the settings or our own code gave: no address, no path of a request (it may hold a
token), no text of an error.
"""

import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from digest.errors import SettingsError
from digest.settings.site import TracesSettings

_NAME = "newsletter-digest"
_PATIENCE = 5.0
"""Seconds for one report to the collector: a run that has ended waits no longer for it."""
_HIDDEN = "(hidden)"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Fact = str | int | float | bool
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class TraceSpan:
    """One part of a trace that is under way; without a collector it forgets what it is told."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def note(self, **facts: Fact) -> None:
        """Add facts: numbers, or names of ours. A text with an @ in it is hidden, as it may be an address."""
        if self._span is not None:
            for key, value in facts.items():
                is_doubtful = isinstance(value, str) and "@" in value
                self._span.set_attribute(key.replace("__", "."), _HIDDEN if is_doubtful else value)

    def rename(self, name: str) -> None:
        """Set the name that is known only now, such as a request's route."""
        if self._span is not None:
            self._span.update_name(name)

    def fail(self, error: BaseException) -> None:
        """Mark it as failed by the kind of an error, not by its text."""
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_status(Status(StatusCode.ERROR))
            self._span.set_attribute("error.type", type(error).__name__)


class Traces:
    """Makes spans; `Traces()` makes none and imports nothing.

    `with traces.span("compile", digest="world") as span: ...; span.note(readers=240)`. One inside the block
    of another is a part of it.
    """

    def __init__(self, provider: Any = None) -> None:
        self._provider = provider
        self._tracer = provider and provider.get_tracer(_NAME)

    @property
    def are_on(self) -> bool:
        """Return whether anybody collects them."""
        return self._provider is not None

    @contextmanager
    def span(self, name: str, **facts: Fact) -> Iterator[TraceSpan]:
        """Time a block; an error that leaves it marks the span as failed."""
        if self._tracer is None:
            yield TraceSpan()
            return
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as started:
            span = TraceSpan(started)
            span.note(**facts)
            try:
                yield span
            except BaseException as error:
                span.fail(error)
                raise

    def close(self) -> None:
        """Report what is left; a collector that does not answer costs a few seconds."""
        if self._provider is not None:
            self._provider.shutdown()


def open_traces(settings: TracesSettings) -> Traces:
    """Return what `[traces]` asks for; raise SettingsError where the library is not installed.

    The provider is not made the process's own: other libraries, which would report whole addresses of
    requests, get nothing to report to. Nothing of the environment or the command line is reported either.
    """
    if not settings.endpoint:
        return Traces()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ModuleNotFoundError as error:
        raise SettingsError(
            f'[traces] endpoint = "{settings.endpoint}": {error.name} is not installed: install'
            ' "newsletter-digest[traces]", or leave the endpoint empty'
        ) from None
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    exporter = OTLPSpanExporter(endpoint=settings.endpoint, headers=headers, timeout=_PATIENCE)
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.share)),
        resource=Resource({"service.name": _NAME, "host.name": socket.gethostname()}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Traces(provider)


class TracedRequests:
    """Times each request, as ASGI middleware; it is named by its route, `GET /archive/{digest}`."""

    def __init__(self, app: AsgiApp, traces: Traces) -> None:
        self._app, self._traces = app, traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note its route and its status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        with self._traces.span(method, http__request__method=method) as span:

            async def note_status(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    span.note(http__response__status_code=message["status"])
                await send(message)

            try:
                await self._app(scope, receive, note_status)
            finally:
                route = getattr(scope.get("route"), "path", "")
                if route:
                    span.rename(f"{method} {route}")
                    span.note(http__route=route)
