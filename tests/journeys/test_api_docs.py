"""The commands of docs/api.md do what the page says, as they stand there."""

import hashlib
import hmac
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from digest.models import Subscriber, SubscriptionState, WebhookEvent
from digest.rules.api.access import PURPOSES, role_for
from digest.rules.webhooks.signing import sign, write_secret
from digest.store.readers import subscribers
from digest.web.server import Server
from tests.conftest import skip_unless_ci
from tests.support.api import API, EVERYTHING, Program
from tests.support.desks import BASE, Newsdesk

DOCS = Path(__file__).parents[2] / "docs"


def commands(page: str) -> list[list[str]]:
    """Return the words of each curl command in the shell blocks of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text().replace("\\\n", " "), re.M | re.S)
    found = [shlex.split(part) for block in blocks for part in re.split(r"^(?=curl )", block, flags=re.M)]
    return [words for words in found if words]


def run(program: Program, words: list[str], values: dict[str, str]) -> tuple[str, int, str]:
    """Do what curl does with these words; return the method, the status and the body."""
    words = [re.sub(r"\$(\w+)", lambda name: values[name[1]], word) for word in words]
    assert words[0] == "curl", words
    url, method, body, headers = "", "", None, {}
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name.lower()] = value
        elif word == "-d":
            body = next(rest)
        elif word != "-s":
            url = word
    method = method or ("POST" if body is not None else "GET")
    answer = program.client.request(method, url, content=body, headers=headers)
    return method, answer.status_code, answer.text


def test_every_command_of_the_page_does_what_it_says(newsdesk: Newsdesk) -> None:
    program = Program(newsdesk, EVERYTHING)
    nobody = Program(newsdesk, None)
    values = {"API": BASE + API, "TOKEN": program.token}
    found = commands("api.md")
    for words in found:
        if any("$READER" in word for word in words):
            values.setdefault("READER", confirmed_reader(newsdesk))
        method, status, text = run(nobody, words, values)
        assert status in (200, 201, 202, 204), (words, status, text)
        assert method != "DELETE" or status == 204
    assert len(found) >= 14


def confirmed_reader(newsdesk: Newsdesk) -> str:
    """Confirm the reader who was asked by the commands before, and return their id."""
    with newsdesk.app.database.write() as session:
        reader = session.exec(select(Subscriber)).one()
        for row in subscribers.list_subscriptions(session, reader.id or 0):
            row.confirmed_at = newsdesk.clock()
            subscribers.change_state(session, row, SubscriptionState.CONFIRMED, newsdesk.clock())
        return reader.public_id


def test_every_scope_is_in_the_table_with_its_role() -> None:
    table = (DOCS / "api.md").read_text()
    for scope, purpose in PURPOSES.items():
        assert f"| `{scope}` | {purpose} | {role_for(scope)} |" in table


def test_the_check_of_a_signature_takes_what_we_sign_and_nothing_else() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", (DOCS / "webhooks.md").read_text(), re.M | re.S)
    names: dict[str, Any] = {}
    exec(block, names)
    is_genuine = names["is_genuine"]
    secret, body = write_secret(bytes(range(32))), b'{"type":"reader.left"}'
    headers = sign([write_secret(bytes(32)), secret], "msg_1", 1_000_000, body)

    assert is_genuine(secret, headers, body, now=1_000_010)
    assert not is_genuine(secret, headers, body + b" ", now=1_000_010)
    assert not is_genuine(secret, headers, body, now=1_000_400)
    assert not is_genuine(write_secret(bytes(31) + b"x"), headers, body, now=1_000_010)


def test_every_event_is_in_the_table() -> None:
    table = (DOCS / "webhooks.md").read_text()
    for event in WebhookEvent:
        assert f"| `{event}` |" in table


POST = {
    "id": "5f7d", "uuid": "x", "title": "The harbour & the sea", "url": "https://blog.example/harbour/",
    "html": "<p>It opens.</p>", "custom_excerpt": None, "status": "published", "visibility": "public",
    "feature_image": "https://blog.example/a.jpg", "feature_image_alt": None,
    "published_at": "2026-11-22T12:00:00.000Z", "primary_author": {"name": "Ada"},
    "tags": [{"name": "World", "visibility": "public"}, {"name": "#import", "visibility": "internal"}],
}  # fmt: skip
"""A post as Ghost's webhooks have it, without what the bridge does not read."""


def test_the_bridge_for_ghost_sends_what_the_api_takes(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DIGEST_API", "DIGEST_TOKEN", "GHOST_SECRET"):
        monkeypatch.setenv(name, "s3cret")
    (block,) = re.findall(
        r"^```python\n(.*?)^```", (DOCS / "wordpress-and-ghost.md").read_text(), re.M | re.S
    )
    bridge: dict[str, Any] = {"__name__": "bridge"}
    exec(block, bridge)
    program = Program(newsdesk, ["articles:write"])

    taken = program.post("/articles", bridge["article_of"](POST))

    assert taken.status_code == 201, taken.text
    told = taken.json()
    assert (told["source"], told["external_id"], told["author"]) == ("ghost", "5f7d", "Ada")
    assert (told["title"], told["topics"]) == ("The harbour & the sea", ["world"])
    assert told["picture_url"] == "https://blog.example/a.jpg"
    body = json.dumps({"post": {"current": POST}}).encode()
    mac = hmac.new(b"s3cret", body + b"1764000000000", hashlib.sha256).hexdigest()
    assert bridge["is_ghosts"](f"sha256={mac}, t=1764000000000", body)
    for forged in ("", f"sha256={mac}", f"sha256={mac}, t=1764000000001", "sha256=\u00e9, t=1", "t"):
        assert not bridge["is_ghosts"](forged, body), forged


def test_the_plugin_for_wordpress_sends_public_posts_and_sign_ups(
    newsdesk: Newsdesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    php = shutil.which("php")
    if php is None:
        skip_unless_ci("no PHP here: install Debian's php-cli")
    page = (DOCS / "wordpress-and-ghost.md").read_text()
    blocks = re.findall(r"^```php\n(.*?)^```", page, re.M | re.S)
    _, plugin, form = [block if block.startswith("<?php") else f"<?php\n{block}" for block in blocks]
    for name, block in (("plugin.php", plugin), ("form.php", form)):
        (tmp_path / name).write_text(block)
    program = Program(newsdesk, ["articles:read", "articles:write", "readers:read", "readers:write"])
    server = Server(newsdesk.web, "127.0.0.1", 0)
    server.start()
    monkeypatch.setenv("DIGEST_API", f"{server.url}{API}")
    monkeypatch.setenv("DIGEST_TOKEN", program.token)
    stand_in = Path(__file__).with_name("wordpress.php")

    done = subprocess.run(
        [str(php), str(stand_in), "plugin.php", "form.php"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    server.stop()

    assert (done.returncode, done.stdout, done.stderr) == (0, "202", "")
    (told,) = program.get("/articles").json()["items"]
    assert (told["source"], told["external_id"], told["author"]) == ("wordpress", "17", "Ada")
    assert (told["title"], told["topics"]) == ("The harbour & the sea \u2013 open", ["world"])
    assert told["picture_url"] == "https://blog.example/a.jpg"
    (reader,) = program.get("/readers").json()["items"]
    assert reader["subscriptions"][0]["state"] == "pending"
