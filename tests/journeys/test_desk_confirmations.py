"""What cannot be taken back is asked once more at the desk, done by publishers alone, and in the activity."""

from typing import Any

from sqlmodel import select

from digest.models import Delivery, DeliveryState, Edition, EditionState
from digest.store.editions import editions
from tests.support.desks import BEN, MARA, Newsdesk


def make_news(newsdesk: Newsdesk) -> int:
    newsdesk.subscribe("ada@readers.example")
    newsdesk.subscribe("bo@readers.example", language="de")
    return newsdesk.publish("Bridge has three lanes")


def find(newsdesk: Newsdesk, *name: str) -> Edition | None:
    with newsdesk.app.database.read() as session:
        return editions.find_edition(session, *(name or ("world", "daily", "2026-11-23")))


def settle(newsdesk: Newsdesk, *states: DeliveryState) -> None:
    with newsdesk.app.database.write() as session:
        rows = session.exec(select(Delivery).order_by(Delivery.id)).all()  # type: ignore[arg-type]
        for row, state in zip(rows, states, strict=True):
            row.state = state
            session.add(row)


def test_an_edition_is_published_before_its_deadline_after_one_more_question(newsdesk: Newsdesk) -> None:
    make_news(newsdesk)
    mara = newsdesk.sign_in()
    asked = mara.do("to-publish", subject="Lanes", introduction="Good evening.")
    assert asked.headers["location"] == f"{Newsdesk.PATH}/publish?said=preview-words"
    page = mara.get(f"{Newsdesk.PATH}/publish").text
    assert "2 readers" in page
    assert "Mon 23 Nov, 07:00" in page
    assert find(newsdesk) is None

    ben = newsdesk.sign_in(BEN)
    assert ben.do("publish").status_code == 403
    assert "Only a publisher" in ben.get(f"{Newsdesk.PATH}/publish").text
    seen = mara.token(f"{Newsdesk.PATH}/publish")
    ben.do("shape", subject="Two lanes", introduction="Good evening.", do="save")
    late = mara.do("publish", seen)
    assert late.status_code == 409
    assert "wrote the subject" in late.text
    mara.do("publish", mara.token(f"{Newsdesk.PATH}/publish"))
    assert f"{MARA} published it; the next run sends it." in mara.get().text
    newsdesk.compile(newsdesk.clock())

    made = find(newsdesk)
    assert made is not None
    assert (made.state, made.at_once, made.subject) == (EditionState.FROZEN, True, "Two lanes")
    assert "published it before its deadline" in mara.get().text
    assert mara.get(f"{Newsdesk.PATH}/publish").status_code == 409
    made_later = [one.cadence for one in newsdesk.compile() if one.made]
    assert "daily" not in made_later  # its deadline makes it no second time


def test_an_edit_or_a_hold_cancels_publishing(newsdesk: Newsdesk) -> None:
    make_news(newsdesk)
    mara = newsdesk.sign_in()
    mara.do("publish")
    mara.do("shape", subject="Wait", introduction="", do="save")
    newsdesk.compile(newsdesk.clock())
    assert find(newsdesk) is None
    mara.do("publish")
    newsdesk.sign_in(BEN).do("hold")
    newsdesk.compile(newsdesk.clock())
    assert find(newsdesk) is None
    assert "on hold" in mara.get().text


def test_an_article_is_withdrawn_and_its_readers_are_told_each_in_their_language(newsdesk: Newsdesk) -> None:
    wrong = make_news(newsdesk)
    newsdesk.compile()
    settle(newsdesk, DeliveryState.ACCEPTED, DeliveryState.PLANNED)
    mara, path = newsdesk.sign_in(), f"{Newsdesk.PATH}/withdraw/{wrong}"
    assert f'href="{path}"' in mara.get().text
    page = mara.get(path).text
    assert "1 message with it has not been sent; it goes out without it." in page
    assert "1 message with it has been sent." in page
    assert newsdesk.sign_in(BEN).do(f"withdraw/{wrong}").status_code == 403

    done = mara.do(f"withdraw/{wrong}", reason="Two lanes, says the harbour")

    assert done.headers["location"].startswith(f"{Newsdesk.PATH}/correct/{wrong}")
    page = mara.get().text
    assert "withdrew “Bridge has three lanes”: Two lanes, says the harbour" in page
    assert "<b>withdrawn Mon 23 Nov" in page

    path = f"{Newsdesk.PATH}/correct/{wrong}"
    text = "It has **two** lanes."
    assert "Correction: Bridge has three lanes" in mara.do(f"correct/{wrong}", text=text, do="look").text
    assert find(newsdesk, "world", "correction", "2026-11-23-1") is None
    assert (
        "cannot contain pictures"
        in mara.do(f"correct/{wrong}", text="![x](https://x.example/y.png)", do="send").text
    )
    for do in ("look", "send"):
        unfilled = mara.do(f"correct/{wrong}", text="Two {lanes}, not {0}.", do=do)
        assert unfilled.status_code == 400
        assert "The correction has {lanes}, {0}: nothing is filled in there" in unfilled.text
    assert mara.do(f"correct/{wrong}", text=" ", do="send").status_code == 400
    assert newsdesk.sign_in(BEN).do(f"correct/{wrong}", text=text, do="send").status_code == 403
    sent = mara.do(f"correct/{wrong}", text=text, do="send")
    assert sent.headers["location"].endswith("said=corrected")
    again = mara.do(f"correct/{wrong}", text=text, do="send")
    assert again.headers["location"].endswith("said=corrected-before")

    assert "corrected “Bridge has three lanes” for 1 reader" in mara.get().text
    notice = find(newsdesk, "world", "correction", "2026-11-23-1")
    assert notice is not None
    assert notice.subject == "Bridge has three lanes"
    assert mara.get(f"{Newsdesk.PATH}/withdraw/999").status_code == 404


def test_only_the_button_that_sends_a_correction_sends_it(newsdesk: Newsdesk) -> None:
    wrong = make_news(newsdesk)
    newsdesk.compile()
    settle(newsdesk, DeliveryState.ACCEPTED, DeliveryState.PLANNED)
    mara = newsdesk.sign_in()

    buttons: list[dict[str, Any]] = [{}, {"do": ""}, {"do": "xyz"}, {"do": "Send"}, {"do": "send now"}]
    for button in buttons:
        answer = mara.do(f"correct/{wrong}", text="It has two lanes.", **button)
        assert answer.status_code == 200, button
        assert "It has two lanes.</textarea>" in answer.text, button
        assert "Correction: Bridge has three lanes" in answer.text, "the correction is only previewed"
        assert find(newsdesk, "world", "correction", "2026-11-23-1") is None, button
