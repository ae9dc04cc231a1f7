"""A monitoring system sees how delivery goes, with its token and without anybody's address."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from digest.bootstrap import Application
from digest.sending import send_due
from digest.settings import load_settings
from digest.tasks.sources.desk_sources import WantedSource, add_source, remove_source
from digest.web.app import create_app
from tests.support.newsroom import Caught, Publication

DOCS = Path(__file__).parents[2] / "docs"
TOKEN = "a token of the tests, long enough"


@pytest.fixture
def watched(publication: Publication) -> Iterator[Application]:
    """Yield a publication that has just sent an edition to three readers."""
    publication.change_settings("[fetch]", f'metrics_token = "{TOKEN}"\n[fetch]')
    with Caught() as relay:
        publication.use_relay(relay.port)
        publication.begin(readers=3)
        app = Application(load_settings(publication.config))
        send_due(app, at_once=True)
        yield app
        app.close()


def ask(app: Application, token: str | None = TOKEN) -> tuple[int, str]:
    pages = TestClient(create_app(app.readers, app.settings, metrics=app.metrics))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = pages.get("/metrics", headers=headers)
    return answer.status_code, answer.text


def read(text: str) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and the values of its labels, in the order of their names."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_sent_and_what_waits_is_told(watched: Application) -> None:
    status, text = ask(watched)

    numbers = read(text)
    assert status == 200
    assert numbers["digest_deliveries_total", "accepted"] == 3
    assert numbers["digest_replies_total", "2xx", "other"] == 3
    assert numbers["digest_editions", "world", "finished"] >= 1
    assert numbers["digest_subscriptions", "world", "confirmed"] == 3
    assert numbers["digest_queue_age_seconds",] == 0
    assert numbers["digest_source_failures", "newsroom"] == 0
    # `at_once` sends before the deadline if the test runs before 07:00 in Paris: either sign is right.
    assert abs(numbers["digest_last_edition_seconds", "daily", "world"]) < 24 * 3600
    assert numbers["digest_turn_seconds_count",] >= 1
    assert numbers["digest_workers",] == 0


def test_a_source_of_the_desk_is_watched_until_it_is_removed(watched: Application) -> None:
    wanted = WantedSource("https://harbour.example/feed", name="harbour")
    database, settings, now = watched.database, watched.settings, watched.clock()
    add_source(database, settings, wanted, "olga@courier.example", now)
    assert ("digest_source_failures", "harbour") in read(ask(watched)[1])

    remove_source(database, "harbour", None, "olga@courier.example", now)
    later = Application(settings)
    numbers = read(ask(later)[1])
    later.close()

    assert ("digest_source_failures", "harbour") not in numbers
    assert ("digest_source_failures", "newsroom") in numbers


def test_no_address_stands_in_it(watched: Application) -> None:
    _, text = ask(watched)

    assert "@" not in text
    assert "readers.example" not in text


@pytest.mark.parametrize("token", [None, "another token, as long as it", TOKEN[:-1], ""])
def test_without_the_token_nothing_is_told(watched: Application, token: str | None) -> None:
    status, text = ask(watched, token)

    assert status == 401
    assert "digest_deliveries" not in text


def test_without_a_token_in_the_settings_there_is_no_such_page(publication: Publication) -> None:
    publication.begin(readers=1)
    app = Application(load_settings(publication.config))

    assert ask(app)[0] == 404
    app.close()


def test_every_number_is_documented_and_the_dashboard_asks_for_no_other(watched: Application) -> None:
    told = {family.name for family in text_string_to_metric_families(ask(watched)[1])}
    page = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    documented = {name.removesuffix("_total") for name in re.findall(r"^\| `(digest_\w+)", page, re.M)}
    dashboard = json.loads((DOCS / "monitoring" / "grafana.json").read_text(encoding="utf-8"))
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    used = {re.sub("_(total|bucket)$", "", name) for name in re.findall(r"\bdigest_\w+", asked)}

    assert {name for name in told if not name.endswith("_created")} == documented
    assert used <= told
