"""Every page of readers and of the desk, opened, changes no row; no form of theirs ends in an error of ours.

All is as it is in a living publication: an edition is out, a letter is in, each token and each id opens something.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as trial
from hypothesis import strategies as st
from lxml import html
from sqlmodel import select

from digest.models import Confirmation, NoticeKind, PasswordLink, Picture, Subscriber
from digest.models.row import row_id
from digest.rules.tokens import tokens
from digest.rules.tokens.sealed_values import seal
from digest.settings import load_settings
from digest.store import editors
from digest.store.readers import notices
from digest.tasks.desk.calendar import make_link
from digest.tasks.readers.private_feed import sign_feed
from digest.tasks.readers.reader_page import LINK_LIFE, request_link, request_move
from digest.tasks.readers.readers import sign_undo
from digest.tasks.readers.sign_up import Choices, ask_for
from tests.conftest import write_config
from tests.journeys.test_every_desk_page_in_a_browser import COMING, MADE, NOT_PAGES, live, pages
from tests.journeys.test_hostile_requests import TEXT, all_routes
from tests.support.desks import MARA, OLGA, Clock, Newsdesk, Visitor

ANNA = "reader-1@a-rather-long-name-of-a-company.example"
COPY = "0" * 32


@dataclass
class Living:
    """A living publication, an operator at its desk, and what opens each page of a token."""

    newsdesk: Newsdesk
    olga: Visitor
    tokens: dict[str, str]

    def fill(self, path: str) -> str:
        """Return a route's path with what opens it in the place of its parameters."""
        for begin, token in self.tokens.items():
            if path.startswith(begin):
                path = path.replace("{token}", token)
        known = {
            "digest": "world", "cadence": "daily", "look": "letter", "name": self._upload, "source": "newsroom",
            "reader": self._reader, "number": "0" if "/block/" in path else "1", "token": "none",
            "period": MADE if re.search("/(withdraw|correct|breaking)/|^/archive/", path) else COMING,
        }  # fmt: skip
        if path.startswith("/images/"):
            known["name"] = f"{COPY}.jpg"
        return re.sub(r"\{(\w+)\}", lambda place: known.get(place[1], "1"), path)

    @property
    def _upload(self) -> str:
        found: str = self.newsdesk.web.state.uploads.list_latest()[0].public_id
        return found

    @property
    def _reader(self) -> str:
        with self.newsdesk.app.database.read() as session:
            return session.exec(select(Subscriber.public_id).where(Subscriber.address == ANNA)).one()


def take(newsdesk: Newsdesk, kind: NoticeKind) -> str:
    now = newsdesk.clock()
    with newsdesk.app.database.write() as session:
        row = notices.claim_notice(session, 1, now)
        assert row is not None
        assert row.kind == kind
        notices.set_token(session, row.id or 0, tokens.hash_token(f"token-{row.id}"), now + LINK_LIFE)
        return f"token-{row.id}"


def open_all(newsdesk: Newsdesk) -> dict[str, str]:
    """Return what opens something on each page of a token, by the beginning of the page's path."""
    readers, desk, now = newsdesk.app.readers, newsdesk.app.desk, newsdesk.clock()
    request_link(readers, ANNA, {}, now)
    own = take(newsdesk, NoticeKind.LINK)
    request_move(readers, own, "anna@new.example", {}, now)
    ask_for(readers, "new@example.org", {"world": Choices()}, {}, now)
    with readers.database.write() as session:
        asking = session.exec(select(Confirmation).order_by(Confirmation.id.desc())).first()  # type: ignore[union-attr]
        assert asking is not None
        confirm = readers.give_token(session, asking.id or 0)
        public_id = session.exec(select(Subscriber.public_id).where(Subscriber.address == ANNA)).one()
        mara, olga = (editors.find_editor(session, name) for name in (MARA, OLGA))
        assert mara
        assert olga
        password = desk.new_token()
        ends = now + timedelta(days=1)
        session.add(
            PasswordLink(token_hash=tokens.hash_token(password), editor_id=row_id(mara), expires_at=ends)
        )
        picture = Picture(
            url="https://pictures.example/1", name=COPY, content=b"JPEG", width=1, height=1, tried_at=now
        )
        session.add(picture)
    leave = tokens.sign(readers.signing_keys, tokens.UNSUBSCRIBE, public_id, "world")
    held = ("hold", "world", "daily", COMING, "0", mara.public_id, ends.isoformat())
    return {
        "/me/": own,
        "/address/": take(newsdesk, NoticeKind.MOVE),
        "/confirm/": confirm,
        "/feed/": sign_feed(readers, public_id, "world"),
        "/preferences/": tokens.sign(readers.signing_keys, tokens.PREFERENCES, public_id, "world"),
        "/unsubscribe/": leave,
        "/undo/": sign_undo(readers, leave, now),
        "/calendar/": make_link(desk, olga, now),
        "/desk/password/": password,
        "/desk/proof/": seal(desk.keys, "desk proof", *held),
    }


@pytest.fixture
def living(tmp_path: Path, database_url: str) -> Iterator[Living]:
    config = write_config(tmp_path, database_url)
    config.write_text(f'{config.read_text()}\n[inbound]\naddress = "news@courier.example"\n')
    newsdesk = Newsdesk(load_settings(config), Clock())
    olga = live(newsdesk)
    yield Living(newsdesk, olga, open_all(newsdesk))
    newsdesk.close()


def test_what_an_address_adds_to_a_pages_parameters_is_no_error_of_ours(living: Living) -> None:
    """Each parameter of an endpoint is one of its query, also one that is meant for Python alone."""
    web, odd = living.newsdesk.web, []
    for route in web.routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            for one in route.dependant.query_params:
                answer = living.olga.client.get(living.fill(route.path), params={one.alias: "x"})
                if answer.status_code >= 500:
                    odd.append((route.path, one.alias))
    assert odd == []


def looked_at(living: Living) -> dict[str, str]:
    """Return a path that opens something for each route that answers GET, by the path with its parameters."""
    paths = {path: living.fill(path) for path in all_routes(living.newsdesk.web, "GET")}
    own = {re.sub(r"\?.*", "", path): path for path in pages(living.newsdesk)}
    return {route: own.get(path, path) for route, path in paths.items()}


def test_looking_at_any_page_leaves_every_row_as_it_is(living: Living) -> None:
    paths = looked_at(living)
    assert paths.keys() > NOT_PAGES
    before, answers = living.newsdesk.snapshot(), {}
    for path in paths.values():
        for method in ("GET", "HEAD", "OPTIONS"):
            answers[method, path] = living.olga.client.request(method, path).status_code
    after = living.newsdesk.snapshot()

    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    assert max(answers.values()) < 500
    shut = {route for route, path in paths.items() if answers["GET", path] != 200}
    assert shut <= {"/desk/login"}  # whoever is signed in is led on


ONE_CLICK, SIGN_UP = "/unsubscribe/{token}", "/subscribe"
CAPABILITIES = {"/undo/{token}", "/desk/proof/{token}"}
"""Pages whose address is known to one person only and soon expires: a form token by itself."""


def test_no_form_of_another_site_and_none_without_its_token_changes_a_row(living: Living) -> None:
    client, before = living.olga.client, living.newsdesk.snapshot()
    routes = [path for path in all_routes(living.newsdesk.web, "POST") if path not in (ONE_CLICK, SIGN_UP)]
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    refused = {path: client.post(living.fill(path), headers=elsewhere).status_code for path in routes}
    typed = {
        "address": "x@example.org",
        "digest": "world",
        "cadence-world": "daily",
        "name": "X",
        "do": "save",
    }
    plain = {
        path: client.post(living.fill(path), data=typed).status_code
        for path in routes
        if path not in CAPABILITIES
    }
    after = living.newsdesk.snapshot()

    assert {path: status for path, status in refused.items() if status != 403} == {}
    assert {path: status for path, status in plain.items() if status not in (400, 403, 404, 410)} == {}
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


@dataclass(frozen=True)
class Form:
    """A form as a page has it: where it goes, and what it brings."""

    action: str
    names: tuple[str, ...]
    brought: tuple[tuple[str, str], ...]


def forms_of(path: str, text: str) -> list[Form]:
    """Return the forms of a page; each button that sends one elsewhere makes it another."""
    page: Any = html.fromstring(text)
    found = []
    for form in page.xpath('//form[@method="post"]'):
        others = page.xpath("//*[@form = $id]", id=form.get("id")) if form.get("id") else []
        fields = [*form.xpath(".//input | .//select | .//textarea | .//button"), *others]
        brought = tuple(
            (one.get("name"), one.get("value", ""))
            for one in fields
            if one.get("name") and one.get("type") == "hidden"
        )
        names = tuple(
            dict.fromkeys(one.get("name") for one in fields if one.get("name") not in (None, "form"))
        )
        actions = {form.get("action") or path, *(one.get("formaction") or "" for one in fields)} - {""}
        found += [Form(action, names, brought) for action in actions]
    return found


ENDINGS = re.compile(r"/erase$|^/address/|/logout|/sign-out|/end-others|/password|/move$|/remove$|/revoke")
MEANT = st.sampled_from(["world", "daily", "weekly", "science", "yes", "9", "99", "-1", "4", "open", "keep", "pause",
                         "2026-12-24", "0001-01-01", "9999-12-31", "sv", "xx", "feed", "text", "Europe/Paris", "GMT+25", ANNA,
                         "x@" + "y" * 300, "٣", "²", "save", "up 1", "down 1", "hide 1", "*lead", "{name}", "on", "1", "0", "a" * 501,
                         "https://127.0.0.1:1/", "2147483648", "9223372036854775808", "1e400", "NaN"])  # fmt: skip
VALUES = st.one_of(MEANT, TEXT)


def test_no_form_ends_in_an_error_of_ours_whatever_is_typed(living: Living, database_url: str) -> None:
    client: TestClient = living.olga.client
    paths = looked_at(living)
    forms = {
        (one.action, one.names): one
        for path in [*paths.values(), living.newsdesk.path(0), "/desk/articles?search=alps", "/"]
        for answer in [client.get(path)]
        if answer.status_code == 200 and "<form" in answer.text
        for one in forms_of(path.partition("?")[0], answer.text)
    }
    left = client.post(paths["/unsubscribe/{token}"])
    forms |= {(one.action, one.names): one for one in forms_of("/", left.text)}
    ends = [one for one in forms.values() if ENDINGS.search(one.action)]
    goes_on = [one for one in forms.values() if one not in ends]
    actions = {re.sub(r"/[^/]+$", "", one.action) for one in forms.values()} | {
        one.action for one in forms.values()
    }
    assert {"/subscribe", "/link", "/undo", living.fill("/me/{token}/erase"), living.fill("/address/{token}"),
            living.fill("/desk/{digest}/{cadence}/{period}/shape")} <= actions  # fmt: skip
    assert len(forms) > 40

    def check(form: Form, typed: dict[str, list[str]]) -> None:
        fields: dict[str, Any] = {name: [value] for name, value in form.brought}
        fields |= {
            name: [value.encode("utf-8", "replace").decode() for value in values]
            for name, values in typed.items()
        }
        answer = client.post(form.action, data=fields)
        # 502 is the answer to whoever sends a proof: no relay is here that takes it.
        assert answer.status_code < 500 or answer.status_code == 502, (form.action, typed)

    @st.composite
    def filled(draw: Any, of: list[Form]) -> tuple[Form, dict[str, list[str]]]:
        form = draw(st.sampled_from(of))
        some = st.sampled_from(form.names or ("other",))
        return form, draw(st.dictionaries(some, st.lists(VALUES, min_size=1, max_size=3), max_size=8))

    few = 300 if database_url.startswith("sqlite") else 100
    for chosen, count in ((goes_on, few), (ends, 60)):

        @trial(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))
        @given(filled(chosen))
        def tried(one: tuple[Form, dict[str, list[str]]]) -> None:
            check(*one)

        tried()
