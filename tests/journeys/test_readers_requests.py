"""Limits hold under thousands of sign-ups, and forms with anybody's address answer at even times.

`COUNT=10000 pytest tests/journeys/test_readers_requests.py` runs the sign-ups in full.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import select

from digest.models import Confirmation
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from digest.web.public import reader_page as reader_pages
from digest.web.public import sign_up as sign_up_pages
from digest.web.shared.answer_times import Endpoint
from tests.support.readers import Clock, hidden_fields, make_readers, sign_up_and_confirm

COUNT = int(os.environ.get("COUNT", "200"))
WIDTH = 16


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
