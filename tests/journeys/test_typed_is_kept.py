"""A form that cannot be saved comes back as it was typed, with what is wrong, and can be sent once more."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from lxml import html
from sqlmodel import select

from digest.models import NoticeKind, ReaderNotice, Subscriber, Subscription
from digest.settings import Settings
from digest.store.database import Database
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.journeys.test_reader_page import own_page, take_notice
from tests.support.readers import (
    Clock,
    find_row,
    link,
    make_readers,
    sign_up,
    sign_up_and_confirm,
    take_token,
)

Fields = list[tuple[str, str]]


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    world = settings.digests[0].model_copy(
        update={"breaking": True, "reader_choices": ("quiet", "min_articles")}
    )
    week = world.model_copy(update={"name": "week", "title": "The Week"})
    return make_readers(database, settings.model_copy(update={"digests": (world, week)}))


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    with TestClient(create_app(readers, readers.settings, now=clock), follow_redirects=False) as client:
        yield client


def fields_of(text: str, action: str | None = None) -> Fields:
    """Return what a browser would send for a page's form, but for its stamp and the page's language.

    Fields elsewhere on the page may name the form by its id, and a button another address for it.
    """
    page: Any = html.fromstring(text)
    form = next(
        one for one in page.forms
        if action in (None, one.action)
        or page.xpath("//button[@form = $id and @formaction = $action]", id=one.get("id"), action=action)
    )  # fmt: skip
    others = page.xpath("//input[@form = $id]", id=form.get("id")) if form.get("id") else []
    sent = [*form.form_values(), *((one.name, one.value) for one in others)]
    return [(name, value or "") for name, value in sent if name not in ("form", "lang")]


def fill(fields: Fields, typed: dict[str, str], *, ticked: tuple[tuple[str, str], ...] = ()) -> Fields:
    """Return a form's fields with others typed in their place, and more boxes ticked."""
    assert set(typed) <= {name for name, _ in fields}
    return [(name, typed.get(name, value)) for name, value in fields] + list(ticked)


def send(client: TestClient, path: str, fields: Fields, stamp: str = "") -> tuple[int, str]:
    data: dict[str, list[str]] = {"form": [stamp]}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    answer = client.post(path, data=data)
    return answer.status_code, answer.text


def find_all(text: str, xpath: str) -> list[Any]:
    found: Any = html.fromstring(text).xpath(xpath)
    return list(found)


def stamp_of(text: str) -> str:
    return str(find_all(text, '//input[@name="form"]/@value')[0])


def open_own_page(client: TestClient, readers: Readers, clock: Clock) -> tuple[str, str]:
    """Subscribe Anna and open her own page; return its path and what it shows."""
    sign_up_and_confirm(client, readers, clock())
    path = own_page(client, readers, clock)
    return path, client.get(path).text


def test_a_readers_page_with_a_wrong_day_comes_back_as_typed(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, page = open_own_page(client, readers, clock)
    typed = fill(
        fields_of(page, path),
        {
            "cadence-world": "daily", "hour-world": "9", "most-world": "3", "form-world": "text",
            "fewest-world": "2", "quiet-world": "22:00-07:00", "pause-world-date": "2026-03-01",
            "cadence-week": "weekly", "quiet-week": "none", "pause-week": "4",
            "address": "anna@new.example", "name": "Ann & Äää", "language": "de", "timezone": "Asia/Tokyo",
        },
        ticked=(("digest", "week"), ("topics-week", "science"), ("breaking-world", "on")),
    )  # fmt: skip

    status, shown = send(client, path, typed, stamp_of(page))

    assert (status, sorted(fields_of(shown, path))) == (400, sorted(typed))
    assert "Wählen Sie einen Tag innerhalb der nächsten zwei Jahre." in shown
    wrong = find_all(shown, '//input[@aria-invalid="true"]')
    assert [(one.get("name"), one.get("min"), one.get("max")) for one in wrong] == [
        ("pause-world-date", "2026-03-03", "2028-03-01")
    ]
    assert find_all(shown, '//*[@id="world-pause-wrong"]/text()') == [
        "Wählen Sie einen Tag innerhalb der nächsten zwei Jahre."
    ]
    assert find_row(readers).cadence == "weekly"
    mended = fill(fields_of(shown, path), {"pause-world-date": "2026-04-01"})
    assert send(client, path, mended, stamp_of(shown))[0] == 200
    assert (find_row(readers).state, find_row(readers).hour, find_row(readers, "week").state) == (
        "paused", 9, "confirmed",
    )  # fmt: skip


def test_preferences_come_back_as_typed_for_a_wrong_day_and_for_a_page_left_open(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up_and_confirm(client, readers, clock())
    path = link(readers, "preferences")
    page = client.get(path).text
    typed = fill(
        fields_of(page, path),
        {"cadence": "daily", "hour": "21", "pause-date": "12/24/2026"},
        ticked=(("topics", "business"), ("breaking-p", "on")),
    )
    assert send(client, path, typed, stamp_of(page))[0] == 400
    assert sorted(fields_of(send(client, path, typed, stamp_of(page))[1], path)) == sorted(typed)

    clock.now += timedelta(hours=25)
    typed = fill(typed, {"pause-date": ""})
    status, shown = send(client, path, typed, stamp_of(page))
    assert (status, sorted(fields_of(shown, path))) == (403, sorted(typed))
    assert find_row(readers).cadence == "weekly"
    assert send(client, path, fields_of(shown, path), stamp_of(shown))[0] == 200
    assert (find_row(readers).cadence, find_row(readers).hour) == ("daily", 21)


def test_a_wrong_address_comes_back_as_typed(client: TestClient, readers: Readers, clock: Clock) -> None:
    sign_up_and_confirm(client, readers, clock())
    path = own_page(client, readers, clock)
    for shown, action in (("/link", "/link"), (path, f"{path}/address")):
        page = client.get(shown).text
        typed = fill(fields_of(page, action), {"address": "anna@new@example"})
        status, again = send(client, action, typed, stamp_of(page))
        assert (status, fields_of(again, action)) == (400, typed)


def test_a_sign_up_that_is_refused_keeps_the_choices_of_digests_that_are_not_ticked(
    client: TestClient, clock: Clock
) -> None:
    page = client.get("/").text
    typed = fill(
        fields_of(page, "/subscribe"),
        {"address": "anna@example.org", "cadence-week": "weekly"},
        ticked=(("topics-week", "science"),),
    )
    none = [pair for pair in typed if pair[0] != "digest"]

    status, shown = send(client, "/subscribe", none, stamp_of(page))

    assert (status, sorted(fields_of(shown, "/subscribe"))) == (400, sorted(none))


def test_a_confirmation_without_a_tick_keeps_what_was_chosen(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up(client, digest=["world", "week"])
    path = f"/confirm/{take_token(readers, clock())}"
    page = client.get(path).text
    typed = fill(fields_of(page), {"cadence-week": "weekly"}, ticked=(("topics-world", "culture"),))
    none = [pair for pair in typed if pair[0] != "digest"]

    status, shown = send(client, path, none, stamp_of(page))

    assert (status, sorted(fields_of(shown))) == (400, sorted(none))
    assert "Choose at least one newsletter." in shown


def test_a_sign_up_over_the_limit_comes_back_as_typed(readers: Readers, clock: Clock) -> None:
    web = readers.settings.web.model_copy(update={"sign_ups_per_network": 1})
    few = replace(readers, settings=readers.settings.model_copy(update={"web": web}))
    with TestClient(create_app(few, few.settings, now=clock, quickest=timedelta())) as client:
        page = client.get("/").text
        typed = fill(
            fields_of(page, "/subscribe"), {"address": "ben@example.org"}, ticked=(("consent", "yes"),)
        )
        assert send(client, "/subscribe", typed, stamp_of(page))[0] == 200

        status, shown = send(client, "/subscribe", typed, stamp_of(page))

        assert (status, sorted(fields_of(shown, "/subscribe"))) == (429, sorted(typed))


TYPED = {"cadence-world": "daily", "hour-world": "21", "name": "Ann & Äää", "timezone": "Asia/Tokyo"}


def ask_anew(client: TestClient, readers: Readers, clock: Clock, path: str, shown: str) -> str:
    """Press the button of the page that says that a link has expired; return the path of the new link."""
    again = f"{path}/link"
    assert send(client, again, fields_of(shown, again), stamp_of(shown))[0] == 200
    return f"/me/{take_notice(readers, clock, NoticeKind.LINK, timedelta(hours=1))}"


@pytest.mark.parametrize("button", ["", "/address"])
def test_what_is_typed_when_the_hour_is_over_is_on_the_page_of_the_next_link(
    client: TestClient, readers: Readers, clock: Clock, button: str
) -> None:
    path, page = open_own_page(client, readers, clock)
    typed = fill(
        fields_of(page, path),
        {**TYPED, "pause-world-date": "2026-04-01", "address": "anna@new.example"},
        ticked=(("digest", "week"), ("topics-world", "science"), ("topics-world", "culture")),
    )
    clock.now += timedelta(hours=1)

    status, shown = send(client, path + button, typed, stamp_of(page))

    assert status == 410
    assert "anna@example.org" not in shown
    assert "What you typed is kept" in shown
    assert sorted(fields_of(shown, f"{path}/link")) == sorted(typed)
    before = find_row(readers).model_dump()
    new = ask_anew(client, readers, clock, path, shown)
    opened = client.get(new).text
    assert "Nothing is saved yet" in opened
    assert sorted(fields_of(opened, new)) == sorted(typed)
    assert find_row(readers).model_dump() == before
    assert send(client, new, fields_of(opened, new), stamp_of(opened))[0] == 200
    assert (find_row(readers).cadence, find_row(readers).hour, find_row(readers, "week").state) == (
        "daily", 21, "confirmed",
    )  # fmt: skip
    assert "Nothing is saved yet" not in client.get(new).text


def test_an_expired_link_that_nobody_made_is_answered_alike_and_mails_nobody(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, page = open_own_page(client, readers, clock)
    typed = fill(fields_of(page, path), TYPED)
    clock.now += timedelta(hours=1)
    answers = []
    for one in (path, "/me/a-token-that-nobody-made"):
        _, shown = send(client, one, typed, stamp_of(page))
        sent, said = send(client, f"{one}/link", fields_of(shown), stamp_of(shown))
        answers.append((sent, re.sub(r'/me/[^/"]+|name="form" value="[^"]*"', "", shown + said)))
    assert answers[0] == answers[1]
    with readers.database.read() as session:
        assert len(session.exec(select(ReaderNotice)).all()) == 2


@pytest.mark.parametrize("page", ["", "/erase", "/data.json"])
def test_an_expired_link_speaks_its_readers_language_and_an_unknown_one_the_browsers(
    client: TestClient, readers: Readers, clock: Clock, page: str
) -> None:
    path, _ = open_own_page(client, readers, clock)
    with readers.database.write() as session:
        session.exec(select(Subscriber)).one().language = "de"
    clock.now += timedelta(hours=1)
    french = {"Accept-Language": "fr"}

    expired = client.get(path + page, headers=french)
    unknown = client.get("/me/a-token-that-nobody-made" + page, headers=french)

    assert (expired.status_code, unknown.status_code) == (410, 410)
    assert '<html lang="de"' in expired.text
    assert '<html lang="fr"' in unknown.text
    assert "anna" not in expired.text.lower()


def test_a_digest_that_is_ticked_when_all_is_confirmed_takes_its_choices_to_the_sign_up(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up(client)
    path = f"/confirm/{take_token(readers, clock())}"
    stamp = stamp_of(client.get(path).text)
    assert send(client, path, [], stamp)[0] == 200
    typed = [
        ("digest", "world"), ("cadence-world", "daily"), ("digest", "week"), ("cadence-week", "weekly"),
        ("topics-week", "science"), ("breaks-week", "1"), ("breaking-week", "on"),
    ]  # fmt: skip

    _, shown = send(client, path, typed, stamp)
    fields = fields_of(shown, "/subscribe")
    (button,) = find_all(shown, "//form[@action = '/subscribe']//button")
    status, home = send(client, "/subscribe", [*fields, (button.get("name"), button.get("value"))], "")

    assert status == 200
    kept = fields_of(home, "/subscribe")
    assert {one for one in typed if "week" in "".join(one)} <= set(kept)
    assert ("digest", "world") not in kept
    with readers.database.read() as session:
        assert session.exec(select(Subscription.digest)).all() == ["world"]


def test_a_link_asked_for_too_often_leaves_what_was_typed_on_the_page(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, page = open_own_page(client, readers, clock)
    clock.now += timedelta(hours=1)
    typed = fill(fields_of(page, path), TYPED)
    _, shown = send(client, path, typed, stamp_of(page))
    for _ in range(4):
        status, shown = send(client, f"{path}/link", fields_of(shown), stamp_of(shown))
        assert (status, sorted(fields_of(shown))) == (200, sorted(typed))
    clock.now += timedelta(hours=25)
    status, shown = send(client, f"{path}/link", fields_of(shown), stamp_of(shown))
    assert (status, sorted(fields_of(shown))) == (403, sorted(typed))


def test_changing_the_address_keeps_the_other_choices_and_saving_them_keeps_the_address(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    path, page = open_own_page(client, readers, clock)
    typed = fill(
        fields_of(page, path), {**TYPED, "address": "anna@new.example"}, ticked=(("digest", "week"),)
    )

    status, shown = send(client, f"{path}/address", typed, stamp_of(page))

    assert status == 200
    assert "Open the link that we mailed to the new address." in shown
    assert "Your other changes are not saved yet" in shown
    assert sorted(fields_of(shown, path)) == sorted(fill(typed, {"address": ""}))
    assert find_row(readers).cadence == "weekly"
    status, shown = send(client, path, typed, stamp_of(page))
    assert (status, find_row(readers).cadence) == (200, "daily")
    assert "Your address is not changed yet" in shown
    assert ("address", "anna@new.example") in fields_of(shown, path)
    status, shown = send(client, f"{path}/address", fields_of(shown, path), stamp_of(shown))
    assert status == 200
    assert "not saved yet" not in shown


def test_asking_for_a_link_keeps_the_preferences_that_are_not_saved(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up_and_confirm(client, readers, clock())
    path = link(readers, "preferences")
    page = client.get(path).text
    assert "Check your inbox" in send(client, f"{path}/link", fields_of(page, path), stamp_of(page))[1]
    typed = fill(fields_of(page, path), {"cadence": "daily", "pause": "4"}, ticked=(("topics", "science"),))

    status, shown = send(client, f"{path}/link", typed, stamp_of(page))

    assert (status, sorted(fields_of(shown, path))) == (200, sorted(typed))
    assert "Your other changes are not saved yet" in shown
    clock.now += timedelta(hours=25)
    status, shown = send(client, f"{path}/link", typed, stamp_of(page))
    assert (status, sorted(fields_of(shown, path))) == (403, sorted(typed))
    assert find_row(readers).cadence == "weekly"


def test_what_was_chosen_on_a_confirmation_that_has_expired_is_on_the_sign_up(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up(client, digest=["world", "week"])
    path = f"/confirm/{take_token(readers, clock())}"
    page = client.get(path).text
    typed = fill(fields_of(page), {"cadence-week": "weekly"}, ticked=(("topics-world", "culture"),))
    clock.now += timedelta(days=7)
    for one in (path, "/confirm/nobody-made-this"):
        status, shown = send(client, one, typed, stamp_of(page))
        kept = {pair for pair in fields_of(shown, "/subscribe") if pair[0] not in ("address", "website")}
        assert (status, kept) == (410, set(typed))
        assert "anna@example.org" not in shown
