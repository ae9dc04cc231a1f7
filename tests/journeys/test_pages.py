"""The readers' pages, from sign-up to leaving."""

import itertools
import logging
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import SQLModel, func, select

from digest.errors import Unreachable
from digest.models import Confirmation, ConsentEvent, Subscriber, Subscription, SuppressionReason
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import confirmations, subscribers
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.server import Server
from digest.web.shared.security import SignUpLimit, find_block

TO_BASE32 = str.maketrans("0123456789", "abcdefghij")
ANNA = {"digest": "world", "address": "anna@example.org", "cadence": "weekly", "consent": "yes"}
METHODS_THAT_LOOK = ("GET", "HEAD", "OPTIONS")


@dataclass
class Clock:
    now: datetime = field(default=datetime(2026, 3, 2, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    ids = itertools.count()
    return Readers(
        database, settings, settings.web.signing_keys, b"the suppression key",
        lambda: f"{next(ids):026}".translate(TO_BASE32), lambda: f"a-random-token-{next(ids)}",
    )  # fmt: skip


@pytest.fixture
def client(readers: Readers, clock: Clock) -> Iterator[TestClient]:
    app = create_app(readers, readers.settings, now=clock)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def take_token(readers: Readers, clock: Clock) -> str:
    with readers.database.write() as session:
        asking = confirmations.claim_confirmation(session, 1, clock())
        assert asking is not None
        return readers.give_token(session, asking.id or 0)


def link(readers: Readers, action: str) -> str:
    with readers.database.read() as session:
        found = session.exec(select(Subscriber)).one()
        return f"/{action}/{tokens.sign(readers.signing_keys, action, found.public_id, 'world')}"


def find_row(readers: Readers) -> Subscription:
    with readers.database.read() as session:
        return session.exec(select(Subscription)).one()


def snapshot(readers: Readers) -> list[str]:
    models: tuple[type[SQLModel], ...] = (Subscriber, Subscription, Confirmation, ConsentEvent)
    with readers.database.read() as session:
        return [repr(row.model_dump()) for model in models for row in session.exec(select(model))]


@pytest.fixture
def confirmed(client: TestClient, readers: Readers, clock: Clock) -> Readers:
    client.post("/subscribe", data=ANNA)
    client.post(f"/confirm/{take_token(readers, clock)}")
    assert find_row(readers).state == "confirmed"
    return readers


def test_a_reader_signs_up_confirms_changes_and_leaves(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    assert "World Briefing" in client.get("/").text
    answer = client.post("/subscribe", data=ANNA | {"topics": ["science", "culture"]})
    assert "Check your mailbox" in answer.text
    token = take_token(readers, clock)
    assert "Yes, subscribe me" in client.get(f"/confirm/{token}").text
    answer = client.post(f"/confirm/{token}")
    assert "You are subscribed" in answer.text
    found = re.search(r'href="(/preferences/[^"]+)"', answer.text)
    assert found is not None
    assert 'value="science" checked' in client.get(found[1]).text
    answer = client.post(found[1], data={"cadence": "daily", "topics": ["world"], "pause": "2"})
    assert "Saved." in answer.text
    row = find_row(readers)
    assert (row.cadence, list(row.topics), row.state) == ("daily", ["world"], "paused")
    assert row.paused_until == clock() + timedelta(weeks=2)
    assert "Paused until 16 March 2026" in answer.text
    leaving = re.search(r'href="(/unsubscribe/[^"]+)"', answer.text)
    assert leaving is not None
    assert "You are unsubscribed" in client.post(leaving[1]).text
    assert find_row(readers).state == "ended"


def test_new_asked_confirmed_and_banned_addresses_get_the_same_answer(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    new = client.post("/subscribe", data=ANNA)
    asked = client.post("/subscribe", data=ANNA)
    client.post(f"/confirm/{take_token(readers, clock)}")
    confirmed = client.post("/subscribe", data=ANNA)
    with readers.database.write() as session:
        for name, reason in (("ben", SuppressionReason.OPERATOR), ("cleo", SuppressionReason.COMPLAINT)):
            hashed = readers.hash_address(f"{name}@example.org")
            subscribers.add_suppression(session, hashed, reason, clock())
    banned = [client.post("/subscribe", data=ANNA | {"address": f"{n}@example.org"}) for n in ("ben", "cleo")]
    for answer in (asked, confirmed, *banned):
        assert (answer.status_code, answer.text) == (new.status_code, new.text)
        assert answer.headers == new.headers


def test_the_consent_box_is_unticked_and_must_be_ticked(client: TestClient, readers: Readers) -> None:
    box = re.search(r"<input[^>]*name=\"consent\"[^>]*>", client.get("/").text)
    assert box is not None
    assert "checked" not in box[0]
    answer = client.post("/subscribe", data={**ANNA, "consent": ""})
    assert answer.status_code == 400
    assert "Please tick the box" in answer.text
    assert 'value="anna@example.org"' in answer.text
    assert snapshot(readers) == []


def test_the_wording_the_form_and_the_origin_are_recorded(client: TestClient, readers: Readers) -> None:
    client.post("/subscribe", data=ANNA)
    with readers.database.read() as session:
        event = session.exec(select(ConsentEvent)).one()
    assert event.wording in client.get("/").text
    assert event.origin == {"form": "https://courier.example/", "ip": "unknown"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"address": "<script>alert(1)</script>"}, "is no mail address"),
        ({"address": ""}, "is no mail address"),
        ({"cadence": "hourly"}, "is no cadence"),
        ({"topics": "sports"}, "is no topic"),
    ],
)
def test_a_wrong_sign_up_is_shown_again_with_what_is_wrong(
    client: TestClient, readers: Readers, typed: dict[str, str], said: str
) -> None:
    answer = client.post("/subscribe", data=ANNA | typed)
    assert answer.status_code == 400
    assert said in answer.text
    assert "<script" not in answer.text
    assert snapshot(readers) == []


@pytest.mark.parametrize("method", METHODS_THAT_LOOK)
def test_looking_changes_nothing(client: TestClient, readers: Readers, clock: Clock, method: str) -> None:
    client.post("/subscribe", data=ANNA)
    token = take_token(readers, clock)
    before = snapshot(readers)
    paths = [
        f"/confirm/{token}",
        link(readers, "unsubscribe"),
        link(readers, "preferences"),
        "/",
        "/subscribe",
    ]
    for path in paths:
        client.request(method, path)
        client.request(method, f"{path}?List-Unsubscribe=One-Click&cadence=daily")
    assert snapshot(readers) == before


def test_a_second_confirmation_says_the_same_and_changes_nothing(
    client: TestClient, readers: Readers, clock: Clock
) -> None:
    client.post("/subscribe", data=ANNA)
    path = f"/confirm/{take_token(readers, clock)}"
    first = client.post(path)
    before = snapshot(readers)
    clock.now += timedelta(days=30)
    second = client.post(path)
    assert (second.status_code, second.text) == (first.status_code, first.text)
    assert snapshot(readers) == before


def test_a_late_confirmation_says_so(client: TestClient, readers: Readers, clock: Clock) -> None:
    client.post("/subscribe", data=ANNA)
    path = f"/confirm/{take_token(readers, clock)}"
    clock.now += timedelta(days=7)
    for answer in (client.get(path), client.post(path), client.post("/confirm/made-up")):
        assert answer.status_code == 410
        assert "no longer valid" in answer.text
    assert find_row(readers).state == "pending"


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
    assert (again.status_code, again.text) == (200, answer.text)


def test_an_unknown_unsubscribe_link_gets_an_answer_of_the_same_shape(
    client: TestClient, confirmed: Readers
) -> None:
    real = client.post(link(confirmed, "unsubscribe"))
    unknown = client.post("/unsubscribe/made-up")
    assert unknown.status_code == 200
    assert unknown.text == real.text.replace("World Briefing", "this digest")
    assert client.get("/unsubscribe/made-up").status_code == 200


def test_a_link_that_lives_for_ever_does_not_revive_or_disclose(
    client: TestClient, confirmed: Readers
) -> None:
    path = link(confirmed, "preferences")
    assert "anna" not in client.get(path).text
    client.post(link(confirmed, "unsubscribe"))
    answer = client.post(path, data={"cadence": "daily", "pause": "none"})
    assert "nothing to change" in answer.text
    assert find_row(confirmed).state == "ended"


def test_a_reader_comes_back_from_a_pause(client: TestClient, confirmed: Readers) -> None:
    path = link(confirmed, "preferences")
    client.post(path, data={"cadence": "weekly", "pause": "open"})
    assert find_row(confirmed).state == "paused"
    client.post(path, data={"cadence": "weekly", "pause": "keep"})
    assert find_row(confirmed).state == "paused"
    client.post(path, data={"cadence": "weekly", "pause": "none"})
    assert find_row(confirmed).state == "confirmed"


def test_wrong_preferences_are_refused_by_name(client: TestClient, confirmed: Readers) -> None:
    answer = client.post(link(confirmed, "preferences"), data={"cadence": "hourly"})
    assert answer.status_code == 400
    assert "hourly" in answer.text
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
        outside = re.sub(r"<label class=.*?</label>", "", text, flags=re.DOTALL)
        for tag in re.findall(r"<(?:input|select)(?! type=.hidden)[^>]*>", outside):
            found = re.search(r' id="([^"]+)"', tag)
            assert found is not None
            assert found[1] in named


def test_one_network_signs_up_only_so_often_an_hour(readers: Readers, clock: Clock) -> None:
    client = TestClient(create_app(readers, readers.settings, now=clock, sign_ups_per_hour=2))
    answers = [client.post("/subscribe", data=ANNA | {"address": f"a{n}@example.org"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    clock.now += timedelta(hours=1)
    assert client.post("/subscribe", data=ANNA).status_code == 200
    with readers.database.read() as session:
        assert session.exec(select(func.count()).select_from(Subscriber)).one() == 3


@pytest.mark.parametrize(
    ("origin", "block"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("testclient", "testclient"),
    ],
)
def test_an_origin_is_counted_by_its_block(origin: str, block: str) -> None:
    assert find_block(origin) == block


def test_the_memory_of_sign_ups_is_bounded(clock: Clock) -> None:
    limit = SignUpLimit(1, most_blocks=2)
    assert all(limit.allows(f"192.0.{n}.1", clock()) for n in range(3))
    assert limit.allows("192.0.0.1", clock())
    assert not limit.allows("192.0.2.1", clock())


def test_health_tells_whether_the_database_answers(client: TestClient, readers: Readers) -> None:
    assert client.get("/health").json() == {"ok": True, "database": "answers"}


def test_a_page_that_is_missing_or_wanted_in_the_wrong_way_is_a_plain_page(client: TestClient) -> None:
    assert client.get("/nowhere").status_code == 404
    assert "no such page" in client.get("/nowhere").text
    assert client.get("/subscribe").status_code == 405
    assert client.get("/subscribe").headers["allow"] == "POST"


@pytest.mark.parametrize("body", [b"\x00\xff", b"address=" + b"a" * 5000, b"a&" * 5000])
def test_a_hostile_form_is_a_plain_page(client: TestClient, body: bytes) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = client.post("/subscribe", content=body, headers={"content-type": kind})
        assert answer.status_code == 400


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
    answer = client.post("/subscribe", data=ANNA)
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
