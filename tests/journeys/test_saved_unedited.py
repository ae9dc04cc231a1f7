"""Who saves a page without changing anything changes nothing, whatever an import or an operator entered before."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.models import Subscriber
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.journeys.test_reader_page import own_page
from tests.journeys.test_typed_is_kept import fields_of, find_all, send, stamp_of
from tests.support.readers import Clock, find_row, link, make_readers, sign_up_and_confirm, snapshot


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    wide = {"reader_choices": ("quiet", "min_articles"), "breaking": True, "max_articles": 150}
    world = settings.digests[0].model_copy(update=wide)
    week = world.model_copy(update={"name": "week", "title": "The Week", "topics": ()})
    return make_readers(database, settings.model_copy(update={"digests": (world, week)}))


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        sign_up_and_confirm(client, readers, clock(), digest=["world", "week"])
        yield client


def enter(readers: Readers, person: dict[str, Any], choices: dict[str, Any]) -> None:
    with readers.database.write() as session:
        anna = session.exec(select(Subscriber)).one()
        for name, value in person.items():
            setattr(anna, name, value)
        session.add(anna)
    for digest in ("world", "week"):
        row = find_row(readers, digest)
        with readers.database.write() as session:
            for name, value in choices.items():
                setattr(row, name, value)
            session.add(row)


@pytest.mark.parametrize(
    ("person", "choices"),
    [
        ({"language": "pt-BR"}, {}),
        ({"language": "fi"}, {}),
        ({"language": "de", "timezone": "Asia/Calcutta"}, {}),
        ({"timezone": "UTC"}, {}),
        ({"name": "Ann " * 49 + "Anna"}, {}),
        ({}, {"max_articles": 120, "min_articles": 105, "breaking": True}),
        ({}, {"hour": 0, "quiet": "01:15-05:45", "mail_form": "feed"}),
        ({}, {"quiet": "", "topics": {"science": "2026-03-02T12:00:00+00:00"}}),
    ],
)
def test_a_readers_own_page_saved_as_it_is_changes_no_row(
    client: TestClient, readers: Readers, clock: Clock, person: dict[str, Any], choices: dict[str, Any]
) -> None:
    enter(readers, person, choices)
    path = own_page(client, readers, clock)
    before, page = snapshot(readers), client.get(path).text

    status, _ = send(client, path, fields_of(page, path), stamp_of(page))

    assert (status, set(snapshot(readers)) ^ set(before)) == (200, set())


def test_preferences_saved_as_they_are_change_no_row(client: TestClient, readers: Readers) -> None:
    enter(readers, {}, {"hour": 0, "topics": {"science": "2026-03-02T12:00:00+00:00"}, "breaking": True})
    for digest in ("world", "week"):
        path = link(readers, "preferences", digest)
        before, page = snapshot(readers), client.get(path).text

        status, _ = send(client, path, fields_of(page, path), stamp_of(page))

        assert (status, set(snapshot(readers)) ^ set(before)) == (200, set())


@pytest.mark.parametrize(("tag", "shown"), [("pt-BR", "Português"), ("fi", "Suomi")])
def test_a_language_without_a_catalogue_of_its_own_is_shown_as_chosen(
    client: TestClient, readers: Readers, clock: Clock, tag: str, shown: str
) -> None:
    enter(readers, {"language": tag}, {})
    page = client.get(own_page(client, readers, clock)).text
    chosen = find_all(page, '//select[@name="language"]/option[@selected]')
    assert [(one.get("value"), one.text) for one in chosen] == [(tag, shown)]
