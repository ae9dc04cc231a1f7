"""The desk's pages about programs: tokens of the API and receivers of webhooks."""

import re

from digest.models import WebhookEvent
from digest.tasks.webhooks.posting import post_due
from tests.support.api import Program, kind_of
from tests.support.desks import BEN, OLGA, Newsdesk, Visitor, hidden

API = "/desk/api"
HOOKS = f"{API}/webhooks"
HOOK = "https://hooks.example/digest"


def post(visitor: Visitor, path: str, **data: object) -> str:
    """Post a form of the API's pages; return the page that follows."""
    receiver = re.match(rf"{HOOKS}/\d+", path)
    answer = visitor.client.post(path, data={**visitor.token(receiver[0] if receiver else API), **data})
    assert answer.status_code in (200, 303, 400), answer.text
    return answer.text if answer.status_code != 303 else visitor.get(answer.headers["location"]).text


def made_token(page: str) -> str:
    found = re.search(r'id="made-token"[^>]* value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_a_token_is_made_shown_once_used_and_revoked(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)

    token = made_token(post(ben, f"{API}/make", name="WordPress", scope=["articles:write", "articles:read"]))

    program = Program(newsdesk, None)
    program.client.headers["authorization"] = f"Bearer {token}"
    assert program.get("/token").json() == {
        "name": "WordPress",
        "scopes": ["articles:read", "articles:write"],
    }
    page = ben.get(API).text
    assert token not in page
    assert f"ends with {token[-4:]}" in page
    assert "Revoked." in post(ben, f"{API}/1/revoke")
    assert kind_of(program.get("/token")) == "token"


def test_nobody_hands_on_more_than_they_may_and_sees_or_revokes_others_tokens_but_operators(
    newsdesk: Newsdesk,
) -> None:
    ben, olga = newsdesk.sign_in(BEN), newsdesk.sign_in(OLGA)
    assert "readers:read" not in ben.get(API).text
    assert "role operator" in post(ben, f"{API}/make", name="Spy", scope="readers:addresses")
    made_token(post(olga, f"{API}/make", name="Dashboard", scope="readers:read"))

    assert "Dashboard" not in ben.get(API).text
    form = hidden(ben.get(API).text, "form")
    for number in ("1", "99", "x", "1" * 12):
        assert ben.client.post(f"{API}/{number}/revoke", data={"form": form}).status_code == 404
    made_token(post(ben, f"{API}/make", name="Ben's", scope="articles:read"))
    assert "Ben&#39;s" in olga.get(API).text
    assert "Revoked." in post(olga, f"{API}/2/revoke")


def test_what_was_typed_stays_where_a_token_or_a_receiver_cannot_be_made(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)

    page = post(olga, f"{API}/make", name="<b>WordPress")
    assert "A token needs a scope" in page
    assert 'value="&lt;b&gt;WordPress"' in page
    page = post(olga, f"{HOOKS}/add", url="http://hooks.example/", event="reader.left", addresses="yes")
    assert "Only https" in page
    assert 'value="http://hooks.example/"' in page
    assert re.search(r'value="reader.left" checked', page)
    assert re.search(r'name="addresses" value="yes" checked', page)


def test_a_receiver_is_added_with_its_secret_shown_once_and_its_log_replayed(newsdesk: Newsdesk) -> None:
    olga = newsdesk.sign_in(OLGA)
    page = post(olga, f"{HOOKS}/add", url=HOOK, event=[WebhookEvent.EDITION_FROZEN, WebhookEvent.LEFT])
    secret = re.search(r'value="(whsec_[^"]+)"', page)
    assert secret
    assert secret[1] not in olga.get(f"{HOOKS}/1").text
    newsdesk.publish("A story")
    newsdesk.subscribe("ann@reader.example")
    newsdesk.compile()

    class Taken:
        status, retry_after = 204, ""

    posted = []

    def send(url: str, body: bytes, *_: object) -> Taken:
        posted.append(body)
        return Taken()

    database, settings = newsdesk.app.database, newsdesk.settings
    olga = newsdesk.sign_in(OLGA)
    assert "not tried yet" in olga.get(f"{HOOKS}/1").text
    post_due(database, settings, newsdesk.clock, post=send)
    page = olga.get(f"{HOOKS}/1").text
    assert "edition.frozen" in page
    assert "it answered 204" in page
    count = len(posted)

    assert "It is sent again" in post(olga, f"{HOOKS}/1/replay/1")
    post_due(database, settings, newsdesk.clock, post=send)
    assert len(posted) == count + 1

    seen = olga.token(f"{HOOKS}/1")
    renewed = re.search(r'value="(whsec_[^"]+)"', post(olga, f"{HOOKS}/1/secret"))
    assert renewed
    assert renewed[1] != secret[1]
    reloaded = olga.client.post(f"{HOOKS}/1/secret", data=seen)
    assert (reloaded.status_code, "whsec_" in reloaded.text) == (409, False), (
        "the page that showed it, sent again"
    )
    assert "Stopped." in post(olga, f"{HOOKS}/1/stop")
    assert "stopped" in olga.get(HOOKS).text
    assert "Started again" in post(olga, f"{HOOKS}/1/start")
    assert "Removed." in post(olga, f"{HOOKS}/1/remove")
    form = hidden(olga.get(API).text, "form")
    for act in ("secret", "stop", "start", "remove", "replay/1"):
        assert olga.client.post(f"{HOOKS}/1/{act}", data={"form": form}).status_code == 404, act
    assert olga.get(f"{HOOKS}/1").status_code == 404
