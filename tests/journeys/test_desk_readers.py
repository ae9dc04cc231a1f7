"""Readers on the desk: found, looked at, and changed at their request, each act in their record."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from digest.models import ConsentEvent, ReaderNotice, Subscriber, Subscription
from digest.models.row import row_id
from digest.models.subscriber import ReaderFilter
from digest.store.readers import listing, subscribers
from digest.tasks.readers import on_request
from tests.support.desks import BEN, MARA, OLGA, Newsdesk, Visitor, hidden

ANNA, BERT = "anna.meier@readers.example", "bert@post.example"
READERS = "/desk/readers"


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    newsdesk.subscribe(ANNA, name="Anna Öz Meier", language="de")
    newsdesk.subscribe(BERT, "world")
    return newsdesk


def person(newsdesk: Newsdesk, address: str = ANNA) -> Subscriber:
    with newsdesk.app.database.read() as session:
        return session.exec(select(Subscriber).where(Subscriber.address == address)).one()


def subscription(newsdesk: Newsdesk, address: str = ANNA) -> Subscription:
    with newsdesk.app.database.read() as session:
        query = select(Subscription).where(Subscription.subscriber_id == person(newsdesk, address).id)
        return session.exec(query).one()


def page_of(newsdesk: Newsdesk, address: str = ANNA) -> str:
    return f"{READERS}/{person(newsdesk, address).public_id}"


def events(newsdesk: Newsdesk, address: str = ANNA) -> list[ConsentEvent]:
    with newsdesk.app.database.read() as session:
        query = select(ConsentEvent).where(ConsentEvent.subscriber_id == person(newsdesk, address).id)
        return list(session.exec(query.order_by(ConsentEvent.id)))  # type: ignore[arg-type]


def listed(olga: Visitor, query: str) -> list[str]:
    page = olga.get(f"{READERS}?{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'<th scope="row"><a [^>]*><bdi>([^<]*)', page.text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [BERT, ANNA]), ("text=MEIER", [ANNA]), ("text=post.ex", [BERT]), ("text=öz", [ANNA]),
        ("text=100%25", []), ("text=_", []), ("text=bert@post.example", [BERT]), ("topic=world", [BERT]),
        ("state=confirmed", [BERT, ANNA]), ("state=ended", []), ("language=de", [ANNA]),
        ("digest=world&cadence=daily", [BERT, ANNA]), ("digest=science", []), ("below=x", [BERT, ANNA]),
    ],
)  # fmt: skip
def test_readers_are_found_by_part_of_name_or_address_and_by_filters(
    newsdesk: Newsdesk, query: str, found: list[str]
) -> None:
    assert listed(newsdesk.sign_in(OLGA), query) == found


def test_a_page_looks_through_a_bounded_number_of_readers_and_goes_on(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_READ", 2)
    for number in range(3):
        newsdesk.subscribe(f"c{number}@readers.example")
    olga = newsdesk.sign_in(OLGA)

    first = olga.get(f"{READERS}?language=de").text

    assert "No reader here matches." in first
    assert "part of the list so far" in first
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward is not None
    second = onward[1].replace("&amp;", "&").partition("?")[2]
    assert "language=de" in second
    found = listed(olga, second)
    while not found:
        below = re.search(r"below=(\d+)", olga.get(f"{READERS}?{second}").text)
        assert below is not None
        second = f"language=de&below={below[1]}"
        found = listed(olga, second)
    assert found == [ANNA]


def test_pages_hold_every_reader_once(newsdesk: Newsdesk) -> None:
    for number in range(7):
        newsdesk.subscribe(f"c{number}@readers.example")
    seen: list[str] = []
    below: int | None = None
    with newsdesk.app.database.read() as session:
        while True:
            found = listing.find_readers(session, ReaderFilter(), below, 2)
            seen += [one.address for one in found.rows]
            below = found.below
            if below is None:
                break
    assert len(seen) == len(set(seen)) == 9


def test_a_page_shows_all_that_is_kept(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    newsdesk.compile()
    on_request.suppress(newsdesk.app.readers, ANNA, newsdesk.clock(), {"command": "suppress"})

    page = newsdesk.sign_in(OLGA).get(page_of(newsdesk)).text

    assert "Anna Öz Meier" in page
    assert "suppressed: operator" in page
    assert "<bdi>command suppress</bdi>, <bdi>suppressed operator</bdi>" in page
    assert "<b>world</b> left" in page


def test_choices_are_saved_and_recorded_with_who_saved_them(newsdesk: Newsdesk) -> None:
    olga, path = newsdesk.sign_in(OLGA), page_of(newsdesk)

    saved = olga.do("set", path=path, digest="world", cadence="daily", hour="8", most="3", topic=["world"])
    details = olga.do("set", path=path, name="Anna Ö.", language="fr", timezone="Europe/Paris")

    assert saved.headers["location"] == details.headers["location"] == f"{path}?said=saved"
    row, reader = subscription(newsdesk), person(newsdesk)
    assert (row.hour, row.max_articles, list(row.topics)) == (8, 3, ["world"])
    assert (reader.name, reader.language, reader.timezone) == ("Anna Ö.", "fr", "Europe/Paris")
    assert {event.origin["desk"] for event in events(newsdesk)} == {OLGA}
    olga.do("set", path=path, name="", language="", timezone="")
    reader = person(newsdesk)
    assert (reader.name, reader.language, reader.timezone) == ("", None, None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"digest": "world", "hour": "25"}, "is not an hour"), ({"digest": "world", "hour": "eight"}, "is not an hour"),
        ({"digest": "world", "cadence": "hourly"}, "is not a cadence of world"),
        ({"digest": "world", "most": "900"}, "900"), ({"digest": "science"}, "gets no digest to change"),
        ({"language": "xx"}, "is not a language of this installation"), ({"timezone": "Mars"}, "is not a time zone"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_said_and_changes_nothing(
    newsdesk: Newsdesk, fields: dict[str, Any], said: str
) -> None:
    olga, before = newsdesk.sign_in(OLGA), newsdesk.snapshot()

    answer = olga.do("set", path=page_of(newsdesk), **fields)

    assert answer.status_code == 400
    assert said in answer.text.replace("&#34;", '"')
    assert newsdesk.snapshot() == before


def test_what_was_ticked_is_still_ticked_when_something_else_is_wrong(newsdesk: Newsdesk) -> None:
    fields: dict[str, Any] = {"digest": "world", "cadence": "daily", "hour": "25", "topic": ["science"]}
    page = newsdesk.sign_in(OLGA).do("set", path=page_of(newsdesk, BERT), **fields).text
    assert re.findall(r'name="topic" value="(\w+)" checked', page) == ["science"]


def test_two_people_at_once_lose_nothing_unseen(newsdesk: Newsdesk) -> None:
    olga, path = newsdesk.sign_in(OLGA), page_of(newsdesk)
    page = olga.get(path).text
    seen = {"form": hidden(page, "form"), "version": hidden(page, "version")}
    change = on_request.Change(hour=6)
    on_request.set_choices(newsdesk.app.readers, ANNA, "world", change, newsdesk.clock(), {"page": "own"})

    late = olga.do("set", seen, path=path, digest="world", cadence="daily", hour="9")

    assert late.status_code == 409
    assert "changed this reader since you opened it" in late.text
    assert 'value="9"' in late.text
    assert subscription(newsdesk).hour == 6


def test_a_pause_ends_on_a_day_or_by_hand(newsdesk: Newsdesk) -> None:
    olga, path = newsdesk.sign_in(OLGA), page_of(newsdesk)

    assert "is past" in olga.do("pause", path=path, digest="world", until="2020-01-01").text
    assert "is not a date" in olga.do("pause", path=path, digest="world", until="soon").text
    olga.do("pause", path=path, digest="world", until="2026-12-24")

    row = subscription(newsdesk)
    assert (row.state, row.paused_until) == ("paused", datetime(2026, 12, 23, 23, tzinfo=UTC))
    olga.do("resume", path=path, digest="world")
    assert subscription(newsdesk).state == "confirmed"


def test_leaving_a_link_a_new_address_and_erasure(newsdesk: Newsdesk) -> None:
    olga, path = newsdesk.sign_in(OLGA), page_of(newsdesk)

    olga.do("link", path=path)
    olga.do("move", path=path, address="anna@new.example")
    with newsdesk.app.database.read() as session:
        kinds = {row.kind for row in session.exec(select(ReaderNotice))}
    assert {"link"} < kinds
    anna = person(newsdesk, "anna@new.example")
    assert f"{READERS}/{anna.public_id}" == path
    taken = olga.do("move", path=path, address=BERT)
    assert (taken.status_code, "another reader" in taken.text) == (400, True)

    olga.do("leave", path=path, digest="world")
    assert subscription(newsdesk, "anna@new.example").state == "ended"
    assert "Only the reader can come back" in olga.get(path).text

    refused = olga.do("erase", path=path, address=ANNA)
    assert (refused.status_code, "Nothing was erased" in refused.text) == (400, True)
    assert olga.do("erase", path=path, address="anna@new.example").headers["location"].startswith(READERS)
    assert olga.get(path).status_code == 404
    with newsdesk.app.database.read() as session:
        assert session.get_one(Subscriber, row_id(anna)).address == ""


@pytest.mark.parametrize("reason", ["erased", "complaint", "operator"])
def test_nobody_is_moved_to_a_suppressed_address(newsdesk: Newsdesk, reason: str) -> None:
    hashed = newsdesk.app.readers.hash_address("cleo@new.example")
    with newsdesk.app.database.write() as session:
        subscribers.add_suppression(session, hashed, reason, newsdesk.clock())

    answer = newsdesk.sign_in(OLGA).do("move", path=page_of(newsdesk), address="cleo@new.example")

    assert (answer.status_code, "digest subscribers" in answer.text or "sign-up" in answer.text) == (
        400,
        True,
    )
    assert person(newsdesk).address == ANNA
    with newsdesk.app.database.read() as session:
        assert subscribers.is_suppressed(session, hashed)


def test_a_suppression_is_made_and_lifted(newsdesk: Newsdesk) -> None:
    olga, path = newsdesk.sign_in(OLGA), page_of(newsdesk, BERT)

    olga.do("suppress", path=path)

    assert subscription(newsdesk, BERT).state == "ended"
    assert "suppressed: operator" in olga.get(path).text
    assert "is no longer" in olga.do("unsuppress", path=READERS, address=BERT).text
    assert "suppressed: operator" not in olga.get(path).text
    again = olga.do("unsuppress", path=READERS, address=BERT)
    assert (again.status_code, "is not suppressed" in again.text) == (400, True)


@pytest.mark.parametrize("who", [MARA, BEN])
def test_only_an_operator_sees_readers(newsdesk: Newsdesk, who: str) -> None:
    visitor = newsdesk.sign_in(who)

    assert visitor.get(READERS).status_code == 403
    assert "Only an operator can do this" in visitor.get(page_of(newsdesk)).text
    assert READERS not in visitor.get("/desk").text
    assert READERS in newsdesk.sign_in(OLGA).get("/desk").text


def test_a_reader_is_added_with_what_they_agreed_to_or_asked_by_mail(newsdesk: Newsdesk) -> None:
    olga, cleo, dora = newsdesk.sign_in(OLGA), "cleo@readers.example", "dora@readers.example"

    added = olga.do("add", path=READERS, address=cleo, name=" Cleo  Ode ", wording="Signed at  the fair")
    asked = olga.do("add", path=READERS, address=dora)

    assert f"{cleo} is added." in added.text
    assert f"{dora} is asked: the next run mails the confirmation." in asked.text
    assert (person(newsdesk, cleo).name, subscription(newsdesk, cleo).state) == ("Cleo Ode", "confirmed")
    assert subscription(newsdesk, dora).state == "pending"
    (event,) = events(newsdesk, cleo)
    assert (event.act, event.origin) == ("confirmed", {"desk": OLGA})
    assert "Signed at the fair" in olga.get(page_of(newsdesk, cleo)).text
    again = olga.do("add", path=READERS, address=cleo, wording="Signed at the fair")
    assert "is a reader already, and nothing changes" in again.text


def test_who_has_left_is_not_added_and_what_was_typed_stays(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    olga.do("leave", path=page_of(newsdesk), digest="world")

    answer = olga.do("add", path=READERS, address=ANNA, wording="Said yes on the phone")
    bad = olga.do("add", path=READERS, address="<b>nobody</b>", name="Dora")

    assert answer.status_code == 409
    assert f"{ANNA} is not added: " in answer.text
    assert 'value="Said yes on the phone"' in answer.text
    assert subscription(newsdesk).state == "ended"
    assert bad.status_code == 400
    assert 'value="&lt;b&gt;nobody&lt;/b&gt;"' in bad.text
    assert 'value="Dora"' in bad.text


def test_an_address_that_no_reader_has_is_suppressed(newsdesk: Newsdesk) -> None:
    olga, eve = newsdesk.sign_in(OLGA), "eve@readers.example"

    done = olga.do("suppress", path=READERS, address=eve)
    added = olga.do("add", path=READERS, address=eve, wording="Signed at the fair")

    assert f"{eve} is suppressed." in done.text
    assert (added.status_code, "is not added" in added.text) == (409, True)
    assert olga.do("suppress", path=READERS, address="x").status_code == 400
    assert "is no longer" in olga.do("unsuppress", path=READERS, address=eve).text


def test_readers_are_found_by_a_language_that_no_page_speaks(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("jun@readers.example", language="ja")
    olga = newsdesk.sign_in(OLGA)
    assert listed(olga, "language=ja") == ["jun@readers.example"]
    assert (
        '<input id="f-language" name="language" maxlength="20" value="ja"'
        in olga.get(f"{READERS}?language=ja").text
    )
