"""A collector of OpenTelemetry traces sees what runs and requests did, and nobody's address or link."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi.testclient import TestClient

from digest.bootstrap import Application
from digest.errors import SettingsError
from digest.sending import send_due
from digest.settings import load_settings
from digest.settings.site import TracesSettings
from digest.tracing import open_traces
from digest.web.app import create_app
from tests.conftest import skip_unless_ci
from tests.support.newsroom import Caught, Publication

NEAR = "http://127.0.0.1:4318/v1/traces"


class Collector:
    """Takes OTLP over HTTP on a free port of loopback, and answers with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.headers.append({name.lower(): text for name, text in self.headers.items()})
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self) -> dict[str, dict[str, Any]]:
        """Return the facts of each span by its name."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found: dict[str, dict[str, Any]] = {}
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        facts = {
                            one.key: getattr(one.value, one.value.WhichOneof("value"))
                            for one in span.attributes
                        }
                        found[span.name] = facts | {"status": span.status.code, "parent": span.parent_span_id}
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    try:
        import opentelemetry.sdk  # noqa: F401
    except ModuleNotFoundError:
        skip_unless_ci("newsletter-digest[traces] is not installed")
    collector = Collector()
    yield collector
    collector.stop()


def traced(publication: Publication, url: str) -> Application:
    table = f'[traces]\nendpoint = "{url}"\nheaders = {{"X-Key" = "a key of the tests"}}\n[fetch]'
    publication.change_settings("[fetch]", table)
    return Application(load_settings(publication.config))


SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@SQLITE
def test_a_run_is_told_by_its_parts_and_numbers_and_names_no_reader(
    publication: Publication, collector: Collector
) -> None:
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.begin(readers=3)
        app = traced(publication, collector.url)
        send_due(app, at_once=True)
        app.close()

    spans = collector.spans()
    assert {"run", "fetch", "take in mail", "compile", "deliver"} == set(spans)
    assert spans["run"]["accepted"] == spans["deliver"]["accepted"] == 3
    assert spans["compile"]["digest"] == "world"
    assert spans["fetch"]["articles_added"] == 2
    assert not spans["run"]["parent"]
    assert all(facts["parent"] for name, facts in spans.items() if name != "run")
    assert collector.headers[0]["x-key"] == "a key of the tests"
    assert not any(b"readers.example" in body for body in collector.bodies)


@SQLITE
def test_a_request_is_named_by_its_route_and_never_by_its_path(
    publication: Publication, collector: Collector
) -> None:
    publication.begin(readers=1)
    app = traced(publication, collector.url)
    pages = TestClient(create_app(app.readers, app.settings, desk=app.desk, traces=app.traces))
    pages.get("/health/live")
    pages.get("/preferences/a-token-of-somebody")
    pages.get("/nowhere/anna@example.org?token=secret")
    pages.request("BREW", "/", headers={"Origin": app.settings.site.base_url})
    app.close()

    spans = collector.spans()
    assert spans["GET /health/live"]["http.response.status_code"] == 200
    assert spans["GET"]["http.response.status_code"] == 404
    assert any(name.startswith("other") for name in spans)
    told = b"".join(collector.bodies)
    assert not [text for text in (b"a-token", b"anna", b"secret", b"BREW", b"http.url") if text in told]


def test_an_error_is_told_by_its_kind_and_a_doubtful_text_is_hidden(collector: Collector) -> None:
    traces = open_traces(TracesSettings(endpoint=collector.url))

    def fail() -> None:
        with traces.span("outer") as span:
            span.note(who="anna@example.org")
            raise ValueError("anna@example.org is wrong")

    with pytest.raises(ValueError, match="anna"):
        fail()
    traces.close()

    (facts,) = collector.spans().values()
    assert (facts["error.type"], facts["who"], facts["status"]) == ("ValueError", "(hidden)", 2)
    assert b"anna" not in collector.bodies[0]


@SQLITE
def test_a_collector_that_refuses_stops_no_run(publication: Publication, collector: Collector) -> None:
    refusing = Collector(status=400)
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.begin(readers=1)
        app = traced(publication, refusing.url)
        done = send_due(app, at_once=True)
        app.close()
    refusing.stop()

    assert done.tally.accepted == 1
    assert refusing.bodies


def test_without_the_extra_the_setting_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(SettingsError, match=r"newsletter-digest\[traces\]"):
        open_traces(TracesSettings(endpoint=NEAR))
    assert not open_traces(TracesSettings()).are_on


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://x.example/", "http://user:word@x.example/"])
def test_an_endpoint_that_is_no_plain_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        TracesSettings(endpoint=endpoint)
