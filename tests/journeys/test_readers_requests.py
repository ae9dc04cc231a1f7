"""Every page looked at changes no row, no form ends in an error of ours, and limits hold under thousands.

`COUNT=10000 pytest tests/journeys/test_readers_requests.py` runs the sign-ups in full.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import HealthCheck, given
from hypothesis import settings as trial
from hypothesis import strategies as st
from sqlmodel import select

from digest.models import Confirmation, Edition, NoticeKind
from digest.rules.tokens import tokens
from digest.settings import Settings
from digest.store.database import Database
from digest.store.readers import notices
from digest.tasks.readers.private_feed import sign_feed
from digest.tasks.readers.reader_page import LINK_LIFE, request_link, request_move
from digest.tasks.readers.readers import Readers, sign_undo
from digest.tasks.readers.sign_up import Choices, ask_for
from digest.web.app import create_app
from digest.web.public import reader_page as reader_pages
from digest.web.public import sign_up as sign_up_pages
from digest.web.shared.answer_times import Endpoint
from tests.journeys.test_hostile_requests import TEXT, all_routes
from tests.support.desks import Newsdesk
from tests.support.readers import NOW, Clock, hidden_fields, make_readers, sign_up_and_confirm, snapshot

COUNT = int(os.environ.get("COUNT", "200"))
WIDTH = 16
ANNA = "anna@example.org"


@pytest.fixture
def readers(database: Database, settings: Settings) -> Readers:
    return make_readers(database, settings)


@pytest.fixture
def client(readers: Readers) -> Iterator[TestClient]:
    app = create_app(readers, readers.settings, now=Clock())
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        sign_up_and_confirm(client, readers)
        yield client


def test_both_forms_that_take_anybodys_address_answer_at_even_times(
    readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: list[str] = []

    def record(endpoint: Endpoint) -> Endpoint:
        timed.append(endpoint.__name__)
        return endpoint

    for module in (sign_up_pages, reader_pages):
        monkeypatch.setattr(module, "evenly_timed", record)
    create_app(readers, readers.settings, now=Clock())
    assert sorted(timed) == ["send_link", "subscribe"]


def take(readers: Readers, kind: NoticeKind) -> str:
    with readers.database.write() as session:
        row = notices.claim_notice(session, 1, NOW)
        assert row is not None
        assert row.kind == kind
        notices.set_token(session, row.id or 0, tokens.hash_token(f"token-{row.id}"), NOW + LINK_LIFE)
        return f"token-{row.id}"


def open_pages(readers: Readers) -> dict[str, str]:
    """Return a path that opens something for each page of a token, by the token's place."""
    request_link(readers, ANNA, {}, NOW)
    own = take(readers, NoticeKind.LINK)
    request_move(readers, own, "anna@new.example", {}, NOW)
    ask_for(readers, "new@example.org", {"world": Choices()}, {}, NOW)
    with readers.database.write() as session:
        asking = session.exec(select(Confirmation).order_by(Confirmation.id.desc())).first()  # type: ignore[union-attr]
        assert asking is not None
        confirm = readers.give_token(session, asking.id or 0)
    with readers.database.read() as session:
        from digest.store.readers import subscribers

        anna = subscribers.find_subscriber(session, ANNA)
        assert anna is not None
        public_id = anna.public_id
    leave = tokens.sign(readers.signing_keys, tokens.UNSUBSCRIBE, public_id, "world")
    return {
        "/me/": own,
        "/address/": take(readers, NoticeKind.MOVE),
        "/confirm/": confirm,
        "/feed/": sign_feed(readers, public_id, "world"),
        "/preferences/": tokens.sign(readers.signing_keys, tokens.PREFERENCES, public_id, "world"),
        "/unsubscribe/": leave,
        "/undo/": sign_undo(readers, leave, NOW),
    }


def filled(path: str, opened: dict[str, str]) -> str:
    """Return a route's path with what opens it in the place of its parameters."""
    for begin, token in opened.items():
        if path.startswith(begin):
            path = path.replace("{token}", token)
    return re.sub(r"\{(\w+)\}", "world", path)


def test_looking_at_any_page_of_the_route_table_leaves_every_row_as_it_is(
    client: TestClient, readers: Readers
) -> None:
    opened = open_pages(readers)
    before = snapshot(readers)
    paths = [filled(path, opened) for path in all_routes(client.app, "GET")]
    assert len(paths) > 20
    answers = {}
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS"):
            answers[method, path] = client.request(method, path).status_code
    assert snapshot(readers) == before
    assert max(answers.values()) < 500
    assert [answers["GET", f"{begin}{token}"] for begin, token in opened.items() if begin != "/undo/"] == [
        200
    ] * 6


def test_looking_at_any_page_of_the_desk_leaves_every_row_of_an_edition_as_it_is(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Bridge reopens")
    newsdesk.subscribe(ANNA)
    mara = newsdesk.sign_in()
    before = newsdesk.snapshot()
    values = {"digest": "world", "cadence": "daily", "period": "2026-11-23"}
    for path in all_routes(newsdesk.web, "GET"):
        place = re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], "1"), path)
        assert mara.get(place).status_code < 500, place
    assert newsdesk.snapshot() == before
    with newsdesk.app.database.read() as session:
        assert session.exec(select(Edition).where(Edition.period == "2026-11-23")).first() is None


FIELDS = ("digest", "address", "cadence", "cadence-world", "topics", "topics-world", "consent", "hour", "hour-world",
          "pause", "pause-world", "pause-date", "pause-world-date", "less", "lang", "language", "timezone", "name",
          "website", "form-world", "most-world", "List-Unsubscribe")  # fmt: skip
MEANT = st.sampled_from(["world", "daily", "weekly", "science", "yes", "9", "99", "-1", "4", "open", "keep", "pause",
                         "2026-12-24", "0001-01-01", "9999-12-31", "sv", "xx", "feed", "text", "Europe/Paris", "GMT+25", ANNA,
                         "x@" + "y" * 300, "٣", "²"])  # fmt: skip
VALUES = st.one_of(MEANT, TEXT)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_form_ends_in_an_error_of_ours_whatever_is_typed(client: TestClient, readers: Readers) -> None:
    opened = open_pages(readers)
    paths = [
        path for path in all_routes(client.app, "POST") if "/erase" not in path and path != "/address/{token}"
    ]
    assert {"/subscribe", "/me/{token}", "/preferences/{token}/less"} <= set(paths)
    stamps = {}
    for path in paths:
        page = filled(path, opened)
        looked = page if page not in ("/subscribe",) else "/"
        looked = re.sub(r"/(less|link|address)$", "", looked) if looked != "/link" else looked
        stamps[page] = hidden_fields(client.get(looked).text).get("form", "")
    assert sum(bool(stamp) for stamp in stamps.values()) >= 6

    @trial(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(sorted(stamps)),
        st.dictionaries(st.sampled_from(FIELDS), st.lists(VALUES, min_size=1, max_size=3), max_size=8),
    )
    def check(page: str, typed: dict[str, list[str]]) -> None:
        fields: dict[str, Any] = {
            name: [value.encode("utf-8", "replace").decode() for value in values]
            for name, values in typed.items()
        }
        answer = client.post(page, data={**fields, "form": stamps[page]})
        assert answer.status_code < 500, (page, typed)

    check()


def stamped(client: TestClient) -> str:
    shown = client.post("/subscribe", data={"digest": "world", "address": "x@example.org", "consent": "yes"})
    return hidden_fields(shown.text)["form"]


def at_once(send: Callable[[int], Response], count: int) -> Counter[int]:
    """Send requests from several threads; return how many were answered by each status."""
    with ThreadPoolExecutor(WIDTH) as threads:
        return Counter(answer.status_code for answer in threads.map(send, range(count)))


def test_any_number_of_sign_ups_for_one_address_is_one_mail(client: TestClient, readers: Readers) -> None:
    stamp = stamped(client)
    data = {"digest": "world", "address": "victim@example.net", "consent": "yes", "form": stamp}
    answers = at_once(lambda number: client.post("/subscribe", data=data), COUNT)
    assert set(answers) <= {200, 429}
    with readers.database.read() as session:
        planned = session.exec(select(Confirmation).where(Confirmation.used_at == None)).all()  # noqa: E711
    assert len(planned) == 1


@pytest.mark.parametrize("forged", [False, True])
@pytest.mark.parametrize("proxied", [False, True])
def test_any_number_of_addresses_from_one_origin_is_at_most_the_limit(
    readers: Readers, forged: bool, proxied: bool
) -> None:
    trusted = (ip_network("203.0.113.0/24"),) if proxied else ()
    web = readers.settings.web.model_copy(update={"trusted_proxies": trusted, "sign_ups_per_domain": 10**6})
    settings = readers.settings.model_copy(update={"web": web})
    limited = make_readers(readers.database, settings)
    app = create_app(limited, settings, now=Clock())
    with TestClient(app, client=("203.0.113.5", 1), follow_redirects=False) as client:
        stamp = stamped(client)

        def send(number: int) -> Response:
            claimed = f"198.18.{number // 250 % 250}.{number % 250}"
            # What the client writes comes first; the proxy appends whom it talked to.
            sent = f"{claimed}, 198.51.100.7" if proxied else claimed
            headers = (
                {"X-Forwarded-For": sent, "Forwarded": f"for={claimed}", "X-Real-IP": claimed}
                if forged
                else {}
            )
            data = {"digest": "world", "address": f"r{number}@x.example", "consent": "yes", "form": stamp}
            return client.post("/subscribe", data=data, headers=headers)

        answers = at_once(send, COUNT)
    assert answers[429] == COUNT - settings.web.sign_ups_per_network
    with readers.database.read() as session:
        assert len(session.exec(select(Confirmation)).all()) == settings.web.sign_ups_per_network
