"""Programs that sign readers up, look them up, change their choices and take leave of them; on both databases."""

import pytest
from sqlmodel import select

from digest.models import ConsentEvent, Subscriber
from digest.tasks.readers import confirmation, privacy
from tests.support.api import EVERYTHING, Program, kind_of
from tests.support.desks import Newsdesk

ANN = "ann@reader.example"
WANTED = {"address": ANN, "subscriptions": [{"digest": "world", "topics": ["culture"]}], "ip": "192.0.2.7"}


@pytest.fixture
def program(newsdesk: Newsdesk) -> Program:
    return Program(newsdesk, EVERYTHING)


def confirm(newsdesk: Newsdesk) -> None:
    """Let whoever was asked last confirm."""
    from digest.models import Confirmation

    readers = newsdesk.app.readers
    with readers.database.write() as session:
        last = session.exec(select(Confirmation).order_by(Confirmation.id.desc())).first()  # type: ignore[union-attr]
        assert last is not None
        token = readers.give_token(session, last.id or 0)
    done = confirmation.confirm(readers, token, newsdesk.clock(), {"page": "confirm"})
    assert done.answer == "confirmed"


def public_id(newsdesk: Newsdesk, address: str = ANN) -> str:
    with newsdesk.app.database.read() as session:
        return session.exec(select(Subscriber.public_id).where(Subscriber.address == address)).one()


def test_a_sign_up_asks_and_subscribes_nobody_before_they_confirm(
    newsdesk: Newsdesk, program: Program
) -> None:
    answer = program.post("/readers", WANTED)

    assert (answer.status_code, answer.json()) == (202, {"result": "asked"})
    known = program.post("/find-reader", {"address": "Ann@READER.example"}).json()
    assert [one["state"] for one in known["subscriptions"]] == ["pending"]

    confirm(newsdesk)

    told = program.get(f"/readers/{known['id']}").json()
    assert (told["address"], told["suppressed"]) == (ANN, None)
    assert [(one["state"], one["topics"]) for one in told["subscriptions"]] == [("confirmed", ["culture"])]
    with newsdesk.app.database.read() as session:
        asked = session.exec(select(ConsentEvent).where(ConsentEvent.act == "asked")).one()
    assert asked.origin == {"api": "test", "ip": "192.0.2.7"}
    assert asked.wording_id is not None


def test_the_answer_is_the_same_whoever_the_address_is(newsdesk: Newsdesk, program: Program) -> None:
    newsdesk.subscribe("known@reader.example")
    newsdesk.subscribe("erased@reader.example")
    privacy.erase(newsdesk.app.readers, "erased@reader.example", newsdesk.clock())

    answers = [
        program.post("/readers", {**WANTED, "address": f"{name}@reader.example"})
        for name in ("new", "known", "erased")
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"result": "asked"}')}


def test_who_left_or_was_erased_is_brought_back_by_nobody_but_themselves(
    newsdesk: Newsdesk, program: Program
) -> None:
    newsdesk.subscribe(ANN)
    newsdesk.subscribe("erased@reader.example")
    privacy.erase(newsdesk.app.readers, "erased@reader.example", newsdesk.clock())
    path = f"/readers/{public_id(newsdesk)}/subscriptions/world"
    confirmed = {"wording": "Yes, mail me the World Briefing."}

    assert program.send("DELETE", path).status_code == 204
    assert program.send("DELETE", path).status_code == 204, "leaving again is no error"
    for address in (ANN, "erased@reader.example"):
        again = program.post("/readers", {**WANTED, "address": address, "confirmed": confirmed})
        assert kind_of(again) == "departed", address
        assert address not in again.text
    assert kind_of(program.send("PATCH", path, {"cadence": "weekly"})) == "not-subscribed"
    assert kind_of(program.send("PATCH", path, {"paused": False})) == "not-subscribed"
    states = [one["state"] for one in program.get(f"/readers/{public_id(newsdesk)}").json()["subscriptions"]]
    assert states == ["ended"]


def test_who_agreed_elsewhere_is_subscribed_with_the_words_they_agreed_to(
    newsdesk: Newsdesk, program: Program
) -> None:
    body = {**WANTED, "confirmed": {"wording": "Yes, mail me the World Briefing."}}

    assert program.post("/readers", body, key="k").json() == {"results": {"world": "added"}}
    assert program.post("/readers", body).json() == {"results": {"world": "unchanged"}}
    assert program.post("/readers", body, key="k").json() == {"results": {"world": "added"}}
    with newsdesk.app.database.read() as session:
        (event,) = session.exec(select(ConsentEvent)).all()
    assert event.origin == {"import": "API: test", "ip": "192.0.2.7"}
    assert ANN not in repr(newsdesk.snapshot()["kept_answer"])


def test_choices_change_pause_and_resume_and_are_recorded(newsdesk: Newsdesk, program: Program) -> None:
    newsdesk.subscribe(ANN)
    reader = f"/readers/{public_id(newsdesk)}"
    world = f"{reader}/subscriptions/world"

    for path, body in (
        (reader, {"name": "Ann\nBcc: x", "language": "fr", "timezone": "Europe/Paris"}),
        (world, {"cadence": "weekly", "topics": ["culture", "world"], "hour": 9, "max_articles": 3}),
        (world, {"paused": True, "paused_until": "2026-12-24T08:00:00Z"}),
    ):
        answer = program.send("PATCH", path, body)
        assert (answer.status_code, answer.text) == (204, ""), answer.text
    told = program.get(reader).json()
    (chosen,) = told["subscriptions"]
    assert (told["name"], told["language"], told["timezone"]) == ("Ann Bcc: x", "fr", "Europe/Paris")
    assert (chosen["cadence"], chosen["topics"], chosen["hour"]) == ("weekly", ["culture", "world"], 9)
    assert (chosen["max_articles"], chosen["state"]) == (3, "paused")
    assert chosen["paused_until"] == "2026-12-24T08:00:00Z"

    back = {"paused": False, "topics": [], "hour": None, "max_articles": None}
    assert program.send("PATCH", world, back).status_code == 204
    (chosen,) = program.get(reader).json()["subscriptions"]
    assert (chosen["state"], chosen["topics"], chosen["hour"], chosen["max_articles"]) == (
        "confirmed",
        [],
        None,
        None,
    )
    assert chosen["cadence"] == "weekly", "what is not named stays"
    with newsdesk.app.database.read() as session:
        assert {event.origin.get("api") for event in session.exec(select(ConsentEvent))} == {"test"}


def test_what_is_wrong_is_said_without_the_address(newsdesk: Newsdesk, program: Program) -> None:
    newsdesk.subscribe(ANN)
    reader = f"/readers/{public_id(newsdesk)}"
    for answer, kind in (
        (program.send("PATCH", f"{reader}/subscriptions/world", {"cadence": "hourly"}), "invalid"),
        (
            program.send("PATCH", f"{reader}/subscriptions/world", {"paused_until": "2026-12-24T08:00:00Z"}),
            "invalid",
        ),
        (program.send("PATCH", f"{reader}/subscriptions/other", {"cadence": "daily"}), "not-found"),
        (program.send("PATCH", reader, {"timezone": "Mars/Base"}), "invalid"),
        (program.send("PATCH", f"/readers/{'a' * 26}", {"language": "fr"}), "not-found"),
        (program.post("/find-reader", {"address": "nobody@reader.example"}), "not-found"),
        (program.post("/readers", {**WANTED, "address": "no address"}), "invalid"),
        (program.post("/readers", {**WANTED, "subscriptions": [{"digest": "other"}]}), "invalid"),
        (program.post("/readers", {**WANTED, "subscriptions": [{"digest": "world"}] * 2}), "invalid"),
    ):
        assert kind_of(answer) == kind, answer.text
        assert ANN not in answer.text


def test_names_and_addresses_are_for_tokens_with_that_scope_alone(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe(ANN, name="Ann Example")
    blind = Program(newsdesk, ["readers:read"])

    listed = blind.get("/readers", digest="world", state="confirmed")

    assert [(one["address"], one["name"]) for one in listed.json()["items"]] == [(None, None)]
    found = blind.post("/find-reader", {"address": ANN})
    assert found.json() == listed.json()["items"][0]
    assert "ann" not in (listed.text + found.text).lower()
    seeing = Program(newsdesk, ["readers:read", "readers:addresses"])
    assert seeing.get("/readers").json()["items"][0]["address"] == ANN


def test_too_many_sign_ups_from_one_network_wait(newsdesk: Newsdesk, program: Program) -> None:
    answers = [program.post("/readers", {**WANTED, "address": f"r{n}@d{n}.example"}) for n in range(21)]

    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert kind_of(answers[-1]) == "sign-up-limit"
    assert answers[-1].headers["retry-after"] == "3600"


def test_a_value_of_another_kind_than_the_description_says_is_refused(
    newsdesk: Newsdesk, program: Program
) -> None:
    """What a description calls a number is no text with digits in it, and a date is no number."""
    newsdesk.subscribe(ANN)
    for changes in (
        {"hour": "9"}, {"hour": True}, {"max_articles": "3"}, {"breaking": 1}, {"breaking": "yes"},
        {"paused": "true"}, {"paused": True, "paused_until": 1_900_000_000},
        {"paused": True, "paused_until": "1900000000"},
    ):  # fmt: skip
        answer = program.send("PATCH", f"/readers/{public_id(newsdesk)}/subscriptions/world", changes)

        assert kind_of(answer) == "invalid", changes
        assert [one["place"] for one in answer.json()["errors"]] == [f"/{list(changes)[-1]}"]


def test_figures_begin_at_a_day_that_is_written_as_one(program: Program) -> None:
    for since in ("0", "1764000000", "2026-11", "2026-11-23T00:00:00Z", "yesterday"):
        assert kind_of(program.get("/figures", since=since)) == "invalid"
    assert program.get("/figures", since="2026-11-23").status_code == 200
