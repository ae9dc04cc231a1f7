"""Readers choose breaking news, how many articles to wait for, and quiet hours, where their digest lets them."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from digest.errors import InputError
from digest.models import Subscription
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.on_request import Change, set_choices
from digest.tasks.readers.readers import Readers
from digest.tasks.readers.rhythm import Rhythm
from digest.web.app import create_app
from tests.journeys.test_reader_page import own_page
from tests.support.readers import Clock, find_row, link, make_readers, press, sign_up, take_token

OFFERED = {"breaking": True, "reader_choices": ("min_articles", "quiet")}
ANNA = "anna@example.org"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    digests = tuple(one.model_copy(update=OFFERED) for one in settings.digests)
    return make_readers(database, settings.model_copy(update={"digests": digests}))


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        yield client


def chosen(readers: Readers) -> tuple[bool, int | None, str | None]:
    row: Subscription = find_row(readers)
    return row.breaking, row.min_articles, row.quiet


def test_breaking_news_is_chosen_at_the_sign_up_and_changed_by_the_link_in_each_message(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    asked: dict[str, Any] = {"breaks-world": "1", "breaking-world": "on"}
    sign_up(client, **asked)
    assert (
        "breaking-world" in client.post("/subscribe", data={**asked, "address": ANNA, "digest": "world"}).text
    )
    confirm = f"/confirm/{take_token(readers, clock())}"
    assert 'name="breaking-world" value="on" checked' in client.get(confirm).text
    assert not find_row(readers).breaking
    press(client, confirm)
    assert find_row(readers).breaking

    preferences = link(readers, "preferences")
    assert 'name="breaking-p" value="on" checked' in client.get(preferences).text
    press(client, preferences, cadence="daily")  # a form without that choice leaves it
    assert find_row(readers).breaking
    press(client, preferences, cadence="daily", **{"breaks-p": "1"})
    assert not find_row(readers).breaking


def test_the_readers_own_page_keeps_all_three(client: TestClient, readers: Readers, clock: Clock) -> None:
    sign_up(client)
    press(client, f"/confirm/{take_token(readers, clock())}")
    path = own_page(client, readers, clock)
    page = client.get(path).text
    assert 'value="22:00-07:00">22:00 to 07:00<' in page.replace("\u202f", " ")
    wish = {"digest": "world", "breaks-world": "1", "breaking-world": "on", "fewest-world": "3"}

    assert press(client, path, **wish, **{"quiet-world": "none"}).status_code == 200
    assert chosen(readers) == (True, 3, "")
    assert press(client, path, **wish, **{"quiet-world": "22:00-07:00"}).status_code == 200
    assert chosen(readers) == (True, 3, "22:00-07:00")
    for wrong in ({"quiet-world": "night"}, {"fewest-world": "99"}):
        assert press(client, path, **(wish | wrong)).status_code == 400
    press(
        client, path, **{"digest": "world", "breaks-world": "1", "fewest-world": "", "quiet-world": "usual"}
    )
    assert chosen(readers) == (False, None, None)


def test_what_a_digest_does_not_offer_is_neither_shown_nor_taken(
    database: Database, settings: Settings, clock: Clock
) -> None:
    readers = make_readers(database, settings)
    with TestClient(create_app(readers, settings, now=clock), follow_redirects=False) as client:
        sign_up(client)
        press(client, f"/confirm/{take_token(readers, clock())}")
        page = client.get(own_page(client, readers, clock)).text
    assert not [name for name in ("breaking-", "fewest-", "quiet-") if f'name="{name}' in page]
    for rhythm in (Rhythm(breaking=True), Rhythm(fewest=2), Rhythm(quiet="none")):
        with pytest.raises(InputError):
            set_choices(readers, ANNA, None, Change(rhythm=rhythm), clock(), {"by": "phone"})
    assert chosen(readers) == (False, None, None)
