"""Every page that a reader may come to, those seldom seen too: opened one after the other by one client."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient

from digest.errors import Unreachable
from digest.models import NoticeKind
from digest.rules.tokens import tokens
from digest.store.readers import notices
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.support.readers import NOW, Clock, hidden_fields, link, press, sign_up, take_token

LATE = "2020-01-01T00:00:00+00:00"


def take_notice(readers: Readers, kind: NoticeKind, token: str) -> str:
    """Return the token of the next notice that is due."""
    with readers.database.write() as session:
        row = notices.claim_notice(session, 1, NOW)
        assert row is not None
        assert row.kind == kind
        notices.set_token(session, row.id or 0, tokens.hash_token(token), NOW + timedelta(hours=1))
    return token


def _carry(readers: Readers, token: str, typed: dict[str, str]) -> None:
    with readers.database.write() as session:
        row = notices.find_notice(session, tokens.hash_token(token))
        assert row is not None
        row.typed = [list(pair) for pair in typed.items()]
        session.add(row)


def open_every_page(client: TestClient, readers: Readers) -> dict[str, Any]:
    """Sign up, confirm, change, move, leave, come back and be erased; return each answer by a name.

    The client does not raise errors of the server.
    """
    pages: dict[str, Any] = {}
    pages |= _open_first_minute(client, readers)
    pages |= _open_own(client, readers)
    pages |= _open_links_of_messages(client, readers)
    own = "/me/own-token"
    pages["erase, typed"] = press(client, own, f"{own}/typed", show="erase", name="Žofie", timezone="")
    pages["erase, page left open"] = client.post(f"{own}/erase", data={"lang": _language(client)})
    pages["erased"] = press(client, f"{own}/erase")
    pages |= _open_failures(client, readers)
    return pages


def _language(client: TestClient) -> str:
    return client.headers["accept-language"]


def _open_first_minute(client: TestClient, readers: Readers) -> dict[str, Any]:
    pages: dict[str, Any] = {
        "home": client.get("/"),
        "home refused": client.post("/subscribe", data={"address": "x"}),
        "again": client.post("/subscribe", data={"digest": "world", "address": "anna@example.org"}),
        "bad address": sign_up(client, address="no address"),
        "check your inbox": sign_up(client),
    }
    confirm = f"/confirm/{take_token(readers, NOW)}"
    pages["confirm"] = client.get(confirm)
    lang = _language(client)
    typed = {"digest": "world", "cadence-world": "daily", "topics-world": "science", "lang": lang}
    pages["confirm, page left open"] = client.post(confirm, data=typed)
    pages["confirm refused"] = press(client, confirm, **{**typed, "cadence-world": "hourly"})
    pages["confirmed"] = press(client, confirm)
    pages["confirmed before"] = client.get(confirm)
    pages["confirmed before, other choices"] = client.post(confirm, data=typed)
    pages["confirmed before, none ticked"] = client.post(confirm, data={**typed, "digest": ""})
    pages["confirmation expired"] = client.get("/confirm/none")
    pages["confirmation expired, choices"] = client.post("/confirm/none", data=typed)
    return pages


def _open_own(client: TestClient, readers: Readers) -> dict[str, Any]:
    pages: dict[str, Any] = {
        "link": client.get("/link"),
        "link refused": press(client, "/link", address="x"),
        "link, page left open": client.post(
            "/link", data={"address": "x@example.org", "lang": _language(client)}
        ),
        "link sent": press(client, "/link", address="anna@example.org"),
    }
    own = f"/me/{take_notice(readers, NoticeKind.LINK, 'own-token')}"
    whole = {"digest": "world", "timezone": "", "name": "Žofie", "address": "anna@new.example"}
    pages["own"] = client.get(own)
    pages["erase?"] = client.get(f"{own}/erase")
    pages["own saved"] = press(client, own, digest="world", **{"pause-world": "2"})
    pages["own refused"] = press(client, own, digest="world", **{"cadence-world": "hourly"})
    pages["own, wrong day"] = press(
        client, own, digest="world", timezone="", **{"pause-world-date": LATE[:10]}
    )
    pages["own paused"] = client.get(own)
    pages["own, page left open"] = client.post(own, data={**whole, "lang": _language(client)})
    pages["address asked, choices not saved"] = press(client, own, f"{own}/address", **whole)
    move = f"/address/{take_notice(readers, NoticeKind.MOVE, 'move-token')}"
    pages["own saved, address not changed"] = press(client, own, **whole)
    pages["typed after the hour"] = client.post("/me/none", data=whole)
    again = hidden_fields(pages["typed after the hour"].text)
    pages["asked anew"] = client.post("/me/none/link", data=again)
    pages["asked anew, page left open"] = client.post("/me/none/link", data={**again, "form": ""})
    _carry(readers, "own-token", whole)
    pages["typed before"] = client.get(own)
    pages["address asked"] = press(client, own, f"{own}/address", address="anna@new.example")
    pages["address refused"] = press(client, own, f"{own}/address", address="x")
    pages["no own link"] = client.get("/me/none")
    pages["no feed"] = client.get("/feed/none")
    pages["move"] = client.get(move)
    pages["move, page left open"] = client.post(move, data={"lang": _language(client)})
    pages["moved"] = press(client, move)
    pages["no address link"] = client.get(move)
    return pages


def _open_links_of_messages(client: TestClient, readers: Readers) -> dict[str, Any]:
    preferences, leave = link(readers, "preferences"), link(readers, "unsubscribe")
    lang = _language(client)
    pages: dict[str, Any] = {
        "preferences": client.get(preferences),
        "preferences saved": press(client, preferences, cadence="weekly"),
        "preferences not saved": press(client, preferences, f"{preferences}/link", cadence="daily"),
        "preferences refused": press(client, preferences, cadence="hourly"),
        "preferences, page left open": client.post(preferences, data={"cadence": "daily", "lang": lang}),
        "no preferences": client.get("/preferences/none"),
        "leave?": client.get(leave),
        "leave, no such link": client.get("/unsubscribe/none"),
        "less, page left open": client.post(f"{preferences}/less", data={"less": "weekly", "lang": lang}),
        "less": press(client, leave, f"{preferences}/less", less="pause"),
        "left": client.post(leave),
    }
    undo = re.search(r'action="(/undo/[^"]+)"', pages["left"].text)
    assert undo is not None
    pages["no longer subscribed"] = client.get(preferences)
    pages["undone"] = client.post(undo[1])
    pages["not undone"] = client.post("/undo/none")
    return pages


def _open_failures(client: TestClient, readers: Readers) -> dict[str, Any]:
    pages: dict[str, Any] = {
        "archive": client.get("/archive"),
        "what is counted": client.get("/counted"),
        "not found": client.get("/nothing"),
        "has a button": client.get("/subscribe"),
        "form that cannot be read": client.post("/subscribe", data={"address": "x" * 501}),
    }
    web = readers.settings.web.model_copy(update={"sign_ups_per_network": 0, "trusted_proxies": ()})
    few = replace(readers, settings=readers.settings.model_copy(update={"web": web}))
    with _beside(client, few) as other:
        pages["too many sign-ups"] = sign_up(other, address="one-more@example.org")

    class Broken:
        def __init__(self, error: Exception) -> None:
            self._error = error

        def read(self) -> None:
            raise self._error

    for name, error in (("cannot be reached", Unreachable("no")), ("our fault", RuntimeError("a bug"))):
        broken: Any = Broken(error)
        with _beside(client, replace(readers, database=broken)) as other:
            pages[name] = other.get("/confirm/any")
    return pages


def _beside(client: TestClient, readers: Readers) -> TestClient:
    app = create_app(readers, readers.settings, now=Clock())
    headers = {"Accept-Language": _language(client)}
    return TestClient(app, follow_redirects=False, headers=headers, raise_server_exceptions=False)
