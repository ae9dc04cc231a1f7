"""Every page and every message that a reader gets is whole in every language: no missing entry, no English word."""

import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient

from digest.mail.rendering.catalogues import Catalogues
from digest.mail.rendering.language_tags import direction
from digest.mail.rendering.renderer import Renderer
from digest.models import Answer, Article, Confirmation, Edition, Form, NoticeKind, ReaderNotice, Subscriber
from digest.models.cadence import RESERVED
from digest.models.subscriber import Subscription
from digest.rules.editions.placeholders import write_notice
from digest.rules.editions.selection import Choice, Chosen
from digest.settings import Settings, load_settings
from digest.store import schema
from digest.store.database import Database
from digest.tasks.composing.content import EditionContents
from digest.tasks.composing.variants import VariantContent
from digest.tasks.inbound.answers import compose_answer
from digest.tasks.inbound.inbox import Inbox
from digest.tasks.readers.confirmation_mail import compose_asking
from digest.tasks.readers.notice_mail import NoticeMail, compose_notice_of
from digest.tasks.readers.readers import Readers
from digest.web.app import create_app
from tests.conftest import write_config
from tests.support.every_reader_page import open_every_page
from tests.support.newsroom import parse
from tests.support.readers import NOW, Clock, make_readers
from tests.unit.mail.rendering.test_catalogues import CATALOGUES, FOLDER, texts

LANGUAGES = sorted(set(CATALOGUES.languages) - {"en"})
OF_THE_PUBLICATION = {"Harbour", "Courier", "Quay", "Harbourtown", "Newsletter", "newsletter", "Newsletters"}
SHARED = {"Feed", "Name", "Format", "Pause", "Pages", "Editions", "Preferences", "Times", "Correction"}
_WORD = re.compile(r"[A-Za-z]{4,}")
_MARKUP = re.compile(r"<(style|script|svg)\b.*?</\1>|<!--.*?-->", re.S)
_SAID_IN_TAGS = re.compile(r'\s(?:alt|aria-label|title|placeholder)="([^"]*)"')


@lru_cache
def english() -> frozenset[str]:
    """Return the words of the English pages and mails, and what dates and settings are written with."""
    said = [*texts(), *CATALOGUES.translator("en").phrases.values()]
    plain = "daily weekly monthly weekdays world morning mornings December November Monday Wednesday"
    return frozenset(word for text in [*said, plain] for word in _WORD.findall(re.sub(r"\{\w+\}", "", text)))


def strays(document: str, language: str) -> set[str]:
    """Return the English words of a page or a message that its language does not have as well."""
    words = CATALOGUES.translator(language)
    own = {one for text in [*words.words.values(), *words.phrases.values()] for one in _WORD.findall(text)}
    shown = _MARKUP.sub(" ", document)
    shown = " ".join([re.sub(r"<[^>]*>", " ", shown), *_SAID_IN_TAGS.findall(shown)])
    shown = re.sub(r"https?://\S+|#\w+|\S+@\S+", " ", html.unescape(shown))
    return (set(_WORD.findall(shown)) & english()) - own - OF_THE_PUBLICATION


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def named(settings: Settings, language: str) -> Settings:
    """Return the settings with every name given in the language."""
    digest = settings.digests[0]
    digest = digest.model_copy(update={"about": dict.fromkeys(digest.topics, "News of the world")})
    called = {
        digest.title: "Žž",
        "News of the world": "Đđ",
        **{topic: f"Ø{n}" for n, topic in enumerate(digest.topics)},
    }
    site = settings.site.model_copy(update={"names": {language: called}})
    return settings.model_copy(update={"site": site, "digests": (digest,)})


@pytest.fixture
def readers(tmp_path: Path, language: str) -> Iterator[Readers]:
    settings = load_settings(write_config(tmp_path, f"sqlite:///{tmp_path}/digest.db"))
    database = Database(settings.database_url)
    schema.migrate(database)
    yield make_readers(database, named(settings, language))
    database.close()


@pytest.fixture
def client(readers: Readers, language: str) -> Iterator[TestClient]:
    app = create_app(readers, readers.settings, now=Clock())
    headers = {"Accept-Language": language}
    with TestClient(app, follow_redirects=False, headers=headers, raise_server_exceptions=False) as client:
        yield client


def test_a_cadence_has_a_capital_in_a_list_of_choices_and_none_within_a_line(
    client: TestClient, readers: Readers, language: str
) -> None:
    pages = open_every_page(client, readers)
    within = re.search(r"</bdi></b>([^<]+)", pages["confirmed"].text)
    offered = re.search(r'name="less" value="weekly">([^<]+)', pages["leave?"].text)
    assert within
    assert offered
    words = CATALOGUES.translator(language)
    daily, weekly = (words.phrases[f"cadence_{name}"] for name in ("daily", "weekly"))
    assert html.unescape(within[1]) in [f"{words.phrases.get('comma', ', ')}{one}" for one in (daily, weekly)]
    assert html.unescape(offered[1]) == words("Change to: {cadence}", cadence=weekly)
    assert daily == daily.lower()
    assert weekly == weekly.lower()
    assert f"{words('Daily')}" in html.unescape(pages["home"].text)


def test_every_page_is_in_the_visitors_language(client: TestClient, readers: Readers, language: str) -> None:
    pages = open_every_page(client, readers)
    for name, page in pages.items():
        assert f'<html lang="{language}" dir="{direction(language)}">' in page.text, name
        assert not strays(page.text, language), name
    assert "Žž" in pages["home"].text
    assert "Đđ" in pages["home"].text


def check_message(raw: bytes, language: str) -> str:
    """Check both parts and the subject of a message; return the subject."""
    message = parse(raw)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    for part in (plain.get_content(), rich.get_content(), str(message["Subject"])):
        assert not strays(part, language), part
    assert f'lang="{language}" dir="{direction(language)}"' in rich.get_content()
    return str(message["Subject"])


@pytest.fixture
def renderer() -> Renderer:
    return Renderer(FOLDER.parent / "email")


def subscriber(language: str) -> Subscriber:
    return Subscriber(
        id=1, public_id="a" * 26, address="anna@example.org", address_key="anna@example.org", name="Anna",
        language=language, created_at=NOW,
    )  # fmt: skip


def test_the_request_to_confirm_is_in_the_readers_language(
    readers: Readers, renderer: Renderer, language: str
) -> None:
    asked = Confirmation(
        id=1, subscription_id=1, asked_at=NOW, expires_at=NOW + timedelta(days=7), due_at=NOW,
        origin={"ip": "192.0.2.7"},
    )  # fmt: skip
    row = Subscription(id=1, subscriber_id=1, digest="world", cadence="daily", created_at=NOW)
    message = compose_asking(readers, renderer, asked, subscriber(language), row, "token", NOW)
    assert "Žž" in check_message(bytes(message), language)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_notice_is_in_the_readers_language(
    readers: Readers, renderer: Renderer, language: str, kind: NoticeKind
) -> None:
    row = ReaderNotice(
        id=1, subscriber_id=1, kind=kind, address="anna@example.org", requested_at=NOW, due_at=NOW,
        origin={"ip": "192.0.2.7", "digest": "world"},
    )  # fmt: skip
    mail = NoticeMail(readers, renderer, Catalogues(FOLDER))
    token = "" if kind in (NoticeKind.MOVED, NoticeKind.WELCOME) else "token"
    check_message(bytes(compose_notice_of(mail, row, subscriber(language), token, NOW)), language)


ANSWERS: dict[str, dict[str, str]] = {
    "mail_left": {},
    "mail_confirmed": {},
    "mail_changed": {"cadence": "weekly", "topics": "world"},
    "mail_paused": {"until": "2026-12-07T07:00:00+00:00"},
    "mail_paused_open": {},
    "mail_resumed": {},
    "mail_nothing_new": {},
    "mail_sent_today": {},
    "mail_record": {},
    "mail_ask": {"verb": "leave", "argument": ""},
    "mail_help": {"address": "news@courier.example", "cadences": "daily, weekly", "topics": "world"},
    "mail_forward": {"name": "Ida", "address": "ida@example.org"},
    "probe": {"address": "anna@example.org"},
}


def test_every_answer_by_mail_is_in_the_readers_language(
    readers: Readers, renderer: Renderer, language: str
) -> None:
    known = {key for key in CATALOGUES.translator("en").phrases if key.startswith("mail_")}
    assert known - {"mail_subject"} <= ANSWERS.keys()
    inbox = Inbox(readers, b"k" * 32, cast(Any, None), cast(Any, None))  # composing reads no spool
    for key, values in ANSWERS.items():
        row = Answer(
            id=1, created_at=NOW, due_at=NOW, kind="answer", address="anna@example.org", language=language,
            digest="world", values={"phrases": [[key, values]], "text": ""},
        )  # fmt: skip
        check_message(bytes(compose_answer(inbox, renderer, row, NOW)), language)


@pytest.mark.parametrize("look", ["front-page", "headlines", "letter"])
@pytest.mark.parametrize("cadence", ["daily", *RESERVED])
def test_an_edition_is_in_the_readers_language(
    readers: Readers, renderer: Renderer, language: str, look: str, cadence: str
) -> None:
    digest = readers.settings.digests[0].model_copy(update={"template": look})
    settings = readers.settings.model_copy(update={"digests": (digest,)})
    articles = {number: article(number, digest.topics[0]) for number in (1, 2, 3, 4)}
    edition = Edition(
        digest="world", cadence=cadence, period="2026-12-02", freeze_at=NOW, deadline_at=NOW, subject="Ψ"
    )
    choices = tuple(Choice(number, Form.SUMMARY, digest.topics[0]) for number in (1, 2, 3))
    variant = VariantContent(edition, language, Chosen(choices, 2, (4,)), articles, {}, {})
    content = EditionContents(settings, renderer.catalogues).of(variant)
    rendering = renderer.render(replace(content, archive_url="https://courier.example/archive/1"))

    for pieces in (rendering.text, rendering.html):
        body = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        said = quopri.decodestring(body).decode()
        assert not strays(said, language), said
        assert "Žž" in said
        assert CATALOGUES.translator(language).say(f"cadence_{cadence}") in re.sub(r"\s+", " ", said)


def test_a_correction_says_what_it_is_in_the_readers_language(
    readers: Readers, renderer: Renderer, language: str
) -> None:
    edition = Edition(
        digest="world", cadence="correction", period="2026-12-02-1", freeze_at=NOW, deadline_at=NOW,
        subject="Ψ *Ψ*", introduction=write_notice("https://x.example/1", "Φ."),
    )  # fmt: skip
    variant = VariantContent(edition, language, Chosen(()), {}, {}, {})

    content = EditionContents(readers.settings, renderer.catalogues).of(variant)

    heading = CATALOGUES.translator(language).say("correction", title="Ψ *Ψ*")
    assert content.subject == heading
    assert f'<a href="https://x.example/1">{html.escape(heading, quote=False)}</a>' in content.introduction
    assert content.preheader == "Φ."


def article(number: int, topic: str) -> Article:
    return Article(
        id=number, source="newsroom", canonical_url=f"https://x.example/{number}", content_hash="",
        url=f"https://x.example/{number}", title="Ψψ", topics=[topic], summary="Φφ", html="", text="",
        author="Ida", first_seen_at=NOW, published_at=NOW, word_count=460,
    )  # fmt: skip
