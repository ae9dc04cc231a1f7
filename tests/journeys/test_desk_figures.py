"""Figures: counted once a day has ended, shown as charts with their numbers, and about no reader."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from digest import sending
from digest.models import Bounce, Delivery, Edition, Letter, Subscriber
from digest.models.ledger import DailyFigures
from digest.models.row import row_id
from digest.tasks.figures.daily import list_figures, take_figures
from digest.tasks.readers import on_request
from digest.web.newsroom.charts import Series, draw_days, draw_rows
from tests.support.desks import BEN, DAY, Newsdesk

PAGE = "/desk/figures"


def take(newsdesk: Newsdesk) -> int:
    return take_figures(newsdesk.app.database, newsdesk.settings, newsdesk.clock())


def days(newsdesk: Newsdesk) -> dict[str, DailyFigures]:
    listed = list_figures(newsdesk.app.database, newsdesk.settings, newsdesk.clock())
    return {one.day: one for one in listed}


@pytest.fixture
def lived(newsdesk: Newsdesk) -> Newsdesk:
    """Live a Monday: six readers get an edition, one leaves, one bounces; it is Tuesday now."""
    for number in range(5):
        newsdesk.subscribe(f"r{number}@big.example", *(("world",) if number else ()))
    newsdesk.subscribe("anna@small.example")
    newsdesk.publish("Alps <&> Baltic", "world")
    newsdesk.compile()
    with newsdesk.app.database.write() as session:
        edition = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
        edition.finished_at, edition.state = newsdesk.clock() + timedelta(minutes=4), "finished"
        for row in session.exec(select(Delivery)):
            row.state = "accepted"
            session.add(row)
        anna = session.exec(select(Subscriber).where(Subscriber.address == "anna@small.example")).one()
        bounce = Bounce(
            at=newsdesk.clock(), subscriber_id=row_id(anna), receiver="small.example", reason="no such user",
            weight="hard",
        )  # fmt: skip
        session.add(bounce)
        session.add(edition)
    on_request.leave(newsdesk.app.readers, "r0@big.example", "world", newsdesk.clock(), {"command": "leave"})
    newsdesk.clock.now += DAY
    return newsdesk


def test_a_day_is_counted_once_it_has_ended(lived: Newsdesk) -> None:
    assert [take(lived) for _ in range(7)] == [5, 5, 5, 5, 5, 5, 0]

    monday = days(lived)["2026-11-23"].counted

    assert monday["acts"] == {"left": 1, "bounced": 1}
    assert monday["readers"] == {"world": {"confirmed": 5, "ended": 1}}
    assert monday["cadences"] == {"world": {"daily": 5}}
    assert monday["topics"] == {"world": {"world": 4, "*": 1}}
    (edition,) = monday["editions"]
    assert (edition["name"], edition["minutes"]) == ("world daily 2026-11-23", 4)
    assert edition["states"] == {"accepted": 6}
    assert edition["articles"] == [["Alps <&> Baltic", ["world"], 6]]
    assert edition["topics"] == [["world", 1, 6]]
    assert "readers" not in days(lived)["2026-11-22"].counted, "what stood then is not known any more"


def test_missed_days_are_counted_later_and_a_day_never_twice(lived: Newsdesk) -> None:
    take(lived)
    lived.clock.now += 3 * DAY

    take(lived)
    assert sorted(days(lived))[-5:] == [f"2026-11-{day}" for day in (22, 23, 24, 25, 26)]


def test_a_small_domain_is_not_named(lived: Newsdesk) -> None:
    take(lived)
    (edition,) = days(lived)["2026-11-23"].counted["editions"]
    assert edition["receivers"] == {"big.example": {"accepted": 5}, "others": {"accepted": 1}}
    assert "small.example" not in str([one.counted for one in days(lived).values()])


def test_an_edition_for_one_reader_and_one_that_was_skipped_are_not_counted(lived: Newsdesk) -> None:
    with lived.app.database.write() as session:
        made = session.exec(select(Edition).where(Edition.cadence == "daily")).one()
        for cadence, state in (("request", "finished"), ("welcome", "finished"), ("daily", "skipped")):
            row = made.model_copy(update={"id": None, "cadence": cadence, "period": "x", "state": state})
            session.add(Edition(**row.model_dump()))
    take(lived)
    assert [one["name"] for one in days(lived)["2026-11-23"].counted["editions"]] == [
        "world daily 2026-11-23"
    ]


def test_figures_that_cannot_be_counted_keep_no_message_back(
    lived: Newsdesk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sending, "take_figures", fail)
    sending.count_figures(lived.app)
    assert "cannot be counted" in caplog.text


def test_the_page_shows_charts_and_the_numbers_behind_them(lived: Newsdesk) -> None:
    ben = lived.sign_in(BEN)
    assert "There are no figures yet" in ben.get(PAGE).text
    take(lived)

    page = ben.get(PAGE).text

    assert re.findall(r"<h2[^>]*>([^<]*)", page) == [
        "Confirmed subscriptions, day by day", "Sign-ups and departures, day by day", "Cadences", "Topics",
        "From the deadline to the last reply, in minutes", "Deliveries by receiver",
        "Articles that most readers got", "Articles by topic",
    ]  # fmt: skip
    assert page.count('<svg class="chart') == page.count("<table>") == 8
    assert "Alps &lt;&amp;&gt; Baltic" in page
    assert "<&>" not in page


def test_letters_are_counted_by_the_article_that_they_answer(lived: Newsdesk) -> None:
    baltic, day = lived.publish("Baltic"), lived.clock() - DAY
    with lived.app.database.write() as session:
        for at, article in ((day, 1), (day, baltic), (day, baltic), (day, None), (lived.clock(), baltic)):
            session.add(
                Letter(at=at, sender="anna@small.example", subject="Re:", text="No.", article_id=article)
            )
    take(lived)
    assert days(lived)["2026-11-23"].counted["letters"] == [[baltic, "Baltic", 2], [1, "Alps <&> Baltic", 1]]

    lived.clock.now += DAY
    take(lived)
    page = lived.sign_in(BEN).get(PAGE).text

    chart = page[page.index("Letters by article") :]
    assert re.findall(r'<bdi>([^<]*)</bdi></th><td class="count">(\d+)<', chart) == [
        ("Baltic", "3"), ("Alps &lt;&amp;&gt; Baltic", "1"),
    ]  # fmt: skip


def test_figures_that_were_counted_before_letters_were_are_still_shown(lived: Newsdesk) -> None:
    take(lived)
    with lived.app.database.write() as session:
        for row in session.exec(select(DailyFigures)):
            row.counted = {name: kept for name, kept in row.counted.items() if name != "letters"}
            session.add(row)
    page = lived.sign_in(BEN).get(PAGE)
    assert page.status_code == 200
    assert "Letters by article" not in page.text


def test_a_chart_escapes_what_it_says_and_keeps_the_largest_bar_within_it() -> None:
    hostile = '"><script>alert(1)</script>'
    rows = draw_rows(hostile, [(hostile, [10]), ("quiet", [0])])
    bars = draw_days(hostile, [hostile], [Series(hostile, "good", (7,))])
    assert "<script" not in rows + bars
    assert 'height="140.0"' in bars
    assert draw_days("none", [], []).count("<rect") == draw_rows("none", []).count("<rect") == 0


def test_a_row_is_divided_by_outcome_and_names_the_sum() -> None:
    drawn = draw_rows("Deliveries", [("big.example", [30, 10]), ("small.example", [0, 8])], ["good", "warn"])
    bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)%" y="\d+" width="([\d.]+)%"', drawn)
    assert bars == [("good", "0.00", "75.00"), ("warn", "75.00", "25.00"), ("warn", "0.00", "20.00")]
    assert re.findall(r">(\d+)</text>", drawn) == ["40", "8"]


def test_the_first_day_is_no_wall_and_is_named_once() -> None:
    drawn = draw_days("Readers", ["2026-11-23"], [Series("readers", "good", (7,))])
    assert 'width="6.00%"' in drawn
    assert drawn.count(">2026-11-23<") == 1


def test_the_front_page_shows_the_week_the_growth_and_how_the_last_editions_went(lived: Newsdesk) -> None:
    before = lived.sign_in(BEN).get("/desk").text
    for number in range(5):
        take(lived)
        if number == 2:
            lived.clock.now += DAY

    page = lived.sign_in(BEN).get("/desk").text

    assert "growth shows from the second day on" in before
    week = page[page.index('<ol class="week">') : page.index("</ol>", page.index('<ol class="week">'))]
    assert len(re.findall(r"<h3>", week)) == 7
    assert "<h3>Today</h3>" in week
    assert "07:00 · 5 readers" in week
    recent = page[page.index('id="recent"') : page.index('id="growth"')]
    rows = re.findall(r'<th scope="row">.*?</tr>', recent, re.DOTALL)
    daily = next(row for row in rows if Newsdesk.PATH in row)
    assert re.findall(r'<td class="count">([^<]+)</td>', daily) == ["6", "0", "0", "1"]
    assert "5 readers, +0 in 2 days" in page
    assert page.count("<svg") == 1
    assert re.search(r'<th scope="row">2026-11-2\d</th><td class="count">5</td>', page)


def test_the_front_page_names_bounces_above_the_line_and_only_those_of_the_last_week(lived: Newsdesk) -> None:
    with lived.app.database.write() as session:
        at, own = lived.clock() - DAY, session.exec(select(Subscriber.id)).first() or 0
        for _ in range(3):
            session.add(
                Bounce(at=at, subscriber_id=own, receiver="small.example", reason="full", weight="soft")
            )
        failed = session.exec(select(Delivery)).first()
        assert failed is not None
        failed.state = "failed"
        session.add(failed)
    take(lived)
    ben = lived.sign_in(BEN)

    assert '<a href="/desk/figures">5 messages</a> of 6 in the last seven days' in ben.get("/desk").text
    lived.clock.now += 7 * DAY
    assert "in the last seven days" not in ben.get("/desk").text


def test_drafts_stand_side_by_side_with_what_they_share(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("anna@readers.example")
    newsdesk.publish("Alps <b>", "world")
    ben = newsdesk.sign_in(BEN)
    ben.do("shape", subject="Peaks", introduction="", sponsor="", do="save")

    page = ben.get("/desk/drafts").text
    alone = ben.get("/desk/drafts?edition=world/daily&edition=nowhere/never").text

    assert "Alps &lt;b&gt;" in page
    assert "“Peaks”" in page
    assert "is in more than one of them" in page
    assert re.search(r'class="also" lang="en">also in World Briefing \w+', page)
    assert "No article is in more than one of them." in alone
    assert alone.count('<section class="card"') == 1
