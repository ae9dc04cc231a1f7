"""The readers' pages, from sign-up to leaving."""

import logging
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from digest.errors import Unreachable
from digest.models import ConsentEvent, ConsentWording, SuppressionReason
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import subscribers
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server
from tests.support.readers import (
    ANNA,
    Clock,
    find_row,
    hidden_fields,
    link,
    press,
    sign_up,
    sign_up_and_confirm,
    snapshot,
    take_token,
)

METHODS_THAT_LOOK = ("GET", "HEAD", "OPTIONS")


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    app = create_app(readers, readers.settings, now=clock)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def confirmed(client: TestClient, readers: Readers, clock: Clock) -> Readers:
    sign_up_and_confirm(client, readers, clock())
    assert find_row(readers).state == "confirmed"
    return readers


def test_a_reader_signs_up_confirms_changes_and_leaves(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    assert "World Briefing" in client.get("/").text
    answer = sign_up(client, topics=["science", "culture"])
    assert "Check your inbox" in answer.text
    token = take_token(readers, clock())
    assert "Confirm my subscription" in client.get(f"/confirm/{token}").text
    answer = press(client, f"/confirm/{token}")
    assert "You are subscribed" in answer.text
    found = re.search(r'href="(/preferences/[^"]+)"', answer.text)
    assert found is not None
    assert 'value="science" checked' in client.get(found[1]).text
    answer = press(client, found[1], cadence="daily", topics=["world"], pause="2")
    assert "Saved." in answer.text
    row = find_row(readers)
    assert (row.cadence, list(row.topics), row.state) == ("daily", ["world"], "paused")
    assert row.paused_until == clock() + timedelta(weeks=2)
    assert ">Until 16 March 2026<" in answer.text
    leaving = re.search(r'href="(/unsubscribe/[^"]+)"', answer.text)
    assert leaving is not None
    assert "You are unsubscribed" in client.post(leaving[1]).text
    assert find_row(readers).state == "ended"


def test_new_asked_confirmed_and_banned_addresses_get_the_same_answer(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    new = sign_up(client)
    asked = sign_up(client)
    press(client, f"/confirm/{take_token(readers, clock())}")
    confirmed = sign_up(client)
    with readers.database.write() as session:
        for name, reason in (("ben", SuppressionReason.OPERATOR), ("cleo", SuppressionReason.COMPLAINT)):
            hashed = readers.hash_address(f"{name}@example.org")
            subscribers.add_suppression(session, hashed, reason, clock())
    banned = [sign_up(client, address=f"{n}@example.org") for n in ("ben", "cleo")]
    for answer in (asked, confirmed, *banned):
        assert (answer.status_code, answer.text) == (new.status_code, new.text)
        assert answer.headers == new.headers


def test_the_consent_box_is_unticked_and_must_be_ticked(client: TestClient, readers: Readers) -> None:
    box = re.search(r"<input[^>]*name=\"consent\"[^>]*>", client.get("/").text)
    assert box is not None
    assert "checked" not in box[0]
    answer = sign_up(client, consent="")
    assert answer.status_code == 400
    assert "Please tick the box to agree" in answer.text
    assert 'value="anna@example.org"' in answer.text
    assert snapshot(readers) == []


def test_the_wording_the_form_and_the_origin_are_recorded(client: TestClient, readers: Readers) -> None:
    sign_up(client)
    with readers.database.read() as session:
        event = session.exec(select(ConsentEvent)).one()
        agreed = session.exec(select(ConsentWording)).one()
    assert event.wording_id == agreed.id
    assert agreed.text in client.get("/").text
    assert event.origin == {"form": "https://courier.example/", "ip": "unknown"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"address": "<script>alert(1)</script>"}, "check the address"),
        ({"address": ""}, "check the address"),
        ({"cadence": "hourly"}, "check the address and your choices"),
        ({"topics": "sports"}, "check the address and your choices"),
        ({"digest": "gone"}, "Choose at least one"),
    ],
)
def test_a_wrong_sign_up_is_shown_again_with_what_is_wrong(
    client: TestClient, readers: Readers, typed: dict[str, str], said: str
) -> None:
    answer = sign_up(client, headers=None, **typed)
    assert answer.status_code == 400
    assert said in answer.text
    assert "<script" not in answer.text
    assert snapshot(readers) == []


@pytest.mark.parametrize("method", METHODS_THAT_LOOK)
def test_looking_changes_nothing(client: TestClient, readers: Readers, clock: Clock, method: str) -> None:
    sign_up(client)
    token = take_token(readers, clock())
    before = snapshot(readers)
    paths = [
        f"/confirm/{token}",
        link(readers, "unsubscribe"),
        link(readers, "preferences"),
        "/",
        "/subscribe",
        "/link",
    ]
    for path in paths:
        client.request(method, path)
        client.request(method, f"{path}?List-Unsubscribe=One-Click&cadence=daily")
    assert snapshot(readers) == before


def test_a_second_confirmation_says_the_same_and_changes_nothing(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    sign_up(client)
    path = f"/confirm/{take_token(readers, clock())}"
    first = press(client, path)
    before = snapshot(readers)
    clock.now += timedelta(days=30)
    second = press(client, path)
    assert (second.status_code, second.text) == (first.status_code, first.text)
    assert snapshot(readers) == before


def test_a_late_confirmation_says_so(client: TestClient, readers: Readers, clock: Clock) -> None:
    sign_up(client)
    path = f"/confirm/{take_token(readers, clock())}"
    clock.now += timedelta(days=7)
    for answer in (client.get(path), client.post(path), client.post("/confirm/made-up")):
        assert answer.status_code == 410
        assert "link has expired" in answer.text
    assert find_row(readers).state == "pending"


def without_undo(page: str) -> str:
    return re.sub(r"/undo/[\w-]+", "/undo/", page)


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_one_click_leaves_at_once_without_cookie_or_redirect(
    client: TestClient, confirmed: Readers, kind: str
) -> None:
    path = link(confirmed, "unsubscribe")
    if kind == "urlencoded":
        answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
    else:
        answer = client.post(path, files={"List-Unsubscribe": (None, "One-Click")})
    assert answer.request.headers["content-type"].startswith(
        ("application/x-www-form", "multipart/form-data")
    )
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert find_row(confirmed).state == "ended"
    again = client.post(path)
    assert (again.status_code, without_undo(again.text)) == (200, without_undo(answer.text))


def test_an_unknown_unsubscribe_link_gets_an_answer_of_the_same_shape(
    client: TestClient, confirmed: Readers
) -> None:
    real = client.post(link(confirmed, "unsubscribe"))
    unknown = client.post("/unsubscribe/made-up")
    assert unknown.status_code == 200
    assert without_undo(unknown.text) == without_undo(real.text).replace("World Briefing", "this newsletter")
    assert client.get("/unsubscribe/made-up").status_code == 200


def test_a_link_that_lives_for_ever_does_not_revive_or_disclose(
    client: TestClient, confirmed: Readers
) -> None:
    path = link(confirmed, "preferences")
    assert "anna" not in client.get(path).text
    stamped = client.get(path)
    client.post(link(confirmed, "unsubscribe"))
    form = hidden_fields(stamped.text)["form"]
    answer = client.post(path, data={"form": form, "cadence": "daily", "pause": "none"})
    assert "Nothing to change" in answer.text
    assert find_row(confirmed).state == "ended"


def test_a_reader_comes_back_from_a_pause(client: TestClient, confirmed: Readers) -> None:
    path = link(confirmed, "preferences")
    press(client, path, cadence="weekly", pause="open")
    assert find_row(confirmed).state == "paused"
    press(client, path, cadence="weekly", pause="keep")
    assert find_row(confirmed).state == "paused"
    press(client, path, cadence="weekly", pause="none")
    assert find_row(confirmed).state == "confirmed"


def test_wrong_preferences_are_refused_by_name(client: TestClient, confirmed: Readers) -> None:
    answer = press(client, link(confirmed, "preferences"), cadence="hourly")
    assert answer.status_code == 400
    assert "check your choices" in answer.text
    assert find_row(confirmed).cadence == "weekly"


def test_token_pages_are_kept_indexed_and_referred_by_nobody(client: TestClient, confirmed: Readers) -> None:
    paths = [link(confirmed, "unsubscribe"), link(confirmed, "preferences"), "/confirm/x", "/preferences/x"]
    for answer in [client.get(path) for path in paths] + [client.post(path) for path in paths]:
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"


def test_every_page_is_whole_by_itself_and_runs_nothing(client: TestClient, confirmed: Readers) -> None:
    paths = ["/", "/health", "/nowhere", "/style.css", link(confirmed, "preferences")]
    for answer in (client.get(path) for path in paths):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert "https://" not in answer.text


def test_every_field_has_a_label(client: TestClient, confirmed: Readers) -> None:
    for path in ("/", link(confirmed, "preferences")):
        text = client.get(path).text
        named = set(re.findall(r'<label for="([^"]+)"', text))
        outside = re.sub(r"<label(?: class=[^>]*)?>.*?</label>", "", text, flags=re.DOTALL)
        for tag in re.findall(r"<(?:input|select)(?! type=.hidden)[^>]*>", outside):
            found = re.search(r' id="([^"]+)"', tag)
            assert found is not None
            assert found[1] in named


def test_one_network_and_one_domain_sign_up_only_so_often_an_hour(readers: Readers, clock: Clock) -> None:
    web = readers.settings.web.model_copy(update={"sign_ups_per_network": 3, "sign_ups_per_domain": 2})
    limited = replace(readers, settings=readers.settings.model_copy(update={"web": web}))

    def ask_from_a_new_process(address: str) -> int:
        client = TestClient(create_app(limited, limited.settings, now=clock))
        status: int = sign_up(client, address=address).status_code
        return status

    assert [ask_from_a_new_process(f"a{n}@a.example") for n in range(3)] == [200, 200, 429]
    assert ask_from_a_new_process("a@b.example") == 429, "the network had its share, whatever the domain"
    clock.now += timedelta(hours=1)
    assert ask_from_a_new_process("a@c.example") == 429, "what was within the last hour counts"
    clock.now += timedelta(hours=1)
    assert ask_from_a_new_process("a@d.example") == 200


@pytest.mark.parametrize(
    "again", ["anna+1@gmail.com", "a.n.na+2@googlemail.com", "ANNA+x@gmail.com", "an.na@gmail.com"]
)
def test_a_mailbox_is_asked_once_a_day_under_whatever_name(
    client: TestClient, readers: Readers, clock: Clock, again: str
) -> None:
    sign_up(client, address="anna@gmail.com")
    before = snapshot(readers)
    assert sign_up(client, address=again).status_code == 200
    assert without_counts(snapshot(readers)) == without_counts(before)
    clock.now += timedelta(days=1)
    sign_up(client, address=again)
    assert without_counts(snapshot(readers)) != without_counts(before)


def without_counts(rows: list[str]) -> list[str]:
    return [row for row in rows if not row.startswith("sign_up_count")]


def test_health_tells_whether_the_database_answers(client: TestClient, readers: Readers) -> None:
    assert client.get("/health").json() == {"ok": True, "database": "answers"}


def test_a_page_that_is_missing_or_wanted_in_the_wrong_way_is_a_plain_page(client: TestClient) -> None:
    assert client.get("/nowhere").status_code == 404
    assert "Page not found" in client.get("/nowhere").text
    assert client.get("/subscribe").status_code == 405
    assert client.get("/subscribe").headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"\x00\xff", b"address=" + b"a" * 5000, b"a&" * 900])
def test_a_hostile_form_is_a_plain_page(client: TestClient, body: bytes) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = client.post("/subscribe", content=body, headers={"content-type": kind})
        assert answer.status_code == 400


def test_a_form_of_thousands_of_fields_is_too_large(client: TestClient) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/subscribe", content=b"a&" * 5000, headers=kind).status_code == 413


def test_too_much_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/subscribe", content=b"a" * 70_000)
    assert answer.status_code == 413
    assert "content-security-policy" in answer.headers


def test_an_error_shows_no_details(readers: Readers, clock: Clock) -> None:
    def explode() -> datetime:
        raise RuntimeError("a secret detail")

    client = TestClient(create_app(readers, readers.settings, now=explode), raise_server_exceptions=False)
    answer = client.post("/subscribe", data=ANNA)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Something went wrong" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers


def test_a_database_that_does_not_answer_is_said_plainly(settings: Settings, clock: Clock) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    readers = Readers(away, settings, settings.web.signing_keys, b"k", lambda: "a" * 26, lambda: "t")
    client = TestClient(create_app(readers, settings, now=clock))
    assert client.get("/health").status_code == 503
    answer = sign_up(client)
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text


def test_the_server_answers_and_logs_no_token(readers: Readers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = Server(create_app(readers, readers.settings), "127.0.0.1", 0)
    server.start()
    try:
        with urllib.request.urlopen(f"{server.url}/unsubscribe/a-secret-token", b"") as answer:
            assert answer.status == 200
            assert "server" not in answer.headers
        with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{server.port}"):
            Server(create_app(readers, readers.settings), "127.0.0.1", server.port).start()
    finally:
        server.stop()
    assert "a-secret-token" not in caplog.text
