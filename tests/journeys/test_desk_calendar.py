"""Editors see a month of editions, and subscribe to them by a feed whose address they can revoke."""

import re
from datetime import timedelta

from digest.tasks.desk.editors import remove_editor
from tests.support.desks import BEN, Newsdesk, Visitor, hidden

CALENDAR = "/desk/calendar"


def act(visitor: Visitor, name: str) -> str:
    page = visitor.get(CALENDAR).text
    form = {"form": hidden(page, "form"), "replaces": hidden(page, "replaces")}
    return visitor.client.post(f"{CALENDAR}/{name}", data=form).text


def feed_of(page: str) -> str:
    found = re.search(r"https://courier.example(/calendar/[\w-]+\.ics)", page)
    assert found is not None
    return found[1]


def test_the_month_shows_what_was_made_and_what_is_to_come(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Alps")
    newsdesk.subscribe("anna@readers.example")
    newsdesk.compile()
    page = newsdesk.sign_in().get(f"{CALENDAR}?month=2026-11").text

    assert "Editions in November 2026" in page
    assert (
        '<a href="/desk/world/daily/2026-11-23">World Briefing, daily</a> <small>being sent</small>' in page
    )
    assert page.count("World Briefing, daily") == 8  # Monday's, and one for each day until the 30th
    assert '<a href="/desk/world/daily/2026-11-24">' in page
    assert '2026-11-25">World' not in page  # it has no page before its turn
    assert "Editions in December 2026" in newsdesk.sign_in().get(f"{CALENDAR}?month=2026-12").text
    assert "Editions in November 2026" in newsdesk.sign_in().get(f"{CALENDAR}?month=0000-99").text
    assert newsdesk.visitor().get(CALENDAR).status_code == 303


def test_a_feed_is_opened_by_its_token_alone_until_it_is_revoked_or_its_editor_gone(
    newsdesk: Newsdesk,
) -> None:
    ben, visitor = newsdesk.sign_in(BEN), newsdesk.visitor()
    before = newsdesk.snapshot()
    first = feed_of(act(ben, "feed"))
    shown = visitor.get(first)

    assert shown.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "UID:world.daily.2026-11-23@courier.example" in shown.text
    assert visitor.client.get(first, headers={"If-None-Match": shown.headers["etag"]}).status_code == 304
    assert first.split("/")[-1].removesuffix(".ics") not in str(newsdesk.snapshot())  # its hash alone is kept
    assert first not in ben.get(CALENDAR).text

    second = feed_of(act(ben, "feed"))
    assert [visitor.get(path).status_code for path in (first, second)] == [404, 200]
    act(ben, "revoke")
    assert visitor.get(second).status_code == 404
    assert newsdesk.snapshot()["calendar_link"] == before["calendar_link"] == []
    third = feed_of(act(ben, "feed"))
    remove_editor(newsdesk.app.desk, BEN)
    assert visitor.get(third).status_code == 404


def test_a_reload_after_making_a_feed_ends_no_feed(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    page = ben.get(CALENDAR).text
    sent = {"form": hidden(page, "form"), "replaces": hidden(page, "replaces")}
    first = feed_of(ben.client.post(f"{CALENDAR}/feed", data=sent).text)
    newsdesk.clock.now += timedelta(minutes=1)

    again = ben.client.post(f"{CALENDAR}/feed", data=sent)

    assert again.headers["location"] == f"{CALENDAR}?said=feed-made#feed"
    assert newsdesk.visitor().get(first).status_code == 200


def test_the_calendar_ends_two_years_ahead(newsdesk: Newsdesk) -> None:
    ben = newsdesk.sign_in(BEN)
    for month in ("2028-11", "2028-12", "2199-12"):
        page = ben.get(f"{CALENDAR}?month={month}").text
        assert "Editions in November 2028" in page
        assert 'rel="next"' not in page
    assert 'rel="next"' in ben.get(f"{CALENDAR}?month=2028-10").text
