"""Click counting: links that are the same for all readers count by article and edition, and nobody is in them."""

import re
from email import message_from_bytes, policy
from html import unescape
from urllib.parse import quote, urlsplit

import pytest
from sqlmodel import select

from digest.bootstrap import Application
from digest.errors import Unreachable
from digest.models import ArticleClicks, Delivery, EditionName, Subscriber, Subscription
from digest.rules.readers.scanners import is_scanner
from digest.rules.tokens.click_links import is_ours, write_click_link
from digest.settings import Settings
from digest.settings.site import AnalyticsSettings
from digest.store.database import Database
from digest.store.delivery.deliveries import make_job
from digest.tasks.figures.clicks import ClickCounter
from tests.support.desks import BASE, MARA, Newsdesk, Visitor

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"}
NAME = EditionName("world", "daily", "2026-11-23")
TARGET = "https://harbour.example/a?b=1&c=%C3%A9#d"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings that count clicks."""
    return settings.model_copy(update={"analytics": AnalyticsSettings(clicks="count")})


def messages(newsdesk: Newsdesk, app: Application | None = None) -> dict[str, str]:
    """Return each reader's message of the daily edition, decoded, by address."""
    found = {}
    composer = (app or newsdesk.app).composer
    with newsdesk.app.database.read() as session:
        rows = session.exec(
            select(Delivery, Subscriber)
            .join(Subscription, Subscription.id == Delivery.subscription_id)  # type: ignore[arg-type]
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)  # type: ignore[arg-type]
        ).all()
        jobs = [(make_job(delivery, reader, "world"), reader.address) for delivery, reader in rows]
    for job, address in jobs:
        message = message_from_bytes(composer.compose(job, newsdesk.clock()).content, policy=policy.default)
        parts = [message.get_body((kind,)).get_content() for kind in ("html", "plain")]  # type: ignore[union-attr]
        found[address] = unescape("\n".join(parts))
    return found


def links(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(rf"{BASE}/to/[^\s\"<>]+", text)))


@pytest.fixture
def made(newsdesk: Newsdesk) -> Newsdesk:
    """Make an edition with two articles for six readers."""
    for number in range(6):
        newsdesk.subscribe(f"reader{number}@homes.example", name=f"Name{number}")
    newsdesk.publish("The bridge reopens", "world")
    newsdesk.publish("A ferry runs", "world")
    newsdesk.compile()
    return newsdesk


def counts(newsdesk: Newsdesk) -> list[tuple[int, int, int]]:
    newsdesk.web.state.clicks.write()
    with newsdesk.app.database.read() as session:
        rows = session.exec(select(ArticleClicks).order_by(ArticleClicks.article_id)).all()  # type: ignore[arg-type]
        return [(row.article_id, row.clicks, row.scanned) for row in rows]


def follow(newsdesk: Newsdesk, link: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    answer = Visitor(newsdesk, {**BROWSER, **headers}).client.request(method, link)
    return answer.status_code, answer.headers.get("location", "")


@pytest.fixture
def newsdesk(newsdesk: Newsdesk) -> Newsdesk:
    """Return a desk whose counts are written by the test alone."""
    newsdesk.web.state.clicks._delay = None
    return newsdesk


def test_every_reader_gets_the_same_links_and_the_page_that_explains_them(made: Newsdesk) -> None:
    texts = messages(made)
    first, *others = [links(text) for text in texts.values()]
    assert len(first) == 2
    assert all(one == first for one in others)
    assert all(f"{BASE}/counted" in text for text in texts.values())
    assert not [text for text in texts.values() if re.search(rf"(?<!u=){BASE}/story-", text)]


def test_links_are_untouched_where_nothing_is_counted(made: Newsdesk) -> None:
    off = Application(made.settings.model_copy(update={"analytics": AnalyticsSettings()}), clock=made.clock)
    texts = messages(made, off)
    off.close()
    assert not [link for text in texts.values() for link in links(text)]
    assert all(
        "https://courier.example/story-1" in text and "/counted" not in text for text in texts.values()
    )


def test_a_link_leads_to_its_article_and_is_counted_once_a_click(made: Newsdesk) -> None:
    first, second = links(messages(made)["reader0@homes.example"])
    status, location = follow(made, first)
    assert (status, location) == (302, f"{BASE}/story-{2 if 'story-2' in first else 1}")
    follow(made, first + "&utm_source=somewhere")
    follow(made, second)
    follow(made, second, method="HEAD")
    follow(made, second, **{"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})
    by_article = {article: (clicks, scanned) for article, clicks, scanned in counts(made)}
    assert sorted(by_article.values()) == [(1, 2), (2, 0)]
    follow(made, first)
    assert sorted(one[1:] for one in counts(made)) == [(1, 2), (3, 0)]


def test_only_signed_targets_are_led_to_by_any_key_of_the_ring(made: Newsdesk) -> None:
    old, new = b"k" * 32, b"n" * 32
    link = write_click_link(BASE, [old], NAME, 7, TARGET)
    counter = ClickCounter(made.app.database, made.settings, None)
    made.web.state.clicks.keys = counter.keys = (new, old)
    assert follow(made, link) == (302, TARGET), "signed before the rotation"
    made.web.state.clicks.keys = (new,)
    assert follow(made, link)[0] == 404
    made.web.state.clicks.keys = (old,)
    for wrong in (
        link.replace("harbour", "evil"),
        link.replace("/7/", "/8/"),
        link.replace("daily", "weekly"),
        link.replace("/7/", "/٧/"),
        link.partition("?")[0],
        link.partition("?")[0] + "?u=" + quote("//evil.example"),
        f"{BASE}/to/world/daily/2026-11-23/7/é?u=https://evil.example",
    ):
        assert follow(made, wrong) == (404, ""), wrong
    assert is_ours((old,), NAME, 7, urlsplit(link).path.rpartition("/")[2], TARGET)


def test_no_reader_is_in_what_is_stored_or_redirected(made: Newsdesk) -> None:
    texts = messages(made)
    known = made.snapshot()
    people = [str(value) for name in ("subscriber",) for row in known[name] for value in row if value]
    secrets = [one for one in people if len(one) > 6 and not one[:4].isdigit()]
    tokens = re.findall(rf"{BASE}/(?:unsubscribe|preferences)/([^\s\"<>#]+)", "\n".join(texts.values()))
    assert len(set(tokens)) >= 6
    for link in links(texts["reader0@homes.example"]):
        status, location = follow(made, link, cookie="visitor=abc", referer="https://mail.example/?u=7")
        assert status == 302
        assert not [one for one in (*secrets, *tokens) if one in link + location]
    made.web.state.clicks.write()
    after = made.snapshot()
    changed = {name for name in after if after[name] != known[name]}
    assert changed == {"article_clicks"}
    assert {type(value) for row in after["article_clicks"] for value in row} == {int}
    columns = set(ArticleClicks.model_fields)
    assert columns == {"edition_id", "article_id", "clicks", "scanned"}, "no column for anybody, or any time"


def test_small_editions_proofs_and_single_readers_are_not_counted(newsdesk: Newsdesk) -> None:
    for number in range(4):
        newsdesk.subscribe(f"few{number}@homes.example")
    newsdesk.publish("The bridge reopens", "world")
    newsdesk.compile()
    for link in links(messages(newsdesk)["few0@homes.example"]):
        assert follow(newsdesk, link)[0] == 302
    unmade = write_click_link(
        BASE, newsdesk.settings.web.signing_keys, NAME._replace(period="2030-01-01"), 1, TARGET
    )
    assert follow(newsdesk, unmade) == (302, TARGET)
    assert counts(newsdesk) == []


def test_counts_wait_for_a_database_that_cannot_be_written(
    made: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (link, *_) = links(messages(made)["reader1@homes.example"])
    follow(made, link)

    def refuse(_: Database) -> None:
        raise Unreachable("the database does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", refuse)
        assert made.web.state.clicks.write() == 0
    follow(made, link)
    assert [one[1:] for one in counts(made)] == [(2, 0)]


def test_the_desk_shows_what_was_counted(made: Newsdesk) -> None:
    first, _ = links(messages(made)["reader0@homes.example"])
    for _ in range(3):
        follow(made, first)
    made.web.state.clicks.write()
    mara = made.sign_in(MARA)
    edition = mara.get(NAME.path).text
    assert "Links followed" in edition
    assert '<td class="count">3</td>' in edition
    figures = mara.get("/desk/figures").text
    assert "Links that were followed most" in figures


def test_readers_are_told_what_is_counted_in_their_language(newsdesk: Newsdesk) -> None:
    german = newsdesk.visitor(**{"accept-language": "de"}).get("/counted").text
    assert "weder Adresse noch Name" in german
    assert "tracking pixels" in newsdesk.visitor().get("/counted").text


def test_programs_are_told_from_browsers() -> None:
    told = {
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1": False,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36": False,
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": True,
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 HeadlessChrome/131.0.0.0 Safari/537.36": True,
        "python-requests/2.32": True,
        "": True,
    }
    assert {agent: is_scanner("GET", {"user-agent": agent}) for agent in told} == told
    assert is_scanner("HEAD", BROWSER)
    assert is_scanner("GET", {**BROWSER, "sec-purpose": "prefetch;prerender"})
