"""Webhooks: entered with the fact, posted until they are taken, and blocking nothing; on both databases."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from digest.articles.building import build_article
from digest.errors import InputError, Unreachable
from digest.models import Alert, Delivery, DeliveryState, WebhookEndpoint, WebhookEvent, WebhookMessage
from digest.models.status import AlertKind
from digest.net.http import PostAnswer, post
from digest.rules.readers.address import normalise
from digest.settings import Settings
from digest.store.readers import subscribers
from digest.tasks.alerts.alerts import note_conditions
from digest.tasks.articles.storing import store_articles
from digest.tasks.delivery.deliver import finish
from digest.tasks.readers import on_request, privacy
from digest.tasks.readers.enrolment import NewReader, Terms, enrol_one, subscribe_confirmed
from digest.tasks.readers.readers import begin
from digest.tasks.readers.sign_up import Choices
from digest.tasks.webhooks import receivers
from digest.tasks.webhooks.posting import PostedTally, post_due
from tests.support.desks import OLGA, Clock, Newsdesk
from tests.support.receivers import Receiver

ANN = "ann@reader.example"
HOOK = "https://hooks.example/digest?key=s3cret"


@dataclass(frozen=True)
class Answered:
    status: int = 204
    retry_after: str = ""


@dataclass
class Hooks:
    """A receiver in memory: it keeps what is posted and answers what it is told to, or does not."""

    newsdesk: Newsdesk
    answer: Answered | Exception | None = field(default_factory=Answered)
    posted: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], is_private: bool) -> Answered:
        self.posted.append((url, body, dict(headers)))
        if self.answer is None:
            raise KeyboardInterrupt
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def add(self, *events: WebhookEvent, with_addresses: bool = False) -> WebhookEndpoint:
        """Add the receiver for some events, or all."""
        desk = self.newsdesk
        return receivers.add_receiver(
            desk.app.database, desk.settings, HOOK, events or tuple(WebhookEvent), OLGA, desk.clock(),
            with_addresses=with_addresses,
        )  # fmt: skip

    def run(self) -> PostedTally:
        """Post what is due now."""
        desk = self.newsdesk
        return post_due(desk.app.database, desk.settings, desk.clock, post=self)

    def told(self) -> list[dict[str, Any]]:
        """Return the bodies that were posted."""
        return [json.loads(body) for _, body, _ in self.posted]


@pytest.fixture
def hooks(newsdesk: Newsdesk) -> Hooks:
    return Hooks(newsdesk)


def subscribe(newsdesk: Newsdesk, address: str = ANN) -> None:
    words, origin = "Yes, mail me the World Briefing.", {"command": "test"}
    subscribe_confirmed(newsdesk.app.readers, address, "world", Choices(), words, origin, newsdesk.clock())


def messages(newsdesk: Newsdesk) -> list[WebhookMessage]:
    with newsdesk.app.database.read() as session:
        return list(session.exec(select(WebhookMessage).order_by(WebhookMessage.id)))  # type: ignore[arg-type]


def test_every_fact_is_told_once_signed_and_without_an_address(newsdesk: Newsdesk, hooks: Hooks) -> None:
    endpoint = hooks.add()
    newsdesk.publish("A story")
    subscribe(newsdesk)
    with newsdesk.app.database.write() as session:
        item = build_article(title="Taken", url="https://blog.example/taken", html="<p>In.</p>")
        store_articles(session, "newsroom", [item], newsdesk.clock())
    newsdesk.compile()
    with newsdesk.app.worker(checked=False) as worker:
        run = newsdesk.app.run(worker)
        with newsdesk.app.database.write() as session:
            for delivery in session.exec(select(Delivery)):
                delivery.state = DeliveryState.ACCEPTED
                session.add(delivery)
        finish(run.database.write, newsdesk.clock)
    on_request.leave(newsdesk.app.readers, ANN, "world", newsdesk.clock(), {"command": "test"})

    hooks.run()

    told = [one for one in hooks.told() if one["data"].get("cadence") != "weekly"]
    assert [one["type"] for one in told] == [
        "reader.subscribed", "article.taken", "edition.frozen", "edition.finished", "reader.left",
    ]  # fmt: skip
    assert told[1]["data"]["title"] == "Taken"
    assert told[2]["data"] == {"digest": "world", "cadence": "daily", "period": "2026-11-23"}
    assert told[4]["data"] == {"reader": told[0]["data"]["reader"], "digest": "world", "why": "left"}
    for _, body, headers in hooks.posted:
        key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{mac}"
        assert headers["content-type"] == "application/json"
        assert b"ann" not in body
    assert hooks.run() == PostedTally(), "each was taken once"


def test_a_fact_that_is_undone_is_told_to_nobody(newsdesk: Newsdesk, hooks: Hooks) -> None:
    hooks.add()
    newsdesk.subscribe(ANN)
    with newsdesk.app.database.write() as session:
        row = subscribers.get_subscription(session, 1)
        begin(session, newsdesk.settings.digest("world"), row, newsdesk.clock())
        session.rollback()

    assert messages(newsdesk) == []
    assert hooks.run() == PostedTally()


def test_an_address_goes_out_only_where_it_may_and_not_after_erasure(
    newsdesk: Newsdesk, hooks: Hooks
) -> None:
    hooks.add(WebhookEvent.SUBSCRIBED, with_addresses=True)
    subscribe(newsdesk)
    subscribe(newsdesk, "ben@reader.example")
    assert "reader.example" not in repr(newsdesk.snapshot()["webhook_message"]), "none is kept in the outbox"
    privacy.erase(newsdesk.app.readers, "ben@reader.example", newsdesk.clock())

    hooks.run()

    assert [one["data"]["address"] for one in hooks.told()] == [ANN, None]


def test_a_receiver_is_told_what_it_asked_for_and_no_more(newsdesk: Newsdesk, hooks: Hooks) -> None:
    hooks.add(WebhookEvent.LEFT)
    subscribe(newsdesk)

    assert hooks.run() == PostedTally()


def test_what_fails_is_tried_again_later_under_the_same_id_until_it_is_taken(
    newsdesk: Newsdesk, hooks: Hooks
) -> None:
    hooks.add(WebhookEvent.SUBSCRIBED)
    subscribe(newsdesk)
    subscribe(newsdesk, "ben@reader.example")
    hooks.answer = Answered(500)

    assert hooks.run() == PostedTally(0, 1), "after a failure the others wait"
    assert hooks.run() == PostedTally(), "and it is not tried again at once"
    newsdesk.clock.now += timedelta(seconds=5)
    hooks.answer = Unreachable("hooks.example does not answer")
    assert hooks.run() == PostedTally(0, 1)
    hooks.answer = Answered()
    newsdesk.clock.now += timedelta(minutes=5)
    assert hooks.run().taken == 1, "one that failed is tried with one message"
    assert hooks.run().taken == 1

    ids = [headers["webhook-id"] for _, _, headers in hooks.posted]
    times = [headers["webhook-timestamp"] for _, _, headers in hooks.posted]
    assert len(set(ids)) == 2
    assert ids[0] == ids[1]
    assert times[0] != times[1]
    assert [(one.state, one.attempts) for one in messages(newsdesk)] in (
        [("taken", 3), ("taken", 1)], [("taken", 2), ("taken", 1)],
    )  # fmt: skip


def test_after_days_of_failures_it_is_disabled_told_as_an_alert_and_can_be_started_again(
    newsdesk: Newsdesk, hooks: Hooks
) -> None:
    endpoint = hooks.add(WebhookEvent.SUBSCRIBED)
    database, settings = newsdesk.app.database, newsdesk.settings
    subscribe(newsdesk)
    hooks.answer = Answered(500)
    for _ in range(20):
        hooks.run()
        newsdesk.clock.now += timedelta(hours=6)
    tried = len(hooks.posted)

    def alerts() -> list[Alert]:
        note_conditions(database, settings, newsdesk.clock())
        with database.read() as session:
            return list(session.exec(select(Alert).where(Alert.kind == AlertKind.WEBHOOK)))

    (alert,) = alerts()
    assert (alert.name, alert.path, alert.ended_at) == ("hooks.example", "/desk/api/webhooks/1", None)
    assert "s3cret" not in alert.detail
    subscribe(newsdesk, "ben@reader.example")
    hooks.run()
    assert len(hooks.posted) == tried, "nobody posts to it any more"
    assert [one.state for one in messages(newsdesk)] == ["waiting"], "the one that failed is kept"

    hooks.answer = Answered()
    receivers.start_receiver(database, endpoint.id or 0, newsdesk.clock())

    assert hooks.run() == PostedTally(1, 0)
    assert [one for one in alerts() if one.ended_at is None] == []


def test_one_that_answers_410_is_disabled_at_once_and_one_stopped_by_hand_is_no_alert(
    newsdesk: Newsdesk, hooks: Hooks
) -> None:
    endpoint = hooks.add(WebhookEvent.SUBSCRIBED)
    subscribe(newsdesk)
    hooks.answer = Answered(410)
    hooks.run()
    shown = receivers.show_receiver(newsdesk.app.database, endpoint.id or 0)
    assert "410" in shown.endpoint.disabled_why

    receivers.stop_receiver(newsdesk.app.database, endpoint.id or 0, newsdesk.clock())
    note_conditions(newsdesk.app.database, newsdesk.settings, newsdesk.clock())

    with newsdesk.app.database.read() as session:
        assert session.exec(select(Alert).where(Alert.kind == AlertKind.WEBHOOK)).all() == []


def test_what_a_process_took_and_died_with_is_posted_by_another(newsdesk: Newsdesk, hooks: Hooks) -> None:
    hooks.add(WebhookEvent.SUBSCRIBED)
    subscribe(newsdesk)
    hooks.answer = None
    with pytest.raises(KeyboardInterrupt):
        hooks.run()
    hooks.answer = Answered()

    assert hooks.run() == PostedTally(), "it is another's for a while"
    newsdesk.clock.now += timedelta(minutes=2)

    assert hooks.run() == PostedTally(1, 0)
    assert len({headers["webhook-id"] for _, _, headers in hooks.posted}) == 1


def test_a_message_can_be_replayed_and_a_new_secret_signs_beside_the_former_for_a_day(
    newsdesk: Newsdesk, hooks: Hooks
) -> None:
    endpoint = hooks.add(WebhookEvent.SUBSCRIBED)
    database, number = newsdesk.app.database, endpoint.id or 0
    subscribe(newsdesk)
    hooks.run()
    renewed = receivers.renew_secret(database, number, receivers.secret_version(endpoint), newsdesk.clock())
    assert renewed.secret != endpoint.secret

    receivers.replay(database, number, 1, newsdesk.clock())
    hooks.run()
    newsdesk.clock.now += timedelta(hours=25)
    receivers.replay(database, number, 1, newsdesk.clock())
    hooks.run()

    signatures = [len(headers["webhook-signature"].split(" ")) for _, _, headers in hooks.posted]
    assert signatures == [1, 2, 1]
    assert len({headers["webhook-id"] for _, _, headers in hooks.posted}) == 1
    with pytest.raises(InputError, match="no message 99"):
        receivers.replay(database, number, 99, newsdesk.clock())


def test_the_log_is_kept_for_thirty_days_but_for_what_still_waits(newsdesk: Newsdesk, hooks: Hooks) -> None:
    hooks.add(WebhookEvent.SUBSCRIBED)
    subscribe(newsdesk)
    hooks.run()
    hooks.answer = Answered(500)
    subscribe(newsdesk, "ben@reader.example")
    hooks.run()

    newsdesk.clock.now += timedelta(days=31)
    hooks.answer = Unreachable("down")
    hooks.run()

    assert [one.state for one in messages(newsdesk)] == ["waiting"]


def test_an_address_that_nothing_is_posted_to_is_refused_when_it_is_added(newsdesk: Newsdesk) -> None:
    for url in (
        "http://hooks.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/x", "https://localhost/",
        "https://user:pass@hooks.example/", "ftp://hooks.example/", "hooks.example", "https://hooks.example/#a",
        "https://printer.local/", "https://hooks.example:99999/", "https://hooks.example/\nx", "",
        "https://" + "x" * 1_000,
    ):  # fmt: skip
        with pytest.raises(InputError):
            receivers.add_receiver(
                newsdesk.app.database, newsdesk.settings, url, WebhookEvent, OLGA, newsdesk.clock()
            )
    assert receivers.list_receivers(newsdesk.app.database) == []


def test_a_url_is_added_once_however_often_the_form_is_sent(newsdesk: Newsdesk, hooks: Hooks) -> None:
    hooks.add(WebhookEvent.SUBSCRIBED)

    with pytest.raises(InputError, match=r"hooks\.example has this URL already"):
        hooks.add(WebhookEvent.LEFT)
    with ThreadPoolExecutor(4) as threads:
        added = [threads.submit(_try_to_add, newsdesk, f"{HOOK}&n=1") for _ in range(4)]
    assert sorted(one.result() for one in added) == [False, False, False, True]
    assert len(receivers.list_receivers(newsdesk.app.database)) == 2


def _try_to_add(newsdesk: Newsdesk, url: str) -> bool:
    try:
        receivers.add_receiver(
            newsdesk.app.database, newsdesk.settings, url, WebhookEvent, OLGA, newsdesk.clock()
        )
    except InputError:
        return False
    return True


# With receivers that are real: over HTTP, on loopback, which the settings name.


@pytest.fixture
def inside() -> Iterator[socket.socket]:
    """A service of the own machine that nobody may reach; it counts nothing, as nobody connects."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture
def receiver(inside: socket.socket) -> Iterator[Receiver]:
    with Receiver(f"http://127.0.0.1:{inside.getsockname()[1]}/") as receiver:
        yield receiver


@pytest.fixture
def open_desk(settings: Settings, receiver: Receiver) -> Iterator[Newsdesk]:
    """A desk whose settings let webhooks go to the receiver."""
    api = settings.api.model_copy(update={"private_webhooks": (receiver.url,)})
    newsdesk = Newsdesk(settings.model_copy(update={"api": api}), Clock())
    yield newsdesk
    newsdesk.close()


def test_receivers_that_hang_drip_fail_or_redirect_cost_the_others_nothing_and_lose_nothing(
    open_desk: Newsdesk, receiver: Receiver, inside: socket.socket
) -> None:
    database, now = open_desk.app.database, open_desk.clock
    for path in ("/hangs", "/drips", "/fails", "/redirects", "/slow", "/taken"):
        receivers.add_receiver(
            database, open_desk.settings, receiver.url + path, [WebhookEvent.SUBSCRIBED], OLGA, now()
        )
    for address in (ANN, "ben@reader.example"):
        subscribe(open_desk, address)

    def send(url: str, body: bytes, headers: Mapping[str, str], is_private: bool) -> PostAnswer:
        patience = (
            0.2 if url.endswith(("/hangs", "/drips")) else 60.0
        )  # the others may take as long as the machine does
        return post(url, body, headers, allow_private=is_private, timeout=patience)

    done = post_due(database, open_desk.settings, now, post=send)

    assert (done.taken, done.failed) == (4, 4)
    assert len(receiver.taken()) == 4, "the receivers that answer have everything, however slowly"
    with pytest.raises(BlockingIOError):
        inside.accept()  # nobody followed the redirect
    rows = messages(open_desk)
    assert sorted(one.state for one in rows) == ["taken"] * 4 + ["waiting"] * 8
    troubles = {one.trouble for one in rows if one.attempts and one.taken_at is None}
    assert {one.partition(":")[0] for one in troubles} == {
        "it answers 500", "it answers 302", "127.0.0.1 does not answer",
    }  # fmt: skip


def test_a_name_that_stands_for_a_private_address_is_not_connected_to(
    newsdesk: Newsdesk, inside: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = inside.getsockname()[1]
    receivers.add_receiver(
        newsdesk.app.database, newsdesk.settings, f"https://hooks.example:{port}/x", WebhookEvent, OLGA,
        newsdesk.clock(),
    )  # fmt: skip
    subscribe(newsdesk)
    asked = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return asked("127.0.0.1" if host == "hooks.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    done = post_due(newsdesk.app.database, newsdesk.settings, newsdesk.clock)

    assert (done.taken, done.failed) == (0, 1)
    assert "private address" in messages(newsdesk)[0].trouble
    with pytest.raises(BlockingIOError):
        inside.accept()


def test_a_reader_whom_an_operator_adds_is_told_once_confirmed(newsdesk: Newsdesk, hooks: Hooks) -> None:
    hooks.add()
    terms = Terms(
        newsdesk.settings.digest("world"), "Signed at the fair", {"command": "test"}, newsdesk.clock()
    )
    asked = replace(terms, wording=None)
    for address, how in ((ANN, terms), ("bo@readers.example", asked), (ANN, terms)):
        enrol_one(newsdesk.app.readers, NewReader(normalise(address)), how)

    hooks.run()

    assert [one["type"] for one in hooks.told()] == ["reader.subscribed"]
