"""What is typed and not saved goes along: to the page in another language, to what erasing does, past a used link."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.models import NoticeKind, Subscriber
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.journeys.test_reader_page import own_page, take_notice
from tests.journeys.test_typed_is_kept import (
    TYPED,
    Fields,
    fields_of,
    fill,
    find_all,
    open_own_page,
    send,
    stamp_of,
)
from tests.support.readers import (
    Clock,
    find_row,
    link,
    make_readers,
    press,
    sign_up,
    sign_up_and_confirm,
    snapshot,
    take_token,
)


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    world = settings.digests[0].model_copy(update={"breaking": True})
    week = world.model_copy(update={"name": "week", "title": "The Week"})
    return make_readers(database, settings.model_copy(update={"digests": (world, week)}))


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        yield client


def language_of(text: str) -> str:
    return str(find_all(text, "//html/@lang")[0])


def turn(client: TestClient, text: str, typed: Fields, language: str) -> str:
    """Press a page's button for another language; return the page that answers."""
    (button,) = find_all(text, f'//button[@name="other-language" and @value="{language}"]')
    own = [("lang", language_of(text)), ("other-language", language)]
    status, shown = send(client, button.get("formaction"), [*typed, *own], stamp_of(text))
    assert status == 200
    return shown


def pages_with_forms(
    client: TestClient, readers: Readers, clock: Clock
) -> list[tuple[str, str, dict[str, str]]]:
    """Return the path of each page with choices, the action of its form, and something to type into it."""
    own = own_page(client, readers, clock)
    sign_up(client, address="ben@example.org", digest=["world", "week"])
    confirm = f"/confirm/{take_token(readers, clock())}"
    return [
        ("/", "/subscribe", {"address": "ben@example.org", "cadence-world": "weekly"}),
        ("/link", "/link", {"address": "ben@example.org"}),
        (confirm, confirm, {"cadence-week": "weekly"}),
        (own, own, {**TYPED, "address": "anna@new.example", "pause-world": "4"}),
    ]


def test_a_page_in_another_language_has_what_was_typed_and_saves_nothing(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up_and_confirm(client, readers, clock())
    preferences = link(readers, "preferences")
    pages = [
        (preferences, preferences, {"cadence": "daily", "hour": "21", "pause": "4"}),
        *pages_with_forms(client, readers, clock),
    ]
    before = snapshot(readers)
    for path, action, some in pages:
        page = client.get(path).text
        typed = fill(fields_of(page, action), some)
        german = turn(client, page, typed, "de")
        assert (language_of(german), sorted(fields_of(german, action))) == ("de", sorted(typed)), path
        arabic = turn(client, german, fields_of(german, action), "ar")
        assert (language_of(arabic), sorted(fields_of(arabic, action))) == ("ar", sorted(typed)), path
    assert snapshot(readers) == before


def test_thinking_twice_about_erasing_keeps_what_was_typed(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, page = open_own_page(client, readers, clock)
    typed = fill(fields_of(page, path), {**TYPED, "address": "anna@new.example", "pause-world-date": "soon"})
    before = snapshot(readers)

    status, asked = send(client, f"{path}/typed", [*typed, ("show", "erase")], stamp_of(page))
    assert status == 200
    assert "This cannot be undone." in asked
    status, shown = send(client, f"{path}/typed", fields_of(asked), stamp_of(asked))

    assert (status, sorted(fields_of(shown, path))) == (200, sorted(typed))
    assert snapshot(readers) == before
    assert send(client, f"{path}/erase", fields_of(asked), stamp_of(asked))[0] == 200
    assert "anna@example.org" not in "".join(snapshot(readers))


def test_erasing_after_the_hour_erases_nothing_and_keeps_what_was_typed(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, page = open_own_page(client, readers, clock)
    typed = fill(fields_of(page, path), TYPED)
    _, asked = send(client, f"{path}/typed", [*typed, ("show", "erase")], stamp_of(page))
    clock.now += timedelta(hours=1)
    before = snapshot(readers)
    for action in ("erase", "typed"):
        status, shown = send(client, f"{path}/{action}", fields_of(asked), stamp_of(asked))
        assert (status, sorted(fields_of(shown, f"{path}/link"))) == (410, sorted(typed))
    assert snapshot(readers) == before


def test_a_form_is_answered_in_the_language_of_its_page_or_the_one_that_it_chooses(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, _ = open_own_page(client, readers, clock)
    with readers.database.write() as session:
        session.exec(select(Subscriber)).one().language = "fr"
    assert language_of(client.get(path).text) == "fr"
    page = client.get(f"{path}?lang=de").text
    hidden = [("lang", "de")]
    for action in (path, f"{path}/address", f"{path}/typed", f"{path}/erase"):
        wrong = fill(fields_of(page, path), {"address": "no address"}) + hidden
        assert language_of(send(client, action, wrong, "left open")[1]) == "de", action
    saved = send(client, path, fields_of(page, path) + hidden, stamp_of(page))[1]
    assert language_of(saved) == "de"
    chosen = fill(fields_of(page, path), {"language": "sv"}) + hidden
    assert language_of(send(client, path, chosen, stamp_of(page))[1]) == "sv"


@pytest.mark.parametrize("action", ["erase", "move", "less"])
def test_a_button_of_a_page_left_open_shows_the_page_again(
    client: TestClient, readers: Readers, clock: Clock, action: str
) -> None:
    own, _ = open_own_page(client, readers, clock)
    path = {"erase": f"{own}/erase", "less": link(readers, "unsubscribe")}.get(action, "")
    if not path:
        press(client, own, f"{own}/address", address="anna@new.example")
        path = f"/address/{take_notice(readers, clock, NoticeKind.MOVE, timedelta(days=1))}"
    page = client.get(path).text
    to = str(find_all(page, "//main//form/@action")[0])
    before = snapshot(readers)

    status, shown = send(client, to, [("less", "pause"), ("lang", "de")], "a stamp of another page")

    assert (status, language_of(shown)) == (403, "de")
    assert snapshot(readers) == before
    assert send(client, to, [("less", "pause")], stamp_of(shown))[0] == 200
    assert snapshot(readers) != before


def confirm_both(client: TestClient, readers: Readers, clock: Clock) -> tuple[str, Fields, str]:
    """Confirm two digests; return the link that is used, what its form has now, and its stamp."""
    sign_up(client, digest=["world", "week"])
    path = f"/confirm/{take_token(readers, clock())}"
    page = client.get(path).text
    fields = fill(fields_of(page, path), {"cadence-world": "weekly"}, ticked=(("topics-world", "science"),))
    assert send(client, path, fields, stamp_of(page))[0] == 200
    return path, fields, stamp_of(page)


def test_a_used_confirmation_shows_what_is_kept(client: TestClient, readers: Readers, clock: Clock) -> None:
    path, fields, stamp = confirm_both(client, readers, clock)
    press(client, link(readers, "preferences"), cadence="daily")
    for shown in (client.get(path).text, send(client, path, [], stamp)[1]):
        listed: list[Any] = find_all(shown, "//main//li")
        assert "World Briefing, daily" in listed[0].text_content()
        assert len(find_all(shown, "//main//li//a[starts-with(@href, '/preferences/')]")) == 2
        assert find_all(shown, "//main//form") == []
    assert len(find_all(send(client, path, fields, stamp)[1], "//main//form")) == 1


def test_other_choices_on_a_used_confirmation_are_shown_to_be_saved(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, fields, stamp = confirm_both(client, readers, clock)
    before = snapshot(readers)
    other = fill(
        fields, {"cadence-world": "daily"}, ticked=(("topics-world", "culture"), ("breaking-week", "on"))
    )

    status, shown = send(client, path, other, stamp)

    assert (status, snapshot(readers) == before) == (200, True)
    assert "Your other changes are not saved yet: press “Save”." in shown
    first, second = find_all(shown, "//main//form/@action")
    for action in (first, second):
        (stamped,) = find_all(shown, f'//form[@action="{action}"]//input[@name="form"]/@value')
        assert send(client, action, fields_of(shown, action), stamped)[0] == 200
    world, week = find_row(readers), find_row(readers, "week")
    assert (world.cadence, set(world.topics), week.breaking) == ("daily", {"science", "culture"}, True)
    assert "not saved yet" not in send(client, path, other, stamp)[1]


def test_a_digest_left_out_of_a_used_confirmation_is_left_by_one_button(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, fields, stamp = confirm_both(client, readers, clock)
    without = [pair for pair in fields if pair != ("digest", "week")]
    shown = send(client, path, without, stamp)[1]
    assert "Unsubscribe from The Week?" in shown
    (leave,) = find_all(shown, "//main//form/@action")
    assert send(client, leave, [])[0] == 200
    assert (find_row(readers).state, find_row(readers, "week").state) == ("confirmed", "ended")
    again = send(client, path, fields, stamp)[1]
    assert "Get The Week by email" in again
