"""All editions at the desk: the list, what needs somebody, and readers who are tried again."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from digest.models import Delivery, DeliveryState, Edition, EditionState
from digest.store.editions import edition_sums
from digest.tasks.ledger import audit
from tests.support.desks import BEN, MARA, Newsdesk
from tests.support.holding import hold_up


def settle(newsdesk: Newsdesk, state: DeliveryState, reason: str = "") -> None:
    with newsdesk.app.database.write() as session:
        for row in session.exec(select(Delivery)):
            row.state, row.reason = state, reason
            session.add(row)


def test_all_editions_are_listed_and_found(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("ada@readers.example")
    newsdesk.publish("Bridge reopens")
    mara = newsdesk.sign_in()
    assert "No edition has been made yet." in mara.get("/desk/editions").text
    mara.do("shape", subject="Lanes <b>open</b>", introduction="", do="save")
    newsdesk.compile()
    with newsdesk.app.database.write() as session:
        for number in range(60):
            session.add(Edition(
                digest="world", cadence="daily", period=f"2025-{number:03}", state=EditionState.FINISHED,
                deadline_at=newsdesk.clock(), freeze_at=newsdesk.clock(),
            ))  # fmt: skip

    mara = newsdesk.sign_in()
    page = mara.get("/desk/editions").text
    assert page.count("/desk/world/daily/2025-") == 50
    older = mara.get(page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")).text
    assert older.count("/desk/world/daily/2025-") == 10
    found = mara.get("/desk/editions?q=lanes+11-23&state=frozen").text
    assert f'href="{Newsdesk.PATH}"' in found
    assert "Lanes &lt;b&gt;open&lt;/b&gt;" in found
    assert "2025-" not in found
    assert "No edition matches" in mara.get("/desk/editions?q=nowhere").text
    assert mara.get("/desk/editions?before=x&state=no&digest=no").status_code == 200


def test_failed_readers_are_tried_again_by_a_publisher(newsdesk: Newsdesk) -> None:
    newsdesk.subscribe("ada@readers.example")
    newsdesk.publish("Bridge reopens")
    newsdesk.compile()
    settle(newsdesk, DeliveryState.FAILED, "550 no such mailbox")
    mara = newsdesk.sign_in()
    assert "Retry failed readers" in mara.get().text
    assert newsdesk.sign_in(BEN).do("retry").status_code == 403

    mara.do("retry")

    page = mara.get().text
    assert "retried 1 failed reader" in page
    assert "Retry failed readers" not in page
    assert "nobody can be tried again" in mara.do("retry").text.lower()


def test_a_held_edition_is_said_once_first_and_the_command_says_the_same(newsdesk: Newsdesk) -> None:
    newsdesk.publish("Bridge reopens")
    mara = newsdesk.sign_in()
    assert "Needs attention" not in mara.get("/desk").text
    mara.do("hold")
    newsdesk.compile()
    mara = newsdesk.sign_in()
    page = mara.get("/desk").text
    assert page.index("daily, 2026-11-23 is held") < page.index("Upcoming editions")
    assert "Needs attention" not in page  # the alert says it

    for act, sentence in (
        ("", f"Held since Mon 23 Nov, 07:00: held by {MARA}."),
        ("approve", f"Approved by {MARA}; the next run sends it."),
    ):
        if act:
            mara.do(act)
        assert sentence in mara.get("/desk/editions?state=held").text
        with newsdesk.app.database.read() as session:
            told = [row["reason"] for row in audit.status(session, newsdesk.settings, "world daily")]
        assert sentence in told
    page = mara.get("/desk").text
    assert "is held" not in page
    assert page.index(sentence) < page.index("Upcoming editions")


def test_an_edition_says_how_it_fared_with_each_receiver_and_what_was_corrected(newsdesk: Newsdesk) -> None:
    for number in range(5):
        newsdesk.subscribe(f"r{number}@readers.example")
    newsdesk.subscribe("ida@ida-lund.example")
    wrong = newsdesk.publish("Bridge reopens")
    newsdesk.compile()
    settle(newsdesk, DeliveryState.ACCEPTED)
    mara = newsdesk.sign_in()
    mara.do(f"correct/{wrong}", text="It has two lanes.", do="send")

    page = mara.get().text

    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td class="count">(\d+)</td>', page)
    assert rows == [("readers.example", "5"), ("Others", "1")]
    assert "ida-lund" not in page
    notice = re.search(r'href="(/desk/world/correction/[^"]+)">Bridge reopens</a>', page)
    assert notice is not None
    shown = mara.get(notice[1]).text
    assert "0 of 6" in shown
    assert "Read it in the archive" not in shown
    assert "correction: Bridge reopens" in mara.get("/desk/editions").text


def test_pages_of_a_large_edition_come_while_its_deliveries_are_being_counted(
    newsdesk: Newsdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsdesk.subscribe("ada@readers.example")
    article = newsdesk.publish("Bridge reopens")
    newsdesk.compile()
    monkeypatch.setattr(edition_sums, "LARGE", 1)
    goes_on = hold_up(monkeypatch, edition_sums, "count_large")
    mara = newsdesk.sign_in()

    pages = [mara.get(path).text for path in (Newsdesk.PATH, "/desk")]
    goes_on.set()
    assert newsdesk.app.background.begin("after it", lambda: None, 30)
    newsdesk.clock.now += timedelta(seconds=7)
    counted = [
        mara.get(path).text for path in (Newsdesk.PATH, "/desk", f"{Newsdesk.PATH}/withdraw/{article}")
    ]

    assert "The deliveries are being counted." in pages[0]
    assert f'<meta http-equiv="refresh" content="1; url={Newsdesk.PATH}">' in pages[0]
    assert "being counted" in pages[1]
    assert '<td class="count">…</td>' in pages[1]
    assert "0 of 1" in counted[0]
    assert "Counted 7 seconds ago." in counted[0]
    assert "0 accepted, 1 remaining" in counted[1]
    assert "1 message with it has not been sent" in counted[2]
